"""What pruning will make of a model, before it is loaded: asked of a process that may import transformers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.errors import UserError
from engine.planning import model_stack
from warehouse.processes import module_command
from warehouse.records.sizes import ModelSizes

_PATIENCE = 60.0  # seconds
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


class UnseenError(UserError):
    """Nothing could be found out about a model: that says nothing of the model itself, and a run of it may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape(ModelSizes):
    """A model's size. `fused` is for gate and up in one tensor; `cache_per_token` counts keys and values, elements.

    `dtype` is the checkpoint's own; `device` is what "auto" means here: cuda, mps or cpu.
    """

    model_type: str
    num_hidden_layers: int
    vocab_size: int
    fused: bool
    cache_per_token: int
    dtype: str
    device: str

    def device_for(self, device: str) -> str:
        return self.device if device == "auto" else device

    def dtype_for(self, dtype: str, device: str) -> str:
        """What a run's dtype means on its device: "auto" is float32 on a CPU, elsewhere the checkpoint's own."""
        if dtype != "auto":
            return dtype
        return "float32" if self.device_for(device) == "cpu" else self.dtype


def itemsize(dtype: str) -> int:
    return _BYTES[dtype]


@dataclass(frozen=True, slots=True)
class ModelName:
    """A folder or a name on the hub, and which version of it is meant."""

    model: str
    revision: str | None = None
    trust_remote_code: bool = False


def inspect(
    model: str, revision: str | None = None, *, trust_remote_code: bool = False, online: bool = False
) -> Shape | None:
    """The shape of a model whose config is here; None for a hub model of which nothing is here yet.

    Takes seconds: call it in a thread. `online` fetches the config of a hub model, and is never answered by None.

    Raises:
        UserError: there is no such model, it cannot be pruned, or what looks is not installed.
        UnseenError: the process that looks took too long or ended.
    """
    (shape,) = inspect_each([ModelName(model, revision, trust_remote_code)], online=online)
    if isinstance(shape, UserError):
        raise shape
    return shape


def inspect_each(names: Sequence[ModelName], *, online: bool = False) -> list[Shape | UserError | None]:
    """As `inspect` of each, or what it would raise, by one process that imports transformers once.

    Raises:
        UserError: what looks is not installed.
    """
    model_stack.require()
    request = {"models": [asdict(name) for name in names], "online": online}
    command = module_command("engine.worker.preview", json.dumps(request))
    patience = _PATIENCE * len(names)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return [UnseenError(f"Nothing was found out about {one.model} within {patience:g} seconds.") for one in names]
    except OSError as error:
        return [UnseenError(f"Nothing can be found out about {one.model}: {error.strerror}.") for one in names]
    answers = [_answer(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1].rstrip(".")
    return answers + [
        UnseenError(f"Nothing can be found out about {one.model}: {last}.") for one in names[len(answers) :]
    ]


def _answer(found: dict[str, Any]) -> Shape | UserError | None:
    if found.get("unknown"):
        return None
    if "error" in found:
        return UserError(found["error"])
    return Shape(**{name: found[name] for name in Shape.__dataclass_fields__})
