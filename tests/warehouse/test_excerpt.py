"""A long text is kept short: its ends stay, what is left out is counted, and no secret is cut in two."""

from __future__ import annotations

import pytest

from warehouse.excerpt import SHORTEST, excerpts, without_beginning, without_note

SECRET = "hf_" + "Ab1" * 12


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert excerpts([("Wo wohnt der Bär?\n\t熊", 64), ("", 64)]) == ["Wo wohnt der Bär?\n\t熊", ""]


@pytest.mark.parametrize("length", [SHORTEST + 1, 4 * SHORTEST, 4 * SHORTEST + 1, 3_000_000])
def test_the_middle_of_a_longer_one_is_left_out_and_counted(length: int) -> None:
    text = "".join(chr(ord("a") + at % 26) for at in range(length))
    [kept] = excerpts([(text, SHORTEST)])
    head, said, tail = kept[: kept.index("[")], kept[kept.index("[") : kept.index("]") + 1], kept[kept.index("]") + 1 :]
    assert len(kept) <= SHORTEST
    assert text.startswith(head)
    assert text.endswith(tail)
    assert min(len(head), len(tail)) >= 10
    assert said == f"[… {length - len(head) - len(tail):,} characters left out …]"


@pytest.mark.parametrize("at", range(0, 1000, 97))
def test_a_secret_is_hidden_before_anything_is_cut(at: int) -> None:
    text = "x " * at + SECRET + " y" * (1000 - at)
    for most in (SHORTEST, 600, 5000):
        [kept] = excerpts([(text, most)])
        assert "Ab1" not in kept
        assert len(kept) <= most


def test_half_a_character_is_replaced() -> None:
    assert excerpts([("a\ud83db 🐻", 64)]) == ["a\N{REPLACEMENT CHARACTER}b 🐻"]


def test_what_is_left_out_before_is_counted_too() -> None:
    assert without_beginning("12345 Q: why?", 6) == "[… 6 characters left out …]\nQ: why?"
    assert without_beginning("Q: why?", 0) == "Q: why?"


def test_a_line_that_has_no_room_for_it_does_without_what_is_said_of_the_beginning() -> None:
    assert without_note(without_beginning("x" * 1234 + "Who?", 1234)) == "Who?"
    assert without_note("Who [… 3 characters left out …]?") == "Who [… 3 characters left out …]?"
