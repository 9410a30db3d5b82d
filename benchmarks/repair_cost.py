"""What calibration, order and repair cost on a GPU, stage by stage, on random weights of real shapes.

    python -m benchmarks.repair_cost --shape 1B,3B,8B
    python -m benchmarks.repair_cost --shape 8B --methods obs,wanda --tokens 131072
    python -m benchmarks.repair_cost --shape tiny --device cpu

Sampling, the pass with second moments, the order, the factor and six levels' solves are each waited for; then a ladder
is made as a run makes it, whose memory is looked at: torch's peak, beside the weights, the second moments in float32,
and a pass without them. Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from benchmarks.own_writing import OwnWriting
from engine.calibration.own_text import own_text
from engine.planning.calibration_amount import CalibrationAmount
from engine.pruning.activations import activations
from engine.pruning.calibration import Calibration
from engine.pruning.glu import find_glu_mlps
from engine.pruning.importance import load_method, ranking
from engine.pruning.ladder import Ladder
from engine.pruning.repair import LeastSquares

# hidden_size, intermediate_size, layers, heads, heads of keys and values, vocabulary
SHAPES = {
    "tiny": (128, 512, 4, 8, 2, 1024),
    "1B": (2048, 8192, 16, 32, 8, 128_256),
    "3B": (3072, 8192, 28, 24, 8, 128_256),
    "8B": (4096, 14_336, 32, 32, 8, 128_256),
}
LEVELS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="1B,3B,8B", help=f"by commas: {', '.join(SHAPES)}")
    parser.add_argument("--methods", default="obs")
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--device", default="cuda")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    print(f"{name}, torch {torch.__version__}, bfloat16, seconds:\n")
    stages = ("sampling", "pass with H", "order", "factor", "six levels", "ladder as a run makes it, and six levels")
    memory = ("weights, GiB", "H", "a pass", "peak", "peak over weights + H + a pass")
    print("| shape, order | tokens | " + " | ".join((*stages, "with sampling", *memory)) + " |")
    print("|---|" + "--:|" * (len(stages) + len(memory) + 2), flush=True)
    for shape in asked.shape.split(","):
        for method in asked.methods.split(","):
            print(row(shape, method, device, asked.tokens), flush=True)
            reset(device)


def row(shape: str, method: str, device: torch.device, tokens: int | None) -> str:
    model = random_model(shape, device)
    mlps = find_glu_mlps(model)
    full = mlps[0].intermediate_size
    amount = CalibrationAmount.chosen(
        tokens=tokens, length=None, on_gpu=device.type == "cuda", own_text=True, intermediate_size=full, context=2048
    )
    writing = OwnWriting.of(model, begin=1, end=None)
    timer = Timer(device)
    text = own_text(writing, amount, seed=0, check=lambda: None)
    seconds = {"sampling": timer()} | dict.fromkeys(("pass", "order", "factor", "levels"), 0.0)
    calibration = Calibration.of(text, source="self", seed=0)
    del writing
    bare = pass_bytes(model, calibration, device)
    reset(device)
    timer()
    for mlp, seen in activations(model, mlps, calibration):
        seconds["pass"] += timer()
        layer = mlp.layer_for(0, seen)
        order = ranking(load_method(method)(layer))
        seconds["order"] += timer()
        repair = LeastSquares(layer, order, device)
        seconds["factor"] += timer()
        for level in LEVELS:
            repair.weight(int(level * full))
        seconds["levels"] += timer()
        del seen, layer, repair
    reset(device)
    timer()
    ladder = Ladder(model, method=method, seed=0, repair="lsq", calibration=calibration)
    for level in LEVELS:
        ladder.set_width(int(level * full))
    whole = timer()
    weights = sum(parameter.nbytes for parameter in {id(one): one for one in model.parameters()}.values())
    times = [*seconds.values(), whole, seconds["sampling"] + whole]
    cells = [f"{calibration.count:,}", *(f"{time:.2f}" for time in times)]
    return f"| {shape}, {method} | " + " | ".join(cells + memory(weights, 4 * len(mlps) * full**2, bare, device)) + " |"


def memory(weights: int, moments: int, bare: int, device: torch.device) -> list[str]:
    """Torch's peak since it was reset, beside what it is made of."""
    if device.type != "cuda":
        return ["not measured"] * 5
    peak = torch.cuda.max_memory_allocated(device)
    parts = [f"{size / 2**30:.1f}" for size in (weights, moments, bare, peak)]
    return [*parts, f"{peak / (weights + moments + bare):.2f}×"]


class Timer:
    """Seconds since it was last asked, with the device's work done."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._last = time.perf_counter()

    def __call__(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        before, self._last = self._last, time.perf_counter()
        return self._last - before


@torch.no_grad()
def random_model(shape: str, device: torch.device) -> Any:
    hidden, width, layers, heads, kv_heads, vocabulary = SHAPES[shape]
    config = LlamaConfig(
        hidden_size=hidden,
        intermediate_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        vocab_size=vocabulary,
        max_position_embeddings=8192,
        tie_word_embeddings=hidden < 4096,
        dtype=torch.bfloat16,
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model = model.to_empty(device=device).eval().requires_grad_(False)
    model.tie_weights()
    for name, parameter in model.named_parameters():
        parameter.fill_(1.0) if "norm" in name else parameter.normal_(std=0.02)
    rotary: Any = model.model.rotary_emb
    model.model.rotary_emb = type(rotary)(config=config).to(device)
    model.generation_config.eos_token_id = None  # random weights end a text by chance only
    return model


@torch.no_grad()
def pass_bytes(model: Any, calibration: Calibration, device: torch.device) -> int:
    """What a pass takes beside the weights."""
    if device.type != "cuda":
        return 0
    reset(device)
    before = torch.cuda.memory_allocated(device)
    rows = torch.from_numpy(calibration.tokens[: max(1, 2**15 // calibration.length)].astype("int64")).to(device)
    model.base_model(rows, use_cache=False)
    return torch.cuda.max_memory_allocated(device) - before


def reset(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


if __name__ == "__main__":
    main()
