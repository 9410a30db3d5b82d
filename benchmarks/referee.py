"""Every method and repair at every level, on the models at hand, under one protocol: docs/referee.md.

    python -m benchmarks.referee measure demo
    python -m benchmarks.referee measure /models/llama --text held-out.txt --length 2048 --device cuda
    python -m benchmarks.referee measure /models/stories260K --text own --length 512
    python -m benchmarks.referee scores --tasks demo_story,demo_facts,demo_sums@3 --levels 40,60
    python -m benchmarks.referee page

`measure` compares a pruned model with the unpruned one on held-out text, `scores` has prune-tui's engine score the demo
model on its own benchmarks. Both append rows to docs/referee.jsonl as they are found, and leave out what is there;
`page` writes docs/referee.md from them. The page follows other papers' protocols by its switches: `--perplexity token`,
`word` or `byte`, `--score acc` or `acc_norm`; the length of a sequence is chosen when it is measured.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.protocol import protocol_arguments
from benchmarks.referee_page import ROWS, write_page
from engine.planning.methods import pruning_methods
from warehouse.records.level import parse_levels

SCORED = "maw/none,maw-data/none,obs/lsq"
TASKS = "demo_sums@3"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[protocol_arguments(levels="20,40,60", held_out_tokens=4096)],
    )
    parser.add_argument("step", choices=("measure", "scores", "page"))
    parser.add_argument("model", nargs="?", default="demo")
    parser.add_argument("--rows", type=Path, default=ROWS)
    parser.add_argument("--ways", help="method/repair, by commas: all there are, or a few for scores")
    parser.add_argument("--tasks", default=TASKS)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--perplexity", choices=("token", "word", "byte"), default="token")
    parser.add_argument("--score", choices=("acc", "acc_norm"), default="acc")
    asked = parser.parse_args()
    if asked.step == "page":
        write_page(asked.rows, perplexity=asked.perplexity, score=asked.score)
    else:
        (measure if asked.step == "measure" else score)(asked)


def every_way() -> list[tuple[str, str]]:
    """Each registered method with each repair; ppm is another name of maw."""
    names = [method.name for method in pruning_methods() if method.package is None and method.name != "ppm"]
    return [(name, repair) for name in names for repair in ("none", "lsq")]


def ways(asked: Any, usual: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return _parsed(asked.ways) if asked.ways else usual


def _parsed(text: str) -> list[tuple[str, str]]:
    return [(method, repair) for method, _, repair in (way.partition("/") for way in text.split(","))]


def differs_by_seed(method: str, repair: str) -> bool:
    """Whether another seed makes another pruned model: it draws, or looks at text that was drawn."""
    declared = next(one for one in pruning_methods() if one.name == method).declared
    return repair != "none" or declared.needs_activations or declared.uses_seed


class Rows:
    """A file of measurements, one a line, to which what is not there yet is added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self._known = {_identity(json.loads(line)) for line in lines}

    def has(self, **identity: Any) -> bool:
        return _identity(identity) in self._known

    def add(self, row: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("step", "model", "held_out", "method", "repair"))


