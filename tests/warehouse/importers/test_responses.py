"""The answer that is stored with a metric is the one that this metric judged."""

from __future__ import annotations

import json

from warehouse.importers import import_path

# The longer choice has less likelihood as a whole and more for each character.
LIKELIHOODS = (-4.0, -6.0)
TEXTS = (" ab", " abcdefgh")


def answers(database, ask) -> dict[tuple[int, str], object]:
    rows = ask("select doc_id, metric, response from samples")
    return {(doc_id, metric): None if response is None else json.loads(response) for doc_id, metric, response in rows}


def stored(database, write, ask, samples, **fields):
    names = {metric for sample in samples for metric in sample["metrics"]}
    write(results={"task": {f"{name},none": 0.5 for name in names}}, **fields)
    write.samples("task", samples)
    import_path(database, write.folder)
    return answers(database, ask)


def test_acc_takes_the_likeliest_and_acc_norm_the_likeliest_for_its_length(database, write, choice_sample, ask):
    both = {"metrics": ["acc", "acc_norm"], "acc": 1.0, "acc_norm": 0.0}
    found = stored(database, write, ask, [choice_sample(0, LIKELIHOODS, TEXTS, **both)])
    assert found == {(0, "acc"): 0, (0, "acc_norm"): 1}


def test_acc_bytes_counts_bytes(database, write, choice_sample, ask):
    both = {"metrics": ["acc_norm", "acc_bytes"], "acc_norm": 0.0, "acc_bytes": 1.0, "target": "0"}
    found = stored(database, write, ask, [choice_sample(0, (-6.0, -2.1), (" äöü", " ab"), **both)])
    assert found == {(0, "acc_norm"): 1, (0, "acc_bytes"): 0}


def test_with_mutual_information_the_choices_come_twice(database, write, ask, choice_sample):
    """Answers 4, 5 and 6 of four choices were stored: the second half asks without the question."""
    sample = choice_sample(
        0, (-4.0, -5.0, -3.0, -9.0, -1.0, -9.0), (" a", " b", " c", " a", " b", " c"),
        metrics=["acc", "acc_mutual_info"], acc=0.0, acc_mutual_info=0.0,
    )  # fmt: skip
    for index in (3, 4, 5):
        sample["arguments"][f"gen_args_{index}"]["arg_0"] = ""
    found = stored(database, write, ask, [sample | {"target": "1"}])
    assert found == {(0, "acc"): 2, (0, "acc_mutual_info"): 2}


def test_the_delimiter_before_a_choice_is_found_by_what_scores_come_out(database, write, choice_sample, ask):
    """In a chat template there is none; these choices begin with a space of their own, which counts."""
    texts = (" a", " bcd")
    # Without the space: -2/1 against -3.2/3; with it: -2/2 against -3.2/4 (the same); -2.2 tells them apart.
    told = choice_sample(0, (-1.0, -2.2), texts, metrics=["acc_norm"], acc_norm=1.0, target="0")
    silent = choice_sample(1, (-1.0, -2.2), texts, metrics=["acc_norm"], acc_norm=0.5)
    found = stored(database, write, ask, [told, silent])
    assert found == {(0, "acc_norm"): 0, (1, "acc_norm"): 0}


def test_where_nothing_tells_the_delimiter_the_answer_is_not_known(database, write, choice_sample, ask):
    silent = choice_sample(0, (-1.0, -2.2), (" a", " bcd"), metrics=["acc_norm"], acc_norm=0.5, target="?")
    assert stored(database, write, ask, [silent]) == {(0, "acc_norm"): None}


def test_a_task_that_judges_by_rules_of_its_own_has_no_answers_of_ours(database, write, choice_sample, ask):
    against = choice_sample(0, (-1.0, -2.0), (" a", " b"), acc=0.0, target="0")
    usual = choice_sample(1, (-1.0, -2.0), (" a", " b"), acc=1.0, target="0")
    assert stored(database, write, ask, [against, usual]) == {(0, "acc"): None, (1, "acc"): None}


def test_a_target_may_be_the_text_of_a_choice(database, write, choice_sample, ask):
    found = stored(database, write, ask, [choice_sample(0, (-2.0, -1.0), (" a", " b"), acc=1.0, target="b")])
    assert found == {(0, "acc"): 1}


def test_choices_that_stand_in_the_question_have_no_length(database, write, choice_sample, ask):
    """Winogrande's choices are put into the sentence; what follows is the same for both."""
    both = {"metrics": ["acc", "acc_norm"], "acc_norm": 1.0}
    found = stored(database, write, ask, [choice_sample(0, (-1.0, -2.0), (" it fell.", " it fell."), **both)])
    assert found == {(0, "acc"): 0, (0, "acc_norm"): None}


def test_generated_text_is_stored_as_it_is(database, write, ask):
    answers = ["The answer is 42.", "42", "", "nan", "zweiundvierzig – größer"]
    samples = [
        {
            "doc_id": at, "filter": "none", "metrics": ["exact_match"], "exact_match": 1.0, "filtered_resps": [answer],
            "arguments": {"gen_args_0": {"arg_0": "6 * 7?", "arg_1": {"until": ["\n"]}}},
        }
        for at, answer in enumerate(answers)
    ]  # fmt: skip
    assert stored(database, write, ask, samples) == {(at, "exact_match"): one for at, one in enumerate(answers)}
    # To be searched in, so not as \\u00f6.
    assert ask("select response from samples order by doc_id") == [(f'"{answer}"',) for answer in answers]


def test_a_log_likelihood_is_no_text(database, write, ask):
    sample = {
        "doc_id": 0, "filter": "none", "metrics": ["word_perplexity"], "word_perplexity": [-12.5, 10],
        "filtered_resps": ["-12.5"], "arguments": {"gen_args_0": {"arg_0": "A text."}},
    }  # fmt: skip
    assert stored(database, write, ask, [sample]) == {(0, "word_perplexity"): None}


def test_whether_the_right_choice_was_greedy_is_no_choice(database, write, choice_sample, ask):
    sample = choice_sample(0, (-1.0, -2.0), (" a", " b"), metrics=["exact_match"], exact_match=0)
    assert stored(database, write, ask, [sample]) == {(0, "exact_match"): None}


def test_choices_without_the_tasks_delimiter_have_their_own_length(database, write, choice_sample, ask):
    found = stored(
        database, write, ask, [choice_sample(0, LIKELIHOODS, ("ab", "abcdefgh"), metrics=["acc_norm"], acc_norm=0.0)]
    )
    assert found == {(0, "acc_norm"): 1}
