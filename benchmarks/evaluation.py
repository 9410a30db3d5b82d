"""Our evaluation against lm-eval's own `hf` backend: same model object, same requests, same machine, one run.

    python benchmarks/evaluation.py MODEL --include-path TASKS_DIR --tasks piqa,hellaswag:2000,mmlu@5:100
    python benchmarks/evaluation.py demo --tasks demo_facts,demo_story,demo_sums@3       # on a CPU, in a minute

`task:N` takes N documents of each task. Prints, for each task, hf's time and ours: for the first level of a sweep,
with tokenising and packing, and for every further one, which reuses both; their ratios to hf's; our tokens per
second and TFLOP/s of a further level (2 floating-point operations a parameter and token, output layer left out);
and the largest and mean difference of any request's log-likelihood, or the share of equal generations.
`--reference-spread` adds the reference's own difference between batch size 64 and 1.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model

from engine.levels import parse_levels
from engine.plan import RunPlan
from engine.pruning import loading
from engine.suites import TaskSpec
from engine.worker.batching import default_batch_tokens
from engine.worker.lm import PrunedLM
from engine.worker.tasks import build_tasks, load_tasks


def timed(work: Any) -> tuple[float, Any]:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def ask(lm: Any, instances: Sequence[Instance]) -> list[Any]:
    kind = instances[0].request_type
    return getattr(lm, "loglikelihood" if kind == "multiple_choice" else kind)(list(instances))


def difference(expected: Sequence[Any], found: Sequence[Any]) -> str:
    if isinstance(expected[0], str):
        equal = sum(a == b for a, b in zip(expected, found, strict=True))
        return f"{equal}/{len(expected)} answers equal"
    pairs = [(a[0], b[0]) if isinstance(a, tuple) else (a, b) for a, b in zip(expected, found, strict=True)]
    gaps = [abs(a - b) for a, b in pairs]
    relative = max(gap / max(abs(a), 1e-9) for gap, (a, _) in zip(gaps, pairs, strict=True))
    return f"{max(gaps):.4f} / {sum(gaps) / len(gaps):.5f} (relative {relative:.1e})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--include-path", action="append", default=[])
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch-tokens", type=int)
    parser.add_argument("--reference-spread", action="store_true")
    parser.add_argument("--no-reference", action="store_true", help="time ours only")
    arguments = parser.parse_args()

    found = loading.inspect(arguments.model)
    device = loading.resolve_device(arguments.device)
    dtype = loading.resolve_dtype(arguments.dtype, found.config, device)
    model, tokenizer = loading.load_model(found.source, revision=found.revision, dtype=dtype, device=device)
    batch_tokens = arguments.batch_tokens or default_batch_tokens(
        device, hidden_size=found.shape.hidden_size, intermediate_size=found.shape.intermediate_size, dtype=dtype
    )
    ours = PrunedLM(model, tokenizer, batch_tokens=batch_tokens)
    hf: Any = get_model("hf")
    reference = hf(pretrained=model, tokenizer=tokenizer, batch_size="auto", softmax_dtype="float32")
    single = hf(pretrained=model, tokenizer=tokenizer, batch_size=1, softmax_dtype="float32")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, {dtype}, {found.shape.parameters:,} parameters, torch {torch.__version__}")
    print(
        "| task | requests | hf s | first level s | further s | ratios | tok/s | TFLOP/s | largest / mean difference |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|---|", flush=True)

    tokens = 0

    def count(requests: int, new_tokens: int) -> None:
        nonlocal tokens
        tokens += new_tokens

    ours.progress = count
    output = found.shape.vocab_size * found.shape.hidden_size
    warmed = False
    for text in arguments.tasks.split(","):
        task, _, limit = text.partition(":")
        plan = RunPlan(
            name="benchmark", model=arguments.model, levels=tuple(parse_levels("0")), tasks=(TaskSpec.parse(task),),
            limit=float(limit) if limit else None, include_paths=tuple(arguments.include_path),
        ).resolved(Path.cwd())  # fmt: skip
        built = build_tasks(*load_tasks(plan), plan, ours, lambda: None).tasks
        instances = [part.instances for part in built]
        flat = [instance for some in instances for instance in some]
        if not warmed:
            seconds, _ = timed(lambda some=flat[:64]: ask(ours, some))
            print(f"warm-up: {seconds:.1f} s", flush=True)
            warmed = True
        ours.forget()
        first, _ = timed(lambda parts=instances: [answer for some in parts for answer in ask(ours, some)])
        tokens = 0
        own, answers = timed(lambda parts=instances: [answer for some in parts for answer in ask(ours, some)])
        scored = tokens
        flop = 2 * (found.shape.parameters - output) * scored
        theirs, ratio, gap = float("nan"), "", ""
        if not arguments.no_reference:
            theirs, expected = timed(lambda some=flat: ask(reference, some))
            ratio, gap = f"{theirs / first:.1f}×, {theirs / own:.1f}×", difference(expected, answers)
            if arguments.reference_spread:
                some = slice(0, 200)
                gap += "; hf itself, batch 1: " + difference(expected[some], ask(single, flat[some]))
        print(
            f"| {text} | {len(flat)} | {theirs:.2f} | {first:.2f} | {own:.2f} | {ratio} | {scored / own:,.0f} "
            f"| {flop / own / 1e12:.1f} | {gap} |",
            flush=True,
        )
    if device.type == "cuda":
        print(f"peak memory {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
