"""A model's sizes at any width of its MLPs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from warehouse.errors import UserError
from warehouse.records.level import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSizes:
    """`intermediate_size` is the full width. `parameters` counts tied weights once, those of the full width;
    `parameters_per_neuron` are those that one neuron less in every layer saves.
    """

    hidden_size: int
    intermediate_size: int
    parameters: int
    parameters_per_neuron: int

    def width(self, level: Level, divisor: int | None = None) -> int:
        """The exact width a level means here; errors as `Level.intermediate_size`."""
        return level.intermediate_size(self.intermediate_size, self.hidden_size, divisor)

    def widths(self, levels: Iterable[Level], divisor: int | None = None) -> list[int]:
        """The widths of a run's levels.

        Raises:
            UserError: two levels mean the same; or as `Level.intermediate_size`.
        """
        meant: dict[int, Level] = {}
        for level in levels:
            width = self.width(level, divisor)
            if width in meant:
                raise UserError(
                    f"Levels {meant[width]} and {level} both mean {width} neurons a layer: keep one of them."
                )
            meant[width] = level
        return list(meant)

    def parameters_at(self, width: int) -> int:
        return self.parameters - (self.intermediate_size - width) * self.parameters_per_neuron

    def bytes_at(self, width: int, itemsize: int) -> int:
        """Size of the weights, `itemsize` bytes each."""
        return self.parameters_at(width) * itemsize

    def expansion_ratio(self, width: int) -> float:
        return width / self.hidden_size


def expansion_ratio(width: int | None, hidden_size: int | None) -> float | None:
    """intermediate_size / hidden_size, of a model of which little more is known."""
    return width / hidden_size if width and hidden_size else None
