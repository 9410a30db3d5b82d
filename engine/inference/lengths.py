"""Rotary factors that follow the length of a pass, so that sequences of one pass have to be of one kind.

Phi-3's and Phi-4's LongRoPE turns all positions of a pass by one set of factors up to a length, and by another set
beyond it; dynamic NTK has a set for each length. Who shares a pass with a longer sequence would be turned as that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel

_FIXED = "default"  # transformers then leaves the factors as they are


class Lengths:
    """Which sequences may share a pass of a model, by their length, and the factors that a length has by itself."""

    def __init__(self, rotaries: Sequence[Any] = ()) -> None:
        self._rotaries = list(rotaries)
        self._limits = [limit for rotary in self._rotaries for limit in _limits(rotary)]
        self._known: dict[tuple[int, ...], list[dict[str, Any]]] = {}

    @classmethod
    def of(cls, model: PreTrainedModel) -> Lengths:
        return cls([module for module in model.modules() if any(_follows(kind) for _, kind in _kinds(module))])

    @property
    def matter(self) -> bool:
        return bool(self._rotaries)

    def kind(self, length: int) -> tuple[int, ...]:
        """Equal for lengths that may share a pass."""
        return tuple(0 if length <= limit else length if is_dynamic else 1 for limit, is_dynamic in self._limits)

    @contextmanager
    def pinned(self, length: int) -> Iterator[None]:
        """Inside the block factors are those of a sequence of `length` tokens by itself, whatever a pass holds.

        All blocks of one kind have the same tensors, which nothing else writes to: CUDA graphs read them again.
        """
        kind = self.kind(length)
        if kind not in self._known:
            self._known[kind] = [_factors(rotary, length) for rotary in self._rotaries]
        known = list(zip(self._rotaries, self._known[kind], strict=True))
        usual = [(rotary, {name: getattr(rotary, name) for name in factors}) for rotary, factors in known]
        try:
            for rotary, factors in known:
                _set(rotary, factors)
            yield
        finally:
            for rotary, factors in usual:
                _set(rotary, factors)

    def reset(self) -> None:
        """Have the next pass find the factors as the first one did: dynamic ones stay with the longest so far."""
        for rotary in self._rotaries:
            for layer_type, _ in _kinds(rotary):
                _forget(rotary, _prefix(layer_type))


NO_MATTER = Lengths()


def _kinds(module: Any) -> list[tuple[str | None, str]]:
    """The kinds of factors of a rotary embedding; Gemma 3 and others have some for each type of layer."""
    kind = getattr(module, "rope_type", None)
    if isinstance(kind, str):
        return [(None, kind)] if hasattr(module, "inv_freq") else []
    return list(kind.items()) if isinstance(kind, dict) else []


def _follows(kind: str) -> bool:
    return "dynamic" in kind or kind == "longrope"


def _limits(rotary: Any) -> list[tuple[int, bool]]:
    """The lengths up to which its factors are the usual ones, and whether they change with every token beyond."""
    found: list[tuple[int, bool]] = []
    for layer_type, kind in _kinds(rotary):
        if kind == "longrope":
            parameters = rotary.config.rope_parameters
            parameters = parameters if layer_type is None else parameters[layer_type]
            found.append((int(parameters["original_max_position_embeddings"]), False))
        elif "dynamic" in kind:
            found.append((int(rotary.original_max_seq_len), True))
    return found


def _factors(rotary: Any, length: int) -> dict[str, Any]:
    """What a rotary embedding has to hold to turn every pass as one of `length` tokens."""
    kinds = _kinds(rotary)
    by_type = kinds[0][0] is not None
    made: dict[str, Any] = {"rope_type": dict.fromkeys((name for name, _ in kinds), _FIXED) if by_type else _FIXED}
    for layer_type, kind in kinds:
        if not _follows(kind):
            continue
        prefix = _prefix(layer_type)
        _forget(rotary, prefix)
        device = getattr(rotary, f"{prefix}inv_freq").device
        last = torch.full((1, 1), length - 1, device=device)
        rotary(torch.zeros(1, 1, 1, device=device), last, *([layer_type] if by_type else []))
        # A copy: some versions of transformers write the next pass's factors into theirs, others put new ones there.
        made[f"{prefix}inv_freq"] = getattr(rotary, f"{prefix}inv_freq").clone()
        _forget(rotary, prefix)
    return made


def _set(rotary: Any, factors: dict[str, Any]) -> None:
    for name, value in factors.items():
        setattr(rotary, name, value)


def _prefix(layer_type: str | None) -> str:
    return "" if layer_type is None else f"{layer_type}_"


def _forget(rotary: Any, prefix: str) -> None:
    original = getattr(rotary, "original_max_seq_len", None)
    cached = getattr(rotary, f"{prefix}max_seq_len_cached", original)
    if original is not None and cached > original:
        setattr(rotary, f"{prefix}max_seq_len_cached", original)
        usual = getattr(rotary, f"{prefix}original_inv_freq")
        setattr(rotary, f"{prefix}inv_freq", usual.to(getattr(rotary, f"{prefix}inv_freq").device))
    # Early versions of transformers 5 trip over a layer type's long factors when they are known already.
    vars(rotary).pop(f"{prefix}long_inv_freq", None)
