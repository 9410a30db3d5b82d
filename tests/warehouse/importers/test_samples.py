"""Documents' results beside a result file: found, read in every form that lm-eval wrote, and never another's."""

from __future__ import annotations

import json
import shutil

import pytest
from cases import one_in

from warehouse.errors import UserError
from warehouse.importers import import_path
from warehouse.records.questions import combined_hash, of_sample, questions_hash

ANSWERS = "select task, doc_id, metric, value, response::varchar from samples order by all"


def test_a_result_file_of_any_name_has_the_samples_of_its_date(database, write, choice_sample, ask):
    """`--output_path run1.json` writes run1_<date>.json and samples_<task>_<date>.jsonl: they share the date."""
    write("run1_2026-01-02T03-04-05.000006.json")
    write.samples("hellaswag", [choice_sample(i, (-1, -2), (" a", " b")) for i in range(3)])
    report = import_path(database, write.folder)
    assert [(one.metrics, one.samples) for one in report.stored] == [(1, 3)]
    assert ask("select count(*) from samples") == [(3,)]


def test_a_date_without_microseconds_is_one(database, write, choice_sample):
    date = "2026-01-02T03-04-05"
    write(f"x_{date}.json")
    write.samples("hellaswag", [choice_sample(0, (-1, -2), (" a", " b"))], date=date)
    assert import_path(database, write.folder).stored[0].samples == 1


@pytest.mark.parametrize(
    "tasks",
    one_in(2, [("数学", "语文"), ("a_b", "a/b"), ("A", "a"), ("x", "x" * 240)], single=True),
    ids=["ideographs", "slash", "case", "long"],
)
def test_samples_of_tasks_with_much_alike_names_stay_apart(database, write, choice_sample, ask, tasks):
    write(results={task: {"acc,none": 0.5} for task in tasks})
    stored = [task for task in tasks if "/" not in task and len(task) < 200]
    for right, task in enumerate(stored):
        sample = choice_sample(0, (-1, -2), (" a", " b"), acc=float(right == 0), target=str(right))
        write.samples(task, [sample])
    import_path(database, write.folder)
    assert ask("select task, value from samples order by value desc") == [
        (task, float(right == 0)) for right, task in enumerate(stored)
    ]


