"""vLLM, asked by its own command (`vllm bench latency`) where it is installed: whole requests, in its process."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.planning.profiling import LARGEST, Workload
from engine.profile.repeats import Summary, summary
from engine.profile.session import CannotMeasureError

_WARM_UP, _REPEATS = 3, 10
_SHARE_OF_FREE = 0.8
_LAST_LINES = 200  # characters of what vLLM said


def latency(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, request: Workload, *, eager: bool, width: int, full: int
) -> Summary:
    """Seconds that a batch takes from its prompts to its last tokens, at the width that the model has now.

    Raises:
        CannotMeasureError: vLLM is not installed, or does not serve such a model.
    """
    program = shutil.which("vllm")
    if program is None:
        raise CannotMeasureError("vLLM is not installed: there is no command `vllm`")
    if request.batch == LARGEST:
        raise CannotMeasureError("vLLM chooses by itself how many requests it serves at a time")
    with _checkpoint(model, tokenizer, width, full) as folder:
        into = folder / "latency.json"
        command = [
            program, "bench", "latency", "--model", str(folder), "--input-len", str(request.prompt_tokens),
            "--output-len", str(request.new_tokens), "--batch-size", str(request.batch),
            "--num-iters-warmup", str(_WARM_UP), "--num-iters", str(_REPEATS), "--output-json", str(into),
            *_memory(model), *(["--enforce-eager"] if eager else []),
        ]  # fmt: skip
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode or not into.exists():
            said = " ".join((ended.stderr or ended.stdout).split())[-_LAST_LINES:]
            raise CannotMeasureError(f"`vllm bench latency` ended with {ended.returncode}: {said}")
        told: dict[str, Any] = json.loads(into.read_text(encoding="utf-8"))
    try:
        return summary([float(one) for one in told["latencies"]])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotMeasureError("`vllm bench latency` wrote no latencies that are known here") from error


def _memory(model: PreTrainedModel) -> list[str]:
    """vLLM takes a share of the whole GPU, of which this process holds a part."""
    if model.device.type != "cuda":
        return []
    free, total = torch.cuda.mem_get_info(model.device)
    return ["--gpu-memory-utilization", f"{_SHARE_OF_FREE * free / total:.2f}"]


@contextmanager
def _checkpoint(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, width: int, full: int) -> Iterator[Path]:
    """The model as a folder for others to load, for as long as the block lasts."""
    if any("SeparateGateUp" in type(module).__name__ for module in model.modules()):
        raise CannotMeasureError("gate and up are one matrix in its checkpoints, which a profile does not write")
    config: Any = model.config.get_text_config()
    with tempfile.TemporaryDirectory(prefix="prune-tui-") as name:
        try:
            config.intermediate_size = width
            model.save_pretrained(name)
            tokenizer.save_pretrained(name)
        finally:
            config.intermediate_size = full
        yield Path(name)
