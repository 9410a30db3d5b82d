"""Where a number came from: the program, the libraries, the machine."""

from __future__ import annotations

import os
import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from engine.gpu import driver_version
from engine.planning.methods import PruningMethod
from engine.planning.plan import LLAMA_CPP, TRANSFORMERS
from engine.revision import git_revision

_PACKAGES = ("prune-tui", "torch", "transformers", "lm-eval", "datasets", "tokenizers", "duckdb", "numpy")


def provenance(device: torch.device, method: PruningMethod, engine: str = TRANSFORMERS) -> dict[str, Any]:
    """Versions (of the packages that bring the method and the engine, too), host and accelerator, as plain JSON values;
    what a machine does not have is None.
    """
    packages = [
        *_PACKAGES,
        *([method.package] if method.package else []),
        *(["cyllama"] if engine == LLAMA_CPP else []),
    ]
    return {
        "versions": {name: _version(name) for name in packages},
        "git_revision": git_revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpu": platform.processor() or platform.machine(),
        "cpu_threads": torch.get_num_threads(),
        "device": str(device),
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "driver": driver_version() if device.type == "cuda" else None,
        "gpu": _gpu(device) if device.type == "cuda" else None,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _gpu(device: torch.device) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(device)
    return {
        "name": properties.name,
        "memory_bytes": properties.total_memory,
        "count_visible": torch.cuda.device_count(),
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
    }