def test_files_of_one_name_in_two_folders_keep_their_own_samples(database, write, choice_sample, ask):
    """As two models evaluated into folders of their own with one date: their samples were swapped."""
    for model, value in (("org/one", 1.0), ("org/two", 0.0)):
        config = {"model_args": f"pretrained={model}"}
        results = {"piqa": {"acc,none": value}}
        write(f"{model}/results_2026-01-02T03-04-05.000006.json", results, config=config, model_name=model)
        write.samples(
            "piqa", [choice_sample(0, (-1, -2), (" a", " b"), acc=value, target=str(1 - int(value)))], beside=model
        )
    import_path(database, write.folder)
    assert ask("select m.model, s.value from samples s join models m using (run_id) order by all") == [
        ("org/one", 1.0), ("org/two", 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize("noise", one_in(3, ["\n", "\n  \n", "\r\n"]))
def test_blank_lines_are_no_samples(database, write, choice_sample, noise):
    write()
    path = write.samples("hellaswag", [choice_sample(0, (-1, -2), (" a", " b"))])
    path.write_text("\ufeff" + noise + path.read_text() + noise, encoding="utf-8")
    assert import_path(database, write.folder).stored[0].samples == 1


def test_samples_that_name_neither_filter_nor_metrics_are_told_by_their_order(database, write, ask):
    """Until 0.4.6: every document once for each filter, filter after filter."""
    about = {"output_type": "generate_until", "filter_list": [{"name": "strict"}, {"name": "flexible"}]}
    write(results={"gsm8k": {"exact_match,strict": 0.0, "exact_match,flexible": 1.0}}, configs={"gsm8k": about})
    samples = [
        {"doc_id": doc_id, "arguments": [["question", {"until": []}]], "filtered_resps": [answer], "exact_match": value}
        for value, answer in ((0.0, "[invalid]"), (1.0, "42"))
        for doc_id in (0, 1)
    ]
    write.samples("gsm8k", samples)
    import_path(database, write.folder)
    assert ask("select filter, avg(value), min(response->>'$'), count(*) from samples group by all order by 1") == [
        ("flexible", 1.0, "42", 2), ("strict", 0.0, "[invalid]", 2),
    ]  # fmt: skip


def test_samples_of_0_4_0_are_a_list_named_after_the_models_arguments(database, write, choice_sample):
    write("results.json", date=None)
    path = write.folder / "pretrained__org__small_hellaswag.jsonl"
    samples = [choice_sample(i, (-1, -2), (" a", " b")) for i in range(2)]
    for sample in samples:
        sample["arguments"] = [["question", " a"], ["question", " b"]]
        del sample["filter"], sample["metrics"]
    path.write_text(json.dumps(samples, indent=2))
    assert import_path(database, write.folder).stored[0].samples == 2


def test_a_sample_of_a_list_is_named_by_its_place_in_it(database, write, choice_sample):
    write("results.json", date=None)
    good = choice_sample(0, (-1, -2), (" a", " b"))
    samples = [good | {"arguments": [["question", " a"], ["question", " b"]]} for _ in range(2)]
    samples[1] |= {"doc_id": "1"}
    (write.folder / "pretrained__org__small_hellaswag.jsonl").write_text(json.dumps(samples))
    with pytest.raises(UserError, match=r"sample 2.*is no number of a document"):
        import_path(database, write.folder)


@pytest.mark.slow
def test_samples_that_come_later_are_added(database, write, choice_sample, ask):
    path = write()
    assert import_path(database, path).stored[0].samples == 0
    write.samples("hellaswag", [choice_sample(0, (-1, -2), (" a", " b"))])
    report = import_path(database, path)
    assert [(one.metrics, one.samples, one.known) for one in report.stored] == [(1, 1, False)]
    assert import_path(database, path).known == report.imported
    assert ask("select count(*) from runs") == [(1,)]
    assert ask("select count(*) from current_metrics m join samples s using (run_id, seq, task)") == [(1,)]


def test_what_was_asked_is_hashed_as_runs_of_our_own_do(database, write, choice_sample, ask):
    tasks = ("one", "two")
    results = {task: {"acc,none": 0.5} for task in (*tasks, "both")}
    write(results=results, groups={"both": results["both"]}, group_subtasks={"both": list(tasks)})
    hashes = {}
    for task in tasks:
        samples = [choice_sample(i, (-1, -2), (f" {task}", " b")) for i in range(2)]
        write.samples(task, samples)
        hashes[task] = questions_hash({sample["doc_id"]: of_sample(sample["arguments"]) for sample in samples})
    import_path(database, write.folder)
    found = dict(ask("select task, questions_hash from cells"))
    assert found == hashes | {"both": combined_hash(hashes)}
    assert None not in found.values()


def test_a_group_without_samples_of_a_part_was_asked_nobody_knows_what(database, write, choice_sample, ask):
    results = {task: {"acc,none": 0.5} for task in ("one", "two", "both")}
    write(results=results, groups={"both": results["both"]}, group_subtasks={"both": ["one", "two"]})
    write.samples("one", [choice_sample(0, (-1, -2), (" a", " b"))])
    import_path(database, write.folder)
    found = dict(ask("select task, questions_hash from cells"))
    assert (found["two"], found["both"]) == (None, None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"doc_id": 2**31}, "is no number of a document"),
        ({"doc_id": "1"}, "is no number of a document"),
        ({"filtered_resps": None}, "TypeError"),
        ({"arguments": 7}, "arguments of another form"),
        ({"acc": 10**400}, "OverflowError|too large"),
    ],
)
def test_a_sample_that_is_none_is_named_by_its_line(database, write, choice_sample, changed, said):
    write()
    good = choice_sample(0, (-1, -2), (" a", " b"))
    write.samples("hellaswag", [good, good | {"doc_id": 1} | changed])
    with pytest.raises(UserError, match=rf"line 2.*({said}).*nothing imported"):
        import_path(database, write.folder)
    assert not database.exists()


def test_a_folder_that_was_copied_keeps_its_samples(database, write, choice_sample, tmp_path, ask):
    write()
    write.samples("hellaswag", [choice_sample(0, (-1, -2), (" a", " b"))])
    shutil.copytree(write.folder, tmp_path / "copy")
    assert import_path(database, tmp_path / "copy").stored[0].samples == 1
    assert len(import_path(database, write.folder).known) == 1
    assert len(ask(ANSWERS)) == 1
