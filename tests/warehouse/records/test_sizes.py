"""Widths that a run's levels mean for a model."""

from __future__ import annotations

import pytest

from warehouse.errors import UserError
from warehouse.records.level import parse_levels
from warehouse.records.sizes import ModelSizes

SIZES = ModelSizes(hidden_size=10, intermediate_size=40, parameters=1000, parameters_per_neuron=10)


def test_each_level_has_its_width() -> None:
    assert SIZES.widths(parse_levels("0,50,w30")) == [40, 20, 30]


def test_two_levels_of_one_width_are_refused() -> None:
    with pytest.raises(UserError, match="Levels 50 and 2x both mean 20 neurons a layer"):
        SIZES.widths(parse_levels("0,50,2x"))
