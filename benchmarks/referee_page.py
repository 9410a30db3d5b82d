"""docs/referee.md from the rows that `benchmarks.referee` measured."""

from __future__ import annotations

import json
import statistics
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "docs" / "referee.jsonl"
PAGE = ROOT / "docs" / "referee.md"
_DRAWS = 2000
_HEAD = "unpruned"
_BEST = "obs, lsq"

OPENING = """# The referee

Written by `python -m benchmarks.referee page` from docs/referee.jsonl, which `measure` and `scores` add to; not by
hand. Every method with and without repair, level by level, on the models at hand, under one protocol. What the
methods are is in [methods.md](methods.md).
"""

PROTOCOL = """## Protocol

- All layers lose the same share of their neurons, in one go, with nothing trained afterwards.
- What methods and repairs look at is text that the unpruned model wrote itself, at temperature 1, drawn with three
  seeds; `random` draws its order with them. `maw`, `vow`, `pon` and `l2` without repair are the same at every seed.
  `ppm` is another name of `maw`.
- KL is KL(unpruned ‖ pruned), nats a token, over the whole vocabulary, on held-out text; each document begins as a text
  does and is cut at the length that is named.
- In brackets, 95 % intervals: 2,000 bootstrap draws of documents and of seeds together. Three seeds are few to draw
  from, so an interval says more about documents than about seeds. All methods were measured on the same documents, so
  two whose intervals overlap can still be apart: the last table of a model takes the same documents of both.
- Parameters are those that a saved checkpoint has, embeddings included, tied ones once.
"""

ELSEWHERE = """## Cells of other papers

None is reproduced here: the models that papers print numbers of (Llama-3.2-3B in NIRVANA's Table 5, say) cannot be had
without the hub, and a number of another model is no reproduction. What has to be settled before cells are held side by
side, and where:

| what differs | here | another paper's way |
|---|---|---|
| perplexity | a token, as papers print it | `page --perplexity word`, as lm-eval's WikiText is, or `byte` |
| length of a sequence | named with each table | `measure --length 2048` |
| accuracy | acc | `page --score acc_norm`, where a task has both |
| calibration | the model's own text | `measure --calibration FILE`, with `--calibration-tokens` and `-length` |
| widths | the same in all layers | FLAP gives layers widths of their own; there is no switch for that |
| benchmarks | the demo's | `prune-tui run MODEL --suite referee --method maw,obs --repair none,lsq` |

What a row stands for elsewhere: `maw-data` keeps the neurons that OptiPFair 0.4.2's function keeps (a test holds the
two together); `wanda` and `flap` are their papers' scores for whole neurons, in equal widths; `obs` with `lsq` is
nearest to ZipLM's elimination. LLM-Pruner, SliceGPT, FASP and NIRVANA are not here. The study's own figures, by plain
MAW on models of 1B and 3B, are compared cell by cell with its result files in
[published-deltas.md](evidence/published-deltas.md).

## What was measured here, and what awaits

Measured: the tables above, of models of 0.26 and 1.6 million parameters, in float32 on a CPU. They tell methods apart
on these models and prove nothing about others. A model of 126 million that `benchmarks/train_small.py` trains in a
minute or two, and what 1B, 3B and 8B shapes with random weights cost, were measured on a GPU:
[benchmarks.md](benchmarks.md).

Not measured, for want of the weights, is any model that people use. A real 1B (Llama-3.2-1B, the study's) awaits:

- `python -m benchmarks.referee measure MODEL --text held-out.txt --length 2048 --device cuda`: the tables above for it,
  in bfloat16, calibrated on 131,072 tokens;
- `prune-tui run MODEL --suite referee --method maw,maw-data,obs --repair none,lsq --damage`: benchmarks by lm-eval,
  methods paired question by question;
- whether layers with 8,192 neurons and an outlier token or two, which small models lack, are repaired as well.
"""


def write_page(path: Path, *, perplexity: str, score: str) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    parts = [OPENING, PROTOCOL]
    measured = [row for row in rows if row["step"] == "measure"]
    for _, group in groupby(sorted(measured, key=_place), key=_place):
        parts.append(of_a_model(list(group), perplexity))
    scored = [row for row in rows if row["step"] == "scores"]
    if scored:
        parts.append(of_benchmarks(scored, score))
    PAGE.write_text("\n".join([*parts, ELSEWHERE]), encoding="utf-8")


def _place(row: dict[str, Any]) -> tuple[str, str]:
    return row["model"], row["held_out"]


def of_a_model(rows: list[dict[str, Any]], perplexity: str) -> str:
    """KL and perplexity of a model, a table each."""
    unpruned = next(row for row in rows if row["method"] == _HEAD)
    levels = list(next(row for row in rows if row["method"] != _HEAD)["parameters"])
    parameters = next(row for row in rows if row["method"] != _HEAD)["parameters"]
    units = unpruned[{"token": "tokens", "word": "words", "byte": "bytes"}[perplexity]]
    kind = "text that the unpruned model wrote with another seed" if unpruned["held_out"] == "own" else "held-out text"
    draws = Draws(unpruned["documents"])
    before = draws.perplexity(unpruned["0"], units)
    tokens, documents = unpruned["tokens"], unpruned["documents"]
    lines = [
        f"## {unpruned['model']}, on {kind}",
        "",
        f"{tokens:,} tokens in {documents} documents of up to {unpruned['length']}; calibrated on "
        f"{unpruned['calibration']}.",
        f"{unpruned['dtype']}, {unpruned['device']}, {unpruned['day']}. Unpruned: {unpruned['full_parameters']:,} "
        f"parameters, perplexity a {perplexity} {before}.",
        "",
    ]
    head = "| method, repair |" + "".join(f" {level} % |" for level in levels)
    under = "|---|" + "--:|" * len(levels)
    size = "| *parameters* |" + "".join(f" *{parameters[level]:,}* |" for level in levels)
    ordered = [row for row in rows if row["method"] != _HEAD]
    for title, cell in (
        ("KL to the unpruned model", lambda found: draws.divergence(found)),
        (f"Perplexity a {perplexity}", lambda found: draws.perplexity(found, units)),
    ):
        lines += [f"{title}:", "", head, under, size]
        lines += [f"| {named(row)} |" + "".join(f" {cell(row[level])} |" for level in levels) for row in ordered]
        lines.append("")
    lines += against(ordered, levels, draws)
    return "\n".join(lines)


