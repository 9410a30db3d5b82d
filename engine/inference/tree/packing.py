"""How long the rows of packed trees should be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from transformers import PreTrainedModel

from engine.inference.tree.attention import Attention
from engine.inference.tree.dense_attention import visible
from engine.inference.tree.tree import Scored, TreeRow, pack

# Whatever shares a beginning with others has to look at the tile that holds it, in every layer, which costs more than
# a few tokens computed again: above all the token that all sequences begin with.
_LEAST_SHARED = 4
# Without FlexAttention long rows cost attention. These lengths are tried, and the one whose rows cost least is taken.
_DENSE_ROWS = (256, 512, 1024, 2048, 4096)
# What a CPU was seen to lose, in floating-point operations: on starting a forward pass, and on masked attention.
_PASS_COST = 1e8
_DENSE_FACTOR = 2.2


class Packer:
    """Lays sequences out for one model, in rows as long as they may be, or as long as dense masks allow."""

    def __init__(self, model: PreTrainedModel, attention: Attention) -> None:
        self._long_rows = attention.tiles
        self._lengths = attention.lengths
        config = model.config.get_text_config()
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        embeddings = model.get_input_embeddings()
        embedded = sum(parameter.numel() for parameter in embeddings.parameters())
        self._token_cost = 2 * (sum(p.numel() for p in model.base_model.parameters()) - embedded)
        self._pair_cost = 4 * _DENSE_FACTOR * config.num_hidden_layers * config.num_attention_heads * head_dim

    def __call__(self, sequences: Sequence[Scored], max_tokens: int) -> list[TreeRow]:
        """Rows of at most `max_tokens`; a longer sequence gets a row of its own.

        Sequences share a row only where the model makes no difference between their lengths.
        """
        kinds: dict[tuple[int, ...], list[Scored]] = defaultdict(list)
        for sequence in sequences:
            kinds[self._lengths.kind(len(sequence.tokens))].append(sequence)
        return [row for alike in kinds.values() for row in self._rows(alike, max_tokens)]

    def _rows(self, sequences: Sequence[Scored], max_tokens: int) -> list[TreeRow]:
        if self._long_rows:
            return pack(sequences, max_tokens, least_shared=_LEAST_SHARED)
        lengths = {min(length, max_tokens) for length in _DENSE_ROWS}
        return min((pack(sequences, length) for length in sorted(lengths)), key=self._cost)

    def _cost(self, rows: Sequence[TreeRow]) -> float:
        tokens = sum(len(row.tokens) for row in rows)
        pairs = sum(len(queries) * len(keys) for row in rows for queries, keys in visible(row.end))
        return len(rows) * _PASS_COST + tokens * self._token_cost + pairs * self._pair_cost
