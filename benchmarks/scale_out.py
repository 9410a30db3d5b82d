"""How long a sweep of ten models takes on 1 to 64 cards, and what limits it: a simulation from measured times.

    python benchmarks/scale_out.py [docs/scale-out.svg]

Pieces are those that `split` makes for so many cards, taken up as `Carrying` does: the first of the list by whichever
card is free. Their times are those of the 1B shape on an H200 (docs/benchmarks.md), by parameters. Prints a
table, and draws the picture of docs/scale-out.md where a file is named.
"""

from __future__ import annotations

import heapq
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.planning.sweep import as_sweep
from engine.sweeps.expected import Cost
from engine.sweeps.splitting import in_order, split
from warehouse.records.level import parse_levels

MODELS = {
    "Qwen3-0.6B": 0.6, "Llama-3.2-1B": 1.24, "Qwen3-1.7B": 1.7, "Llama-3.2-3B": 3.21, "Qwen3-4B": 4.0,
    "Mistral-7B": 7.25, "Llama-3.1-8B": 8.03, "Qwen3-8B": 8.2, "Qwen3-14B": 14.8, "Qwen3-32B": 32.8,
}  # fmt: skip
"""Billions of parameters."""
METHODS = ("maw", "l2", "obs")
LEVELS = "0,10,20,30,40,50,60"
MEASURED = 1.24  # billions of parameters of the model whose times these are
START = 117.0  # seconds of a piece before its cells: libraries, tasks, prompts, the compiling of layers
WEIGHTS = 4.8  # seconds to load and hash the weights, by parameters
LEVEL = {
    "ifeval": 10.5, "mmlu": 8.0, "gsm8k": 7.4, "hellaswag": 7.0, "wikitext": 1.4, "boolq": 1.2, "piqa": 0.5,
    "lambada_openai": 0.4, "winogrande": 0.4, "arc_easy": 0.4, "arc_challenge": 0.3, "truthfulqa_mc2": 0.3,
    "leaderboard_musr": 0.2,
}  # fmt: skip
"""Seconds of each benchmark at a level, by parameters: 38 in all."""
CARDS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds, but for `idle` and `starting`, which are shares of the cards' time until the end."""

    cards: int
    pieces: int
    end: float
    idle: float
    starting: float
    longest: float


def plans() -> list[tuple[RunPlan, float]]:
    """With their models' billions of parameters; the first method of a model measures it unpruned."""
    found: list[tuple[RunPlan, float]] = []
    for model, size in MODELS.items():
        for method in METHODS:
            levels = [level for level in parse_levels(LEVELS) if method == METHODS[0] or str(level) != "0"]
            tasks = tuple(map(TaskSpec, LEVEL))
            found.append((RunPlan(name=model, model=model, method=method, levels=tuple(levels), tasks=tasks), size))
    return list(zip(as_sweep([plan for plan, _ in found], "ten"), [size for _, size in found], strict=True))


def cost(plan: RunPlan) -> Cost:
    scale = MODELS[plan.model] / MEASURED
    return Cost(START + WEIGHTS * scale, tuple(LEVEL[task.name] * scale for task in plan.tasks))


def seconds(plan: RunPlan) -> float:
    own = cost(plan)
    return (own.startup or 0.0) + len(plan.levels) * sum(own.tasks)


def simulate(cards: int) -> Outcome:
    wanted = [plan for plan, _ in plans()]
    pieces = split(wanted, cards, [cost(plan) for plan in wanted])
    pieces = in_order(pieces, [seconds(piece) for piece in pieces], cards)
    free = [0.0] * cards
    for piece in pieces:
        heapq.heapreplace(free, free[0] + seconds(piece))
    end, work = max(free), sum(map(seconds, pieces))
    starting = sum(cost(piece).startup or 0.0 for piece in pieces)
    return Outcome(
        cards, len(pieces), end, 1 - work / (cards * end), starting / (cards * end), max(map(seconds, pieces))
    )


def draw(outcomes: list[Outcome]) -> str:
    """Left how many times as fast as one card, right what the cards' time goes into."""
    width, height, left, top, side = 760, 330, 56, 40, 260
    one = outcomes[0].end
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12" role="img" aria-label="Speed-up and idle time of the ten-model sweep on 1 to 64 cards">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{left}" y="22" font-size="14">Times as fast as one card</text>',
        f'<text x="{left + 350}" y="22" font-size="14">What the cards’ time goes into</text>',
    ]

    def at(cards: float, times: float) -> str:
        return f"{left + side * cards / 64:.1f},{top + side - side * times / 64:.1f}"

    for mark in (1, 16, 32, 48, 64):
        y, x = top + side - side * mark / 64, left + side * mark / 64
        parts += [
            f'<line x1="{left}" x2="{left + side}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>',
            f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{mark}</text>',
            f'<text x="{x:.1f}" y="{top + side + 16}" text-anchor="middle">{mark}</text>',
        ]
    parts += [
        f'<polyline points="{at(0, 0)} {at(64, 64)}" fill="none" stroke="#999" stroke-dasharray="4 4"/>',
        f'<polyline points="{" ".join(at(o.cards, one / o.end) for o in outcomes)}" fill="none" stroke="#1f5fbf" '
        'stroke-width="2"/>',
        *(
            f'<circle cx="{point.split(",")[0]}" cy="{point.split(",")[1]}" r="3" fill="#1f5fbf"/>'
            for point in (at(o.cards, one / o.end) for o in outcomes)
        ),
        f'<text x="{left + side}" y="{top + side + 32}" text-anchor="end">cards</text>',
    ]
    bar, begin = 24, left + 350
    for number, one_of in enumerate(outcomes):
        x, y = begin + number * (bar + 6), float(top)
        for share, colour in (
            (one_of.idle, "#c9c9c9"), (one_of.starting, "#e2a33b"), (1 - one_of.idle - one_of.starting, "#1f5fbf"),
        ):  # fmt: skip
            parts.append(f'<rect x="{x}" y="{y:.1f}" width="{bar}" height="{side * share:.1f}" fill="{colour}"/>')
            y += side * share
        parts.append(f'<text x="{x + bar / 2}" y="{top + side + 16}" text-anchor="middle">{one_of.cards}</text>')
    for number, (colour, what) in enumerate((("#1f5fbf", "cells"), ("#e2a33b", "starting"), ("#c9c9c9", "idle"))):
        x = begin + number * 80
        parts += [
            f'<rect x="{x}" y="{top + side + 22}" width="10" height="10" fill="{colour}"/>',
            f'<text x="{x + 15}" y="{top + side + 32}">{what}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    outcomes = [simulate(cards) for cards in CARDS]
    one = outcomes[0].end
    print("| cards | pieces | hours | times as fast | idle (%) | starting (%) | longest piece (min) |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for o in outcomes:
        print(
            f"| {o.cards} | {o.pieces} | {o.end / 3600:.2f} | {one / o.end:.1f} | {100 * o.idle:.1f} | "
            f"{100 * o.starting:.1f} | {o.longest / 60:.0f} |"
        )
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(draw(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main()
