"""Our evaluation against lm-eval's own `hf` backend: same model object, same requests, same machine, one run.

    python benchmarks/evaluation.py MODEL --include-path TASKS_DIR --tasks piqa,hellaswag:2000,mmlu@5:100
    python benchmarks/evaluation.py demo --tasks demo_facts,demo_story,demo_sums@3       # on a CPU, in a minute

`task:N` takes N documents of each task. Prints, for each task, hf's time and ours: for the first level of a sweep,
with tokenising and packing, and for every further one, which reuses both; their ratios to hf's; our tokens per
second and TFLOP/s of a further level (2 floating-point operations a parameter and token, output layer left out);
and the largest and mean difference of any request's log-likelihood, or the share of equal generations.
`hf` looks for the largest batch first, which on a CPU takes longer than a small task: `--hf-batch-size 64` spares it.
`--spread` compares answers instead: ours, hf's at batch 64 and 1, and those of the same weights in float32.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model

from engine.evaluation.lm import PrunedLM
from engine.evaluation.scoring import score
from engine.evaluation.task_loading import load_tasks
from engine.evaluation.tasks import BuiltTask, build_tasks
from engine.inference.batching import default_batch_tokens
from engine.overrides import compiling
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.pruning import loading
from warehouse.records.level import parse_levels


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


def load(
    model: str, dtype_name: str, device_name: str, *, batch_tokens: int | None = None, compile_layers: bool = False
) -> tuple[PrunedLM, Any]:
    """Our language model, and what was found out about the model it holds."""
    found = loading.inspect(model)
    device = loading.resolve_device(device_name)
    dtype = loading.resolve_dtype(dtype_name, found.config, device)
    loaded, tokenizer = loading.load_model(found.source, revision=found.revision, dtype=dtype, device=device)
    batch_tokens = batch_tokens or default_batch_tokens(
        device, hidden_size=found.shape.hidden_size, intermediate_size=found.shape.intermediate_size, dtype=dtype
    )
    lm = PrunedLM(loaded, tokenizer, batch_tokens=batch_tokens)
    if compile_layers:
        compiling.compile_layers(loaded)
    return lm, found


def instances_of(text: str, model: str, include_paths: Sequence[str], lm: PrunedLM) -> list[list[Instance]]:
    """The requests of `task[@shots][:documents]`, by task."""
    return [part.instances for part in built_of(text, model, include_paths, lm)]


def built_of(text: str, model: str, include_paths: Sequence[str], lm: PrunedLM) -> tuple[BuiltTask, ...]:
    task, _, limit = text.partition(":")
    plan = RunPlan(
        name="benchmark", model=model, levels=tuple(parse_levels("0")), tasks=(TaskSpec.parse(task),),
        limit=float(limit) if limit else None, include_paths=tuple(include_paths),
    ).resolved(Path.cwd())  # fmt: skip
    return build_tasks(load_tasks(plan), plan, lm, lambda: None).tasks


def matrix_rate(device: torch.device) -> float:
    """Floating-point operations a second of a large bf16 matrix product on random data."""
    left, right = (torch.randn(8192, 8192, device=device, dtype=torch.bfloat16) for _ in range(2))
    timed(lambda: left @ right)
    seconds, _ = timed(lambda: [left @ right for _ in range(20)])
    return 20 * 2 * 8192**3 / seconds


class Answers:
    """A language model that keeps what it answered."""

    def __init__(self, lm: Any) -> None:
        self.lm = lm
        self.given: list[float] = []

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        found = self.lm.loglikelihood(requests)
        self.given += [log_likelihood for log_likelihood, _ in found]
        return found


def spread(built: Sequence[BuiltTask], models: dict[str, Any]) -> None:
    """How far apart the answers of several models are, the first being the one compared with."""
    answers, metrics = {}, {}
    for name, lm in models.items():
        answers[name] = Answers(lm)
        metrics[name] = [metric for part in built for metric in score(part, answers[name])[0]]
    (_, base), *others = answers.items()
    for name, other in others:
        gaps = [abs(a - b) for a, b in zip(base.given, other.given, strict=True)]
        moved = max(
            (abs(a.value - b.value) / a.stderr if a.stderr else 0.0)
            for a, b in zip(metrics["hf, batch 64"], metrics[name], strict=True)
        )
        print(
            f"| {built[0].name} | {len(gaps)} | {name} | {max(gaps):.4f} | {sum(gaps) / len(gaps):.5f} | {moved:.3f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--include-path", action="append", default=[])
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch-tokens", type=int)
    parser.add_argument("--compile", action="store_true", help="compile our layers")
    parser.add_argument(
        "--spread", action="store_true", help="compare answers with hf's own at other batch sizes instead"
    )
    parser.add_argument(
        "--hf-batch-size", default="auto", help="rows hf takes at a time; on a CPU finding them out takes it seconds"
    )
    parser.add_argument("--no-reference", action="store_true", help="time ours only")
    arguments = parser.parse_args()

    ours, found = load(
        arguments.model, arguments.dtype, arguments.device,
        batch_tokens=arguments.batch_tokens, compile_layers=arguments.compile,
    )  # fmt: skip
    model, tokenizer = ours.model, ours.tokenizer
    device = model.device
    hf: Any = get_model("hf")

    def reference_of(some: Any, batch_size: Any) -> Any:
        return hf(pretrained=some, tokenizer=tokenizer, batch_size=batch_size, softmax_dtype="float32")

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, {model.dtype}, {found.shape.parameters:,} parameters, torch {torch.__version__}")
    if arguments.spread:
        exact = copy.deepcopy(model).float()
        models = {
            "float32": reference_of(exact, 16), "hf, batch 64": reference_of(model, 64),
            "hf, batch 1": reference_of(model, 1), "ours": ours,
        }  # fmt: skip
        for base in ("hf, batch 64", "float32"):
            print(f"\n| task | requests | against {base} | largest | mean | metric moved, in standard errors |")
            print("|---|--:|---|--:|--:|--:|", flush=True)
            order = {base: models[base]} | models
            for text in arguments.tasks.split(","):
                spread(built_of(text, arguments.model, arguments.include_path, ours), order)
        return
    reference = reference_of(model, arguments.hf_batch_size)
    rate = matrix_rate(device) if device.type == "cuda" else float("nan")
    print(f"matrix products: {rate / 1e12:.0f} TFLOP/s; layers compiled: {arguments.compile}")
    print(
        "| task | requests | hf s | first level s | further s | ratios | tok/s | TFLOP/s | of the matrix rate "
        "| largest / mean difference |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|---|", flush=True)

    tokens = 0

    def count(requests: int, new_tokens: int) -> None:
        nonlocal tokens
        tokens += new_tokens

    ours.progress = count
    output = found.shape.vocab_size * found.shape.hidden_size
    warmed = False
    for text in arguments.tasks.split(","):
        instances = instances_of(text, arguments.model, arguments.include_path, ours)
        flat = [instance for some in instances for instance in some]
        if not warmed:
            seconds, _ = timed(lambda some=flat[:64]: (ours.warm_up(), ask(ours, some)))
            print(f"warm-up: {seconds:.1f} s", flush=True)
            warmed = True
        ours.clear_cache()
        first, _ = timed(lambda parts=instances: [answer for some in parts for answer in ask(ours, some)])
        tokens = 0
        own, answers = timed(lambda parts=instances: [answer for some in parts for answer in ask(ours, some)])
        scored = tokens
        flops = 2 * (found.shape.parameters - output) * scored / own
        theirs, ratio, gap = float("nan"), "", ""
        if not arguments.no_reference:
            theirs, expected = timed(lambda some=flat: ask(reference, some))
            ratio, gap = f"{theirs / first:.1f}×, {theirs / own:.1f}×", difference(expected, answers)
        print(
            f"| {text} | {len(flat)} | {theirs:.2f} | {first:.2f} | {own:.2f} | {ratio} | {scored / own:,.0f} "
            f"| {flops / 1e12:.1f} | {flops / rate:.0%} | {gap} |",
            flush=True,
        )
    if device.type == "cuda":
        print(f"peak memory {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
