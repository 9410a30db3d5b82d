import pytest

from engine.errors import UserError
from engine.planning.suites import SUITES, TaskSpec, suite


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("piqa", TaskSpec("piqa", None)),
        ("gsm8k@5", TaskSpec("gsm8k", 5)),
        (" wikitext@0 ", TaskSpec("wikitext", 0)),
        ("mmlu_abstract_algebra@5", TaskSpec("mmlu_abstract_algebra", 5)),
    ],
)
def test_a_task_may_name_its_shots(text: str, spec: TaskSpec):
    assert TaskSpec.parse(text) == spec
    assert TaskSpec.parse(str(spec)) == spec


@pytest.mark.parametrize("text", ["", "  ", "gsm8k@", "gsm8k@five", "gsm8k@-1", "@5", "two words", "a@1@2"])
def test_what_is_no_task_is_refused(text: str):
    with pytest.raises(UserError, match="is not a task"):
        TaskSpec.parse(text)


def test_the_paper_suites_have_the_studys_benchmarks_and_shots():
    assert len(SUITES["paper"]) == 13
    assert len(SUITES["paper-instruct"]) == 7
    assert set(SUITES["paper-instruct"]) < set(SUITES["paper"])
    assert {spec.name for spec in SUITES["paper"] if spec.num_fewshot == 5} == {"mmlu", "gsm8k"}
    assert all(spec.num_fewshot in (0, 5) for spec in SUITES["paper"])


def test_the_referees_suite_is_those_of_the_papers_that_need_neither_examples_nor_generation():
    generated = {"gsm8k", "ifeval"}
    assert set(SUITES["referee"]) < set(SUITES["paper"])
    assert not generated & {spec.name for spec in SUITES["referee"]}
    assert {spec.num_fewshot for spec in SUITES["referee"]} == {0}


def test_an_unknown_suite_names_those_there_are():
    with pytest.raises(UserError, match="paper-instruct"):
        suite("papers")
