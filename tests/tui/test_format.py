"""How figures and times are written for a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tui import format as fmt

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1_235_814_400, "1.24B"), (3.2e9, "3.2B"), (308_000_000, "308M"), (20_480, "20.5k"), (42, "42"), (999_999, "1M")],
)
def test_a_models_size_is_told_as_the_field_does(number: float, text: str) -> None:
    assert fmt.count(number) == text


@pytest.mark.parametrize(
    ("done", "total", "told"),
    [(14, 56, "14 of 56 evaluations are done"), (0, 1, "0 of 1 evaluation is done"), (1, None, "1 evaluation is done")],
)
def test_what_is_done_agrees_with_what_there_is(done: int, total: int | None, told: str) -> None:
    assert fmt.done_of(done, total) == told


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.25113, "0.2511"),
        (11.566, "11.57"),
        (20_592.4, "20592"),
        (123_456, "123k"),
        (5.01e6, "5.01M"),
        (3.6e21, "3.6e+21"),
    ],
)
def test_a_large_perplexity_is_told_in_short(number: float, text: str) -> None:
    assert fmt.value(number) == text


@pytest.mark.parametrize(
    ("then", "text"),
    [
        (datetime(2026, 6, 15, 11, 59, 55, tzinfo=UTC), "now"),
        (datetime(2026, 6, 15, 11, 59, 15, tzinfo=UTC), "45s ago"),
        (datetime(2026, 6, 15, 11, 15, tzinfo=UTC), "45m ago"),
        (datetime(2026, 6, 14, 12, 0, tzinfo=UTC), "1d ago"),
        (datetime(2026, 5, 4, 12, 0, tzinfo=UTC), "4 May"),
        (datetime(2025, 5, 14, 12, 0, tzinfo=UTC), "May 2025"),
    ],
)
def test_a_moment_is_told_in_what_the_narrowest_column_holds(then: datetime, text: str) -> None:
    assert fmt.ago(then, NOW) == text
    assert len(text) <= 8


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ("limit 100, float32, seed 0", "first 100 documents of each task, float32, seed 0"),
        ("all documents, bfloat16", "all documents, bfloat16"),
        ("limit 0.5", "limit 0.5"),
        ('float32, system instruction "Think, limit 3"', 'float32, system instruction "Think, limit 3"'),
        (None, "conditions not known"),
    ],
)
def test_conditions_are_told_in_words(conditions: str | None, text: str) -> None:
    assert fmt.conditions_text(conditions) == text
