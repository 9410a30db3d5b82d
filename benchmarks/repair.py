"""What orders and repairs keep of a model: KL to the unpruned model and perplexity on held-out text, level by level.

    python -m benchmarks.repair demo --methods maw,maw-data,wanda,flap,obs --repairs none,lsq --seeds 0,1,2
    python -m benchmarks.repair /models/llama --text held-out.txt --device cuda --dtype bfloat16
    python -m benchmarks.repair demo --variants

Each seed is a calibration text that the unpruned model writes itself, or with --calibration a file's. The held-out text
of "demo" is documents of its toy world that no training saw, else --text: documents apart by blank lines, the column
`text` of a Parquet file, or "own", what the unpruned model writes with another seed. `--variants` measures what was
tried beside what the program does: other λ, fits layer by layer on the repaired model's own activations, tokens
weighted. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TQDM_DISABLE", "1")

from benchmarks.judge import Table, fresh
from benchmarks.protocol import protocol_arguments
from benchmarks.repair_variants import VARIANTS
from benchmarks.under_test import UnderTest
from engine.pruning.ladder import Ladder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[protocol_arguments(levels="10,20,30,40,50,60", held_out_tokens=8192)],
    )
    parser.add_argument("model")
    parser.add_argument("--methods", default="random,maw,maw-data,wanda,flap,obs")
    parser.add_argument("--repairs", default="none,lsq")
    parser.add_argument("--variants", nargs="?", const="", help="those with this in their name, or all")
    asked = parser.parse_args()
    tested = UnderTest.of(asked)
    model, judge, levels = tested.lm.model, tested.judge, tested.levels
    some = next(iter(tested.calibrated.values()))
    print(
        f"{Path(asked.model).name}, {tested.dtype}, width {tested.found.shape.intermediate_size}, unpruned perplexity "
        f"{judge.perplexity:.3f} on {sum(map(len, tested.sequences)):,} held-out tokens; calibrated on {some.count:,} "
        f"({some.source}), seeds {asked.seeds}: medians, and the range of KL.\n"
    )
    table = Table(list(levels))
    if asked.variants is not None:
        for name, make in VARIANTS.items():
            if asked.variants in name:
                made = (make(fresh(model), text, seed) for seed, text in tested.calibrated.items())
                table.add(name, [judge.levels(variant.model, variant, levels) for variant in made])
    else:
        for method in asked.methods.split(","):
            for repair in asked.repairs.split(","):
                start = time.perf_counter()
                measured = []
                for seed, text in tested.calibrated.items():
                    own = fresh(model)
                    ladder = Ladder(own, method=method, seed=seed, repair=repair, calibration=text)
                    measured.append(judge.levels(own, ladder, levels))
                table.add(f"{method}, {repair}", measured, time.perf_counter() - start)
    table.summary()


if __name__ == "__main__":
    main()
