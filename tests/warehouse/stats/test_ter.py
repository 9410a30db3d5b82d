"""The rate of edits from its two sums, at the edges."""

from __future__ import annotations

import numpy as np
import pytest

from warehouse.stats.metrics.ter import ter


@pytest.mark.parametrize(
    ("edits", "words", "rate"),
    [(1, 4, 25.0), (2, 1, 200.0), (0, 1, 0.0), (0.5, 0.5, 100.0), (0, 0, 0.0), (0.5, 0, 100.0), (3, 0, 100.0)],
)
def test_edits_by_words_of_the_references_and_all_wrong_where_there_are_none(
    edits: float, words: float, rate: float
) -> None:
    assert ter(np.array([edits, words])) == rate


def test_each_row_of_sums_has_its_rate() -> None:
    assert ter(np.array([[1.0, 4.0], [1.0, 0.0], [0.0, 0.0]])).tolist() == [25.0, 100.0, 0.0]
