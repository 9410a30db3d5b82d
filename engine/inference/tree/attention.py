"""How the rows of a model's packed trees are attended to."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.inference.lengths import NO_MATTER, Lengths
from engine.inference.tree.flex_attention import FlexAttention
from engine.inference.tree.path_attention import suits_paths
from engine.inference.tree.tree import TreeRow
from engine.overrides.kernels import PLAIN, Overrides

_NO_WINDOW = 2**62  # tokens


@dataclass(frozen=True, slots=True)
class Attention:
    """How the rows of one model are attended to.

    Attributes:
        tiles: by FlexAttention, for which long rows cost no more than short ones; otherwise masked densely. Where paths
            are taken, it is compiled for the first row that they do not suit, and given up if that does not work.
        windows: the sliding windows of its layers; None is to see everything before. Known with `tiles` only.
        by_paths: path by path, where that sees the same and the paths are not too many.
        lengths: which sequences may share a row.
        overrides: what computes parts of its passes in the place of plain torch.
        flex: FlexAttention as compiled for this model.
    """

    tiles: bool
    windows: frozenset[int | None] = frozenset()
    by_paths: bool = False
    lengths: Lengths = NO_MATTER
    overrides: Overrides = PLAIN
    flex: FlexAttention = field(default_factory=FlexAttention, compare=False)

    @property
    def still_tiles(self) -> bool:
        """Whether rows are attended to by tiles, as far as that is known by now."""
        return self.tiles and self.flex.problem is None

    def takes_paths(self, row: TreeRow) -> bool:
        return self.by_paths and suits_paths(row, min(window or _NO_WINDOW for window in self.windows))


DENSE = Attention(tiles=False)
