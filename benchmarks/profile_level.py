"""Where one level's time goes: GPU time by kind of kernel, task by task, from torch's profiler.

    python benchmarks/profile_level.py MODEL --include-path TASKS_DIR --tasks hellaswag:2000,boolq,gsm8k@5:256

Each task is asked twice and the second time is profiled, as a further level of a sweep runs: tokenised and laid out
already. "idle" is wall time without any kernel. Needs a CUDA GPU.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from typing import Any

os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from evaluation import ask, instances_of, load
from torch.profiler import ProfilerActivity, profile

# The first pattern that a kernel's name holds decides.
KINDS = (
    ("decoding attention", ("decode_attention",)),
    ("attention of trees, by paths", ("sdpa", "fmha", "flash_fwd")),
    ("attention of trees, by tiles", ("flex_attention", "triton_tem_fused")),
    ("matrix products", ("gemm", "nvjet", "cutlass", "cublas", "splitk", "gemv")),
    ("reading the logits (fused)", ("logsumexp", "argmax", "_of_parts", "_of_rows")),
    ("compiled pointwise and norms", ("triton_", "silu_product", "sum_and_norm")),
    ("copies, gathers, masks", ("index", "gather", "scatter", "copy", "memcpy", "memset", "cat", "fill", "where")),
    ("pointwise", ("elementwise", "vectorized")),
    ("reductions", ("reduce",)),
)


def kind_of(kernel: str) -> str:
    name = kernel.lower()
    return next((kind for kind, patterns in KINDS if any(pattern in name for pattern in patterns)), "other")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--include-path", action="append", default=[])
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--kernels", type=int, default=0, help="also print this many of each task's longest kernels")
    arguments = parser.parse_args()
    lm, _ = load(arguments.model, arguments.dtype, "cuda", compile_layers=arguments.compile)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, layers compiled: {arguments.compile}\n")
    for text in arguments.tasks.split(","):
        instances = instances_of(text, arguments.model, arguments.include_path, lm)

        def work(instances: Any = instances) -> None:
            for some in instances:
                ask(lm, some)
            torch.cuda.synchronize()

        work()
        start = time.perf_counter()
        work()
        wall = time.perf_counter() - start
        with profile(activities=[ProfilerActivity.CUDA]) as profiler:
            work()
        spent: dict[str, float] = defaultdict(float)
        kernels = sorted(profiler.key_averages(), key=lambda event: -event.self_device_time_total)
        for event in kernels:
            spent[kind_of(event.key)] += event.self_device_time_total / 1e6
        busy = sum(spent.values())
        print(f"| {text}: {wall:.2f} s | seconds | share |\n|---|--:|--:|")
        for kind, seconds in sorted(spent.items(), key=lambda item: -item[1]):
            print(f"| {kind} | {seconds:.3f} | {seconds / wall:.1%} |")
        print(f"| idle | {max(0.0, wall - busy):.3f} | {max(0.0, 1 - busy / wall):.1%} |\n", flush=True)
        for event in kernels[: arguments.kernels]:
            print(f"    {event.self_device_time_total / 1e6:8.3f} s  {event.count:6}×  {event.key[:110]}")


if __name__ == "__main__":
    main()
