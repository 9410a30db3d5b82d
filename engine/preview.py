"""What pruning will make of a model, before it is loaded: asked of a process that may import transformers."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from engine.errors import UserError
from engine.launch import module_command
from engine.levels import Level

_PATIENCE = 60.0  # seconds
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's size. `dtype` is the one that "auto" means for it here."""

    model_type: str
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    parameters: int
    parameters_per_neuron: int
    dtype: str

    def parameters_at(self, level: Level, divisor: int | None = None) -> tuple[int, int]:
        """The width a level means, and the parameters left at it.

        Raises:
            UserError: the level does not fit the model.
        """
        width = level.intermediate_size(self.intermediate_size, self.hidden_size, divisor)
        return width, self.parameters - (self.intermediate_size - width) * self.parameters_per_neuron

    def weight_bytes(self, dtype: str) -> int:
        """Size of the unpruned weights, which a run holds in memory once."""
        return self.parameters * _BYTES[self.dtype if dtype == "auto" else dtype]


def inspect(model: str, revision: str | None = None) -> Shape | None:
    """The shape of a model whose config is here; None for a hub model of which nothing is here yet.

    Takes seconds: call it in a thread.

    Raises:
        UserError: there is no such folder, or the model cannot be pruned.
    """
    command = module_command("engine.worker.preview", model, *([revision] if revision else []))
    try:
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"The model cannot be looked at: {error}.") from error
    if answer.returncode != 0 or not answer.stdout:
        last = (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
        raise UserError(f"The model cannot be looked at: {last}.")
    found = json.loads(answer.stdout.splitlines()[-1])
    if found.get("unknown"):
        return None
    if "error" in found:
        raise UserError(found["error"])
    return Shape(**{name: found[name] for name in Shape.__dataclass_fields__})
