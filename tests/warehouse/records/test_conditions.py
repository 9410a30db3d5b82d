"""What is said of the circumstances of a measurement, and what old plans tell of them."""

from __future__ import annotations

from typing import Any

import pytest

from warehouse.errors import UserError
from warehouse.records.conditions import Conditions, Seeds, documents, parse_seeds, seeds_text, short_seeds

DEFAULTS = Conditions(documents="all", dtype="float32", seeds="0,1234,1234,1234")


@pytest.mark.parametrize(
    ("told", "label"),
    [
        ({}, "all documents, float32"),
        ({"seeds": "42,42,42,42"}, "all documents, float32, seed 42"),
        ({"seeds": "1,2,3,4"}, "all documents, float32, seeds 1,2,3,4"),
        ({"documents": "100"}, "limit 100, float32"),
        ({"documents": None, "dtype": None}, ""),
        (
            {"chat_template": True, "fewshot_as_multiturn": True},
            "all documents, float32, chat template, multi-turn shots",
        ),
        ({"chat_template": False, "system_prompt": "", "quantization": "", "repair": "none"}, "all documents, float32"),
        ({"system_prompt": "Be “brief”."}, 'all documents, float32, system instruction "Be “brief”."'),
        (
            {"quantization": "load_in_4bit=True", "adapter": "a/b"},
            "all documents, float32, load_in_4bit=True, adapter a/b",
        ),
        ({"generation": '{"temperature":1}'}, 'all documents, float32, generation {"temperature":1}'),
        ({"published": True, "dtype": None}, "all documents, published"),
        ({"repair": "bias", "calibration": "c4"}, "all documents, float32, repair bias, calibrated on c4"),
    ],
)
def test_a_label_names_what_is_known_and_no_matter_of_course(told: dict[str, Any], label: str) -> None:
    assert Conditions.from_dict(DEFAULTS.to_dict() | told).label() == label


def test_plain_values_come_back_as_they_were_and_a_newer_program_may_add_some() -> None:
    one = Conditions(documents="0.1", chat_template=True, system_prompt="", published=False)
    assert Conditions.from_dict(one.to_dict() | {"sparsity": "2:4"}) == one


@pytest.mark.parametrize("wrong", [{"documents": 100}, {"chat_template": "yes"}, {"seeds": "42"}, {"published": 1}])
def test_values_of_another_type_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Conditions.from_dict(wrong)


@pytest.mark.parametrize(
    ("limit", "text"), [(None, "all"), (100, "100"), (100.0, "100"), (0.1, "0.1"), (1, "1"), (1234567.0, "1234567")]
)
def test_a_limit_has_one_spelling(limit: float | None, text: str) -> None:
    assert documents(limit) == text


@pytest.mark.parametrize(
    ("text", "seeds", "short"),
    [
        ("42", (42, 42, 42, 42), "42"),
        ("0", (0, 0, 0, 0), "0"),
        ("0,1234,1234,1234", (0, 1234, 1234, 1234), "0,1234,1234,1234"),
        (" 1, 2 ,3,4", (1, 2, 3, 4), "1,2,3,4"),
        ("7,7,7,7", (7, 7, 7, 7), "7"),
    ],
)
def test_seeds_are_read_as_lm_eval_reads_them(text: str, seeds: Seeds, short: str) -> None:
    assert parse_seeds(text) == seeds
    assert short_seeds(seeds) == short
    assert parse_seeds(short) == seeds
    assert Conditions(seeds=seeds_text(seeds)).seeds == ",".join(map(str, seeds))


@pytest.mark.parametrize("text", ["", "one", "1,2", "1,2,3,4,5", "-1", "1.5", "4294967296", "1,,2,3", "None"])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no seed: give one number for all, or four"):
        parse_seeds(text)


@pytest.mark.parametrize("text", ["42", "0,1234,1234,1234", "1,2,3,4"])
def test_lm_eval_reads_the_same(text: str) -> None:
    cli = pytest.importorskip("lm_eval._cli.utils")
    assert cli._int_or_none_list_arg_type(3, 4, "0,1234,1234,1234", text) == list(parse_seeds(text))