def against(rows: list[dict[str, Any]], levels: list[str], draws: Draws) -> list[str]:
    """What a repaired elimination does beside each of the others, on the same documents."""
    ours = next((row for row in rows if named(row) == _BEST), None)
    if ours is None:
        return []
    return [
        f"KL of {_BEST} as a share of each other's, document by document; an interval below 1 is less damage:",
        "",
        "| method, repair |" + "".join(f" {level} % |" for level in levels),
        "|---|" + "--:|" * len(levels),
        *(
            f"| {named(row)} |" + "".join(f" {draws.share(ours[level], row[level])} |" for level in levels)
            for row in rows
            if row is not ours
        ),
        "",
    ]


def named(row: dict[str, Any]) -> str:
    return f"{row['method']}, {row['repair']}"


class Draws:
    """Bootstrap draws of documents, the same for every row, and of seeds."""

    def __init__(self, documents: int) -> None:
        self._random = np.random.default_rng(0)
        self._documents = self._random.integers(0, documents, (_DRAWS, documents))

    def divergence(self, seeds: list[list[list[float]]]) -> str:
        """The median seed's mean KL, and the interval."""
        sums = np.array(seeds)  # [seeds, documents, (KL, surprise, tokens)]
        each = sums[:, :, 0].sum(1) / sums[:, :, 2].sum(1)
        low, high = np.quantile(self._means(sums[:, :, 0], sums[0, :, 2]), (0.025, 0.975))
        return f"{statistics.median(each):.4f} ({low:.4f}–{high:.4f})"

    def share(self, ours: list[list[list[float]]], theirs: list[list[list[float]]]) -> str:
        """The median seed's KL over that of others, and the interval: each draw takes the same documents of both."""
        of_both = [np.array(seeds)[:, :, 0] for seeds in (ours, theirs)]
        medians = [float(np.median(sums.sum(1))) for sums in of_both]
        tokens = np.array(ours)[0, :, 2]
        drawn = [self._means(sums, tokens) for sums in of_both]
        low, high = np.quantile(drawn[0] / drawn[1], (0.025, 0.975))
        return f"{medians[0] / medians[1]:.2f} ({low:.2f}–{high:.2f})"

    def perplexity(self, seeds: list[list[list[float]]], units: int) -> str:
        sums = np.array(seeds)
        rate = sums[0, :, 2].sum() / units  # tokens a word, or a byte
        each = np.exp(rate * sums[:, :, 1].sum(1) / sums[:, :, 2].sum(1))
        low, high = np.exp(rate * np.quantile(self._means(sums[:, :, 1], sums[0, :, 2]), (0.025, 0.975)))
        return f"{statistics.median(each):.4g} ({low:.4g}–{high:.4g})"

    def _means(self, sums: NDArray[Any], tokens: NDArray[Any]) -> NDArray[Any]:
        seeds = self._random.integers(0, len(sums), (_DRAWS, len(sums)))
        drawn = sums[:, self._documents].sum(2)  # [seeds, draws]
        chosen = np.take_along_axis(drawn.T, seeds, axis=1).mean(1)
        return chosen / tokens[self._documents].sum(1)


def of_benchmarks(rows: list[dict[str, Any]], score: str) -> str:
    """The demo model's own benchmarks: median over seeds, and the range."""
    levels = [key for key in rows[-1] if key.isdecimal()]
    [unpruned] = next(row for row in rows if row["method"] == _HEAD)["0"]
    metrics = [name for name in unpruned if wanted(name, unpruned, score)]
    lines = [
        "## The demo model's benchmarks",
        "",
        "Scored by lm-eval with prune-tui's engine, as in a run: the median of the seeds and, where they differ, their "
        "range. How sure a difference is, Compare says of runs, question by question.",
        "",
        "| benchmark | method, repair |" + "".join(f" {level} % |" for level in ["0", *levels]),
        "|---|---|" + "--:|" * (len(levels) + 1),
    ]
    for metric in metrics:
        for row in rows:
            if row["method"] == _HEAD:
                continue
            cells = [f"{unpruned[metric]:.3f}"]
            for level in levels:
                found = sorted(seed[metric] for seed in row[level])
                spread = f" ({found[0]:.3f}–{found[-1]:.3f})" if found[0] < found[-1] else ""
                cells.append(f"{statistics.median(found):.3f}{spread}")
            lines.append(f"| {metric} | {named(row)} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def wanted(name: str, unpruned: dict[str, float], score: str) -> bool:
    task, metric = name.split(" ")
    if metric in ("acc", "acc_norm"):
        return metric == (score if f"{task} {score}" in unpruned else metric)
    return metric in ("exact_match", "word_perplexity")
