"""What the console takes and answers at the most, without a process of its own."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from warehouse.console import console, process
from warehouse.errors import UserError


class Long:
    """As long as it says, and of nothing."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length


def test_an_answer_may_be_256_megabytes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    for length in (1, 256 << 20):
        whole = Long(length)
        monkeypatch.setattr(process, "_pickled", lambda _, whole=whole: whole)
        assert process._packed(()) is whole
    for length in (0, (256 << 20) + 1):
        monkeypatch.setattr(process, "_pickled", lambda _, length=length: Long(length))
        assert pickle.loads(process._packed(())) == (
            "error", "The answer is larger than 256 MB: ask for fewer rows or columns, or for sums.",
        )  # fmt: skip


def test_a_statement_may_be_a_megabyte_long(tmp_path: Path) -> None:
    """By its bytes; what is not longer gets as far as to the database, which is not there."""
    for letter in ("x", "ä"):
        most = (1 << 20) // len(letter.encode())
        with pytest.raises(UserError, match="There is no database"):
            console.run_sql(tmp_path / "none.duckdb", letter * most)
        with pytest.raises(UserError, match="The statement is longer than 1 MB: nothing"):
            console.run_sql(tmp_path / "none.duckdb", letter * (most + 1))


@pytest.mark.parametrize(
    ("code", "told"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "SIGKILL"), (-1, "SIGHUP"), (-200, "signal 200")]
)
def test_how_a_process_ended_is_told(code: int, told: str) -> None:
    assert console._ending(code) == told
