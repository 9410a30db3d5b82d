"""Plans from before conditions were columns, in a journal or in a file of an earlier schema."""

from __future__ import annotations

import pytest

from warehouse.records.before_columns import conditions_before
from warehouse.records.conditions import Conditions


def of_plan(plan: dict, dtype: str) -> Conditions:
    conditions, sentence = conditions_before(plan, dtype, "run", "limit 1, in words")
    assert sentence is None  # the plan says all of it
    return conditions


def test_an_old_plan_drew_its_seed_added_to_each_of_lm_evals() -> None:
    plan = {
        "limit": 50.0,
        "seed": 3,
        "apply_chat_template": True,
        "system_instruction": "Hi",
        "fewshot_as_multiturn": False,
    }
    told = of_plan(plan, "bfloat16")
    assert told.seeds == "3,1237,1237,1237"
    assert told.label() == 'limit 50, bfloat16, seeds 3,1237,1237,1237, chat template, system instruction "Hi"'
    assert told.chat_template_hash is None


def test_an_old_plan_without_a_seed_of_its_own_had_lm_evals() -> None:
    told = of_plan({"limit": None, "seed": 0, "apply_chat_template": False}, "float32")
    assert told.label() == "all documents, float32"
    assert (told.adapter, told.quantization, told.repair, told.published) == ("", "", "none", False)


@pytest.mark.parametrize("origin", ["published", "study"])
def test_figures_of_a_paper_are_published_and_keep_their_sentence(origin: str) -> None:
    told = conditions_before({"name": "p"}, None, origin, "all documents, NVIDIA L4")
    assert told == (Conditions(published=True), "all documents, NVIDIA L4")


def test_the_sentence_of_an_old_import_is_taken_apart() -> None:
    sentence = 'limit 100, float32, seed 7, chat template, system instruction "Think, then answer"'
    conditions, left = conditions_before({"name": "lm-eval x"}, None, "lm-eval", sentence)
    assert left is None
    assert (conditions.documents, conditions.dtype, conditions.seeds) == ("100", "float32", "7,7,7,7")
    assert (conditions.chat_template, conditions.system_prompt) == (True, "Think, then answer")


@pytest.mark.parametrize("sentence", [None, "", "whatever the weather", "all documents, float32", "limit many, seed 0"])
def test_a_sentence_of_other_words_is_kept_as_it_is(sentence: str | None) -> None:
    assert conditions_before({"name": "x"}, "float32", "lm-eval", sentence) == (Conditions(dtype="float32"), sentence)
