"""Sending what was laid out on the CPU to the device."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def sent(array: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    """The array as a tensor on the device, sent in turn with what a GPU was given to do before.

    From usual memory CUDA would wait for all of that, and the GPU, which then has nothing to do, for what comes next.
    """
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
