"""A trial, before anything is scored, of whether a model's sequences may be packed in trees and given our own cache.

Short and long sequences are put into one row, beyond the lengths at which the config says that something changes, and
each has to come out as by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from lm_eval.models.utils import resolve_max_length
from torch import Tensor
from transformers import PreTrainedModel

from engine.inference.decode.kv_cache import cache_sizes
from engine.inference.tree.attending import attending
from engine.inference.tree.attention import Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.packing import Packer
from engine.inference.tree.tree import Ints, Scored, TreeRow

_STEM, _BRANCH = 16, 20  # tokens
# ‖in a tree − alone‖ / ‖alone‖ of the hidden states of some tokens in a row. Float32 adds up in another order, no more;
# 16 bits round by far more than that, and still less than another function differs.
_LARGEST_GAP = {4: 1e-5, 2: 0.25}
_AT_A_TIME = 24  # tokens, so that a few that are wrong are not lost among many
# Entries of a config that tell a length at which attention or its factors may change.
_LENGTHS = re.compile(r"window|chunk|original_max_position|floor_scale|seq_?len")
_OPERATIONS = {"cuda": 1e14}  # floating-point ones that a trial of such a length may take, and elsewhere:
_FEW_OPERATIONS = 1e11


@dataclass(frozen=True, slots=True)
class Findings:
    """What came out of a trial.

    Attributes:
        problem: why sequences cannot be packed, or None.
        has_usual_cache: whether keys and values have the heads and sizes that the config tells, as our cache has.
    """

    problem: str | None
    has_usual_cache: bool = False


def probe_trees(model: PreTrainedModel, attention: Attention) -> Findings:
    """Whether tokens reach others by attention only, in a way that is known here."""
    probe: Any = model
    name = f"Models of type '{model.config.model_type}'"
    shapes: set[tuple[int, int]] = set()
    try:
        usual = cache_sizes(model)  # refuses to answer where layers have heads of several sizes
        for row in _rows(model, attention):
            on_device = DeviceRow(row, model.device, attention)
            on_device.listener = lambda _, *states: shapes.update((some.shape[1], some.shape[3]) for some in states)
            with torch.no_grad(), attending(model, on_device):
                together = probe.base_model(
                    on_device.tokens, position_ids=on_device.positions, use_cache=False
                ).last_hidden_state[0]
            if on_device.layer != usual[0]:
                return Findings(f"{name} attend {on_device.layer} times in {usual[0]} layers, not once in each")
            for path in row.paths():
                alone = _alone(model, attention, on_device.tokens[:, path], on_device.positions[:, path])
                if not _agree(together[path], alone):
                    return Findings(f"{name} let tokens have to do with each other in a way that is not known here")
    except (torch.AcceleratorError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # sinks, inputs of its own: whatever its code does otherwise
        return Findings(f"{name} do not take packed sequences ({type(error).__name__}: {str(error).splitlines()[0]})")
    return Findings(None, has_usual_cache=shapes == {usual[1:]})


@torch.no_grad()
def _alone(model: Any, attention: Attention, tokens: Tensor, positions: Tensor) -> Tensor:
    attention.lengths.reset()
    where = {"position_ids": positions} if positions[0, -1] >= positions.shape[1] else {}
    return model.base_model(tokens, use_cache=False, **where).last_hidden_state[0]


def _agree(together: Tensor, alone: Tensor) -> bool:
    limit = _LARGEST_GAP.get(alone.dtype.itemsize, 1e-5)
    for some, own in zip(together.float().split(_AT_A_TIME), alone.float().split(_AT_A_TIME), strict=True):
        if not (some - own).norm() <= limit * own.norm():
            return False
    return True


def _rows(model: PreTrainedModel, attention: Attention) -> Iterator[TreeRow]:
    rng = np.random.default_rng(0)
    embeddings: Any = model.get_input_embeddings()

    def drawn(count: int) -> Ints:
        return rng.integers(3, min(1000, embeddings.weight.shape[0]), count)

    stem = drawn(_STEM)
    sequences = [np.concatenate((stem, drawn(_BRANCH))) for _ in range(4)]
    least = max(map(len, sequences))
    longest = resolve_max_length(model.config)
    # A few more tokens than the length itself.
    lengths = [min(limit + _AT_A_TIME, longest) for limit in _limits(model) if least < limit + _AT_A_TIME]
    most = _OPERATIONS.get(model.device.type, _FEW_OPERATIONS) / (2 * model.num_parameters())
    real = [length for length in lengths if length <= most]
    if real:
        sequences += [np.concatenate((stem, drawn(max(real) - _STEM)))]
    scored = [Scored(tokens, ((at, tokens[-1:]),)) for at, tokens in enumerate(sequences)]
    yield from Packer(model, attention)(scored, 10**6)
    if len(real) < len(lengths) and not attention.lengths.matter:
        yield _with_a_far_one(Packer(model, attention)(_apart(scored[:2]), 10**6)[0], max(lengths))


def _apart(sequences: Sequence[Scored]) -> list[Scored]:
    """Two sequences with nothing in common."""
    first, second = (sequence.tokens for sequence in sequences)
    other = second[::-1].copy()
    other[0] = 4 if first[0] == 3 else 3
    return [Scored(tokens, ((at, tokens[-1:]),)) for at, tokens in enumerate((first, other))]


def _with_a_far_one(row: TreeRow, length: int) -> TreeRow:
    """The same, with the positions of the second sequence pushed to a length that would take too long to fill."""
    depth = row.depth.copy()
    start = len(row.sequences[0].tokens)
    depth[start:] += length - len(depth[start:])
    return replace(row, depth=depth)


def _limits(model: PreTrainedModel) -> list[int]:
    """The lengths at which something may change, as far as requests can be as long."""
    config = model.config.get_text_config().to_dict()
    found = {value for name, value in _entries(config) if _LENGTHS.search(name) and type(value) is int}
    return sorted(value for value in found if 0 < value < resolve_max_length(model.config))


def _entries(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        if isinstance(value, dict):
            yield from _entries(value)
        elif isinstance(name, str):
            yield name, value
