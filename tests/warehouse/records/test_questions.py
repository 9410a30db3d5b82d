"""Equal questions have equal hashes, whoever asked them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from warehouse.records.questions import combined_hash, of_requests, of_sample, questions_hash


@dataclass
class Asked:
    doc_id: int
    idx: int
    args: tuple[Any, ...]


CHOICES = [Asked(0, 0, ("Sky is", " blue")), Asked(0, 1, ("Sky is", " red")), Asked(1, 0, ("2 + 2 =", " 4"))]


def test_own_requests_and_both_forms_of_samples_agree() -> None:
    own = questions_hash(of_requests(CHOICES))
    named = {
        0: of_sample(
            {"gen_args_0": {"arg_0": "Sky is", "arg_1": " blue"}, "gen_args_1": {"arg_0": "Sky is", "arg_1": " red"}}
        ),
        1: of_sample({"gen_args_0": {"arg_0": "2 + 2 =", "arg_1": " 4"}}),
    }
    listed = {0: of_sample([["Sky is", " blue"], ["Sky is", " red"]]), 1: of_sample([["2 + 2 =", " 4"]])}
    assert own == questions_hash(named) == questions_hash(listed)


def test_the_order_in_which_requests_come_does_not_matter() -> None:
    assert questions_hash(of_requests(CHOICES)) == questions_hash(of_requests(CHOICES[::-1]))


def test_generation_settings_are_no_part_of_a_question() -> None:
    own = of_requests([Asked(0, 0, ("Once", {"until": ["."], "temperature": 0}))])
    assert questions_hash(own) == questions_hash({0: of_sample([["Once", {"until": ["\n"]}]])})


@pytest.mark.parametrize(
    "other",
    [
        [*CHOICES[:2], Asked(1, 0, ("2 + 2 =", " 5"))],
        CHOICES[:2],
        [*CHOICES[:2], Asked(2, 0, ("2 + 2 =", " 4"))],
        [Asked(0, 0, ("Sky is", " red")), Asked(0, 1, ("Sky is", " blue")), CHOICES[2]],
        [Asked(0, 0, ("Sky is blue",)), *CHOICES[1:]],
    ],
)
def test_another_text_document_or_order_of_choices_is_another_question(other: list[Asked]) -> None:
    assert questions_hash(of_requests(CHOICES)) != questions_hash(of_requests(other))


def test_more_than_ten_requests_keep_their_order() -> None:
    sample = {f"gen_args_{number}": {"arg_0": str(number)} for number in sorted(range(12), key=str)}
    assert of_sample(sample) == [[str(number)] for number in range(12)]


@pytest.mark.parametrize("arguments", [None, 7, {"other": {}}])
def test_arguments_of_another_form_are_refused(arguments: Any) -> None:
    with pytest.raises(ValueError, match=r"another form|invalid literal"):
        of_sample(arguments)


def test_nothing_asked_has_no_hash() -> None:
    assert questions_hash({}) is None


def test_a_group_is_known_when_all_of_its_parts_are() -> None:
    assert combined_hash({"a": "1", "b": "2"}) == combined_hash({"b": "2", "a": "1"})
    assert combined_hash({"a": "1", "b": "2"}) != combined_hash({"a": "2", "b": "1"})
    assert combined_hash({"a": "1", "b": None}) is None
    assert combined_hash({}) is None