def measure(asked: Any) -> None:
    """KL and surprise of each document of held-out text, at every level, by every method and repair."""
    from benchmarks.judge import fresh
    from benchmarks.repair_variants import instead
    from benchmarks.under_test import UnderTest
    from engine.pruning import ordering
    from engine.pruning.activations import activations
    from engine.pruning.glu import find_glu_mlps
    from engine.pruning.ladder import Ladder

    tested = UnderTest.of(asked)
    found, judge, sequences, levels = tested.found, tested.judge, tested.sequences, tested.levels
    model, calibrated = tested.lm.model, tested.calibrated
    seeds = list(calibrated)
    texts = [str(tested.lm.tokenizer.decode(sequence[1:])) for sequence in sequences]
    some = calibrated[seeds[0]]
    # Every method and repair looks at the same: one pass for all of them.
    seen = {seed: [one for _, one in activations(model, find_glu_mlps(model), calibrated[seed])] for seed in seeds}
    about = {
        "step": "measure",
        "model": Path(asked.model).name,
        "held_out": "own" if asked.text == "own" else "text",
    }
    protocol = {
        "dtype": str(tested.dtype).removeprefix("torch."),
        "device": model.device.type,
        "length": asked.length,
        "tokens": sum(len(sequence) - 1 for sequence in sequences),
        "words": sum(len(text.split()) for text in texts),
        "bytes": sum(len(text.encode()) for text in texts),
        "documents": len(sequences),
        "calibration": f"{some.source}, {some.count:,} tokens in sequences of up to {some.length}",
        "day": time.strftime("%Y-%m-%d"),
        "full_parameters": found.shape.parameters_at(found.shape.intermediate_size),
    }
    rows = Rows(asked.rows)
    if not rows.has(**about, method="unpruned", repair="none"):
        rows.add(
            {**about, **protocol, "method": "unpruned", "repair": "none", "0": [_as_row(judge.by_document(model))]}
        )
    for method, repair in ways(asked, every_way()):
        if rows.has(**about, method=method, repair=repair):
            continue
        by_level: dict[str, Any] = {level: [] for level in levels}
        for seed in seeds if differs_by_seed(method, repair) else seeds[:1]:
            own = fresh(model)
            with instead(ordering, activations=lambda model, mlps, *others, at=seed: zip(mlps, seen[at], strict=True)):
                ladder = Ladder(own, method=method, seed=seed, repair=repair, calibration=calibrated[seed])
            for level, width in levels.items():
                ladder.set_width(width)
                by_level[level].append(_as_row(judge.by_document(own)))
        parameters = {level: found.shape.parameters_at(width) for level, width in levels.items()}
        rows.add({**about, **protocol, "method": method, "repair": repair, "parameters": parameters, **by_level})
        print(method, repair, flush=True)


def _as_row(found: list[tuple[float, float, int]]) -> list[list[float]]:
    return [[round(divergence, 4), round(surprise, 3), count] for divergence, surprise, count in found]


def score(asked: Any) -> None:
    """The demo model on its own benchmarks, by lm-eval and the program's engine, as a run has them."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    from benchmarks.under_test import calibration, loaded
    from engine.demo.paths import TASKS_DIR
    from engine.evaluation.lm import PrunedLM
    from engine.planning.suites import TaskSpec
    from engine.pruning.ladder import Ladder

    evaluate: Any = lm_eval.simple_evaluate
    manager = TaskManager(include_path=str(TASKS_DIR), include_defaults=False)
    tasks = [TaskSpec.parse(text) for text in asked.tasks.split(",")]
    asked.model = "demo"  # whose benchmarks they are
    shape = loaded(asked)[0].shape
    levels = {str(level): shape.width(level, None) for level in parse_levels(asked.levels)}
    rows = Rows(asked.rows)
    about = {"step": "scores", "model": "demo", "held_out": "benchmarks"}

    def scores(lm: PrunedLM) -> dict[str, float]:
        values: dict[str, float] = {}
        for task in tasks:
            results = evaluate(
                model=lm,
                tasks=[task.name],
                num_fewshot=task.num_fewshot,
                task_manager=manager,
                limit=asked.limit,
                bootstrap_iters=0,
                log_samples=False,
            )
            for name, value in results["results"][task.name].items():
                if isinstance(value, float) and "stderr" not in name:
                    values[f"{task.name} {name.partition(',')[0]}"] = value
        return values

    seeds = [int(seed) for seed in asked.seeds.split(",")]
    if not rows.has(**about, method="unpruned", repair="none"):
        rows.add({**about, "method": "unpruned", "repair": "none", "0": [scores(loaded(asked)[2])]})
    for method, repair in ways(asked, _parsed(SCORED)):
        if rows.has(**about, method=method, repair=repair):
            continue
        by_level: dict[str, Any] = {level: [] for level in levels}
        for seed in seeds if differs_by_seed(method, repair) else seeds[:1]:
            lm = loaded(asked)[2]
            text = calibration(lm, asked, seed)
            ladder = Ladder(lm.model, method=method, seed=seed, repair=repair, calibration=text)
            for level, width in levels.items():
                ladder.set_width(width)
                by_level[level].append(scores(lm))
        rows.add({**about, "method": method, "repair": repair, **by_level})
        print(method, repair, flush=True)


if __name__ == "__main__":
    main()
