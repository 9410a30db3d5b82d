from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from warehouse.errors import UserError
from warehouse.exporters.export import export_deltas
from warehouse.importers import import_path, import_published
from warehouse.store import db

# Written by `lm_eval --model hf --tasks piqa,wikitext,leaderboard_musr --limit 5 --log_samples` (0.4.13) on a model of
# 260 032 parameters; long texts and all samples but PIQA's are left out.
OUTPUT = Path(__file__).parents[1] / "lm_eval_output"
RESULTS = next(OUTPUT.rglob("results_*.json"))


def near(*numbers: float) -> list:
    return [pytest.approx(number) for number in numbers]


def test_lm_eval_results_come_in_under_their_own_names(database, ask):
    report = import_path(database, RESULTS)
    assert len(report.imported) == 1
    assert ask("select model, origin, conditions, parameters, cells_done from run_overview") == [
        ("models/stories260K", "lm-eval", "limit 5, float32", 260_032, 6)
    ]
    assert ask(
        "select task, part_of, is_group, version, num_fewshot, metric, filter, value, stderr, n, higher_is_better "
        "from metrics where task in ('piqa', 'leaderboard_musr') order by task, metric"
    ) == [
        ("leaderboard_musr", None, True, None, 0, "acc_norm", "none", *near(7 / 15, 2 / 15), 15, True),
        ("piqa", None, False, "1.0", 0, "acc", "none", 0.6, pytest.approx(0.244949), 5, True),
        ("piqa", None, False, "1.0", 0, "acc_norm", "none", 0.6, pytest.approx(0.244949), 5, True),
    ]  # fmt: skip
    assert ask("select benchmark, metric, stderr from headline_metrics order by position") == [
        ("PIQA", "acc", pytest.approx(0.244949)),
        ("MuSR", "acc_norm", pytest.approx(2 / 15)),
        ("WikiText", "word_perplexity", None),
    ]


def test_lm_eval_samples_beside_the_results_come_in_too(database, ask):
    import_path(database, RESULTS)
    assert ask("select task, metric, count(*), avg(value), min(weight) from samples group by all order by 2") == [
        ("piqa", "acc", 5, 0.6, None),
        ("piqa", "acc_norm", 5, 0.6, None),
    ]
    assert ask("select distinct response::int in (0, 1) from samples") == [(True,)]


@pytest.mark.slow
def test_lm_eval_results_of_a_pruned_model_meet_their_baseline(database, tmp_path):
    import_path(database, RESULTS)
    import_path(database, RESULTS, model="models/stories260K", level=40, method="maw")
    text = str(export_deltas(database, model="stories260K"))
    assert "pruned with MAW" in text
    assert "| 40%             | 0.6000 (+0.0%) | 0.4667 (+0.0%) |" in text


def pruned_output(folder: Path, **changed: str) -> Path:
    """The fixture's output as another model would have given it: PIQA's first two documents answered wrongly."""
    shutil.copytree(RESULTS.parent, folder)
    path = next(folder.glob("samples_piqa*"))
    samples = [json.loads(line) for line in path.read_text().splitlines()]
    for sample in samples[:2]:
        sample |= {"acc": 1.0 - sample["acc"]}
    for sample in samples:
        sample |= changed
    path.write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    results = folder / RESULTS.name
    data = json.loads(results.read_text())
    data["results"]["piqa"]["acc,none"] = sum(sample["acc"] for sample in samples) / len(samples)
    results.write_text(json.dumps(data))
    return folder


@pytest.mark.slow
def test_lm_eval_samples_of_two_levels_are_compared_document_by_document(database, tmp_path, ask):
    import_path(database, OUTPUT, model="org/Tiny", method="maw")
    import_path(database, pruned_output(tmp_path / "out"), model="org/Tiny", level=40, method="maw")
    before, after = ([json.loads(line)["acc"] for line in next(folder.rglob("samples_piqa*")).read_text().splitlines()]
                     for folder in (OUTPUT, tmp_path / "out"))  # fmt: skip
    flips = [int(now - then) for then, now in zip(before, after, strict=True)]
    assert ask(
        "select stderr_kind, p_kind, pairs, lost, gained, unpaired_because from delta_statistics "
        "where task = 'piqa' and metric = 'acc'"
    ) == [("paired", "score, paired", 5, flips.count(-1), flips.count(1), None)]
    assert flips.count(-1) + flips.count(1) == 2


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["doc_hash", "prompt_hash", "target_hash"])
def test_lm_eval_samples_of_other_questions_are_not_compared(database, tmp_path, ask, changed):
    import_path(database, OUTPUT, model="org/Tiny", method="maw")
    import_path(database, pruned_output(tmp_path / "out", **{changed: "x"}), model="org/Tiny", level=40, method="maw")
    assert ask("select * from paired_deltas where task = 'piqa'") == []
    assert ask("select distinct baseline from baseline_deltas where task = 'piqa' and method = 'maw'") == [(None,)]


@pytest.mark.slow
def test_a_group_of_lm_eval_is_compared_task_by_task(database, tmp_path, ask):
    """Groups stand before their tasks in some files; and F1 comes as pairs of the right class and the chosen one."""
    written = {"alias": "t", "f1,none": 0, "acc,none": 0}
    for level, chosen in ((0, [1, 1, 0, 1]), (40, [1, 0, 0, 0])):
        folder = tmp_path / str(level)
        folder.mkdir()
        right = [1, 1, 0, 0]
        hits = [float(a == b) for a, b in zip(right, chosen, strict=True)]
        tp = sum(a * b for a, b in zip(right, chosen, strict=True))
        one = written | {"f1,none": 2 * tp / (sum(right) + sum(chosen)), "acc,none": sum(hits) / 4}
        data = {
            "results": {"both": {"acc,none": sum(hits) / 4}, "one": one, "two": one},
            "groups": {"both": {"acc,none": sum(hits) / 4}},
            "group_subtasks": {"both": ["one", "two"]},
            "higher_is_better": {name: {"f1": True, "acc": True} for name in ("both", "one", "two")},
            "config": {"model": "hf", "model_args": "pretrained=org/Tiny"},
        }
        (folder / "results_1.json").write_text(json.dumps(data))
        for task in ("one", "two"):
            lines = [
                {"doc_id": i, "filter": "none", "metrics": ["acc", "f1"], "acc": hits[i], "f1": [right[i], chosen[i]],
                 "filtered_resps": [["-1", "False"], ["-2", "False"]], "doc_hash": f"{task}{i}", "prompt_hash": "p",
                 "target_hash": str(right[i])}
                for i in range(4)
            ]  # fmt: skip
            (folder / f"samples_{task}_1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        import_path(database, folder, level=level, method="maw")
    assert ask(
        "select task, metric, stderr_kind, estimator, pairs, lost, gained from delta_statistics order by 1, 2"
    ) == [
        ("both", "acc", "paired, clustered", "mean by size", 8, 2, 2),
        ("one", "acc", "paired", "mean", 4, 1, 1),
        ("one", "f1", "bootstrap", "F1", 4, None, None),
        ("two", "acc", "paired", "mean", 4, 1, 1),
        ("two", "f1", "bootstrap", "F1", 4, None, None),
    ]


def test_rolling_samples_keep_their_weights(database, ask, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(RESULTS.parent, folder)
    written_at = RESULTS.stem.removeprefix("results_")
    sample = {
        "doc_id": 0, "filter": "none", "metrics": ["word_perplexity"], "word_perplexity": [-12.5, 10],
        "filtered_resps": ["-12.5"],
    }  # fmt: skip
    (folder / f"samples_wikitext_{written_at}.jsonl").write_text(json.dumps(sample) + "\n")
    import_path(database, folder)
    assert ask("select value, weight, response from samples where task = 'wikitext'") == [(-12.5, 10.0, None)]


@pytest.mark.parametrize("again", [RESULTS, OUTPUT], ids=["the file", "its folder"])
def test_importing_again_changes_nothing(database, ask, again):
    first = import_path(database, OUTPUT)
    second = import_path(database, again)
    assert second.imported == ()
    assert second.known == first.imported
    assert ask("select count(*) from runs") == [(1,)]


def test_nan_in_a_result_file_survives(database, ask, tmp_path):
    data = json.loads(RESULTS.read_text())
    data["results"]["piqa"]["acc,none"] = float("nan")
    file = tmp_path / "results_x.json"
    file.write_text(json.dumps(data))
    import_path(database, file)
    assert str(ask("select value from metrics where task = 'piqa' and metric = 'acc'")[0][0]) == "nan"


def test_an_older_and_leaner_result_file_is_enough(database, ask, tmp_path):
    """lm-eval 0.4.0 wrote no sample counts, directions or groups."""
    file = tmp_path / "results.json"
    file.write_text(
        json.dumps(
            {
                "results": {"piqa": {"acc,none": 0.5, "acc_stderr,none": 0.01, "alias": "piqa"}},
                "versions": {"piqa": 1.0},
                "n-shot": {"piqa": 0},
                "config": {"model": "hf", "model_args": "pretrained=org/Old,dtype=float16"},
            }
        )
    )
    import_path(database, file)
    assert ask("select model, value, stderr, n, higher_is_better from current_metrics") == [
        ("org/Old", 0.5, 0.01, None, None)
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (RESULTS.read_text()[:500], "Unterminated|Expecting|delimiter"),
        ("\x00\xff", "Expecting|decode"),
        ('{"results": {"piqa": {"acc,none": 0.5}}}', "does not say which model was measured"),
        ('{"models_evaluated": {}, "experiment_metadata": {}}', "there is no 'benchmarks'"),
    ],
    ids=["cut", "binary", "no model", "study without benchmarks"],
)
def test_a_corrupt_file_is_named_with_the_reason_and_nothing_is_imported(database, tmp_path, content, reason):
    good, bad = tmp_path / "in" / "results_1.json", tmp_path / "in" / "results_2.json"
    good.parent.mkdir()
    shutil.copy(RESULTS, good)
    bad.write_text(content)
    with pytest.raises(UserError, match=rf"results_2\.json .*({reason}).*nothing imported"):
        import_path(database, good.parent)
    assert not database.exists()


def test_a_corrupt_samples_file_is_named_with_its_line(database, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(RESULTS.parent, folder)
    samples = next(folder.glob("samples_piqa*"))
    samples.write_text(samples.read_text() + '{"doc_id": 5,')
    with pytest.raises(UserError, match=r"samples_piqa_.*line 6"):
        import_path(database, folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.json", '{"hello": 1}', "of no kind that can be imported"),
        ("notes.csv", "a,b\n1,2\n", "of no kind that can be imported"),
        ("empty.csv", "", "of no kind that can be imported"),
    ],
)
def test_a_file_that_is_something_else_is_refused(database, tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=said):
        import_path(database, tmp_path / name)


def test_a_folder_skips_what_is_something_else(database, tmp_path):
    shutil.copy(RESULTS, tmp_path / "results_1.json")
    other = tmp_path / "my_results.json"
    other.write_text('{"hello": 1}')
    report = import_path(database, tmp_path)
    assert report.skipped == ((other, "it holds no results"),)
    assert "Not results:" in str(report)


@pytest.mark.parametrize("make", [False, True])
def test_nothing_to_import_is_told(database, tmp_path, make):
    path = tmp_path / "folder"
    if make:
        path.mkdir()
    with pytest.raises(UserError, match=r"no result files|no file or folder"):
        import_path(database, path)


@pytest.mark.parametrize("level", [-1, 100])
def test_a_level_out_of_range_is_refused(database, level):
    with pytest.raises(UserError, match="outside 0–99"):
        import_path(database, RESULTS, level=level)


def test_the_studys_own_files_come_in(shared, database, ask):
    report = import_path(database, shared / "reference")
    assert len(report.imported) == 8
    assert ask("select distinct model from run_overview order by 1") == [
        ("meta-llama/Llama-3.2-1B",), ("meta-llama/Llama-3.2-1B-Instruct",), ("meta-llama/Llama-3.2-3B",),
    ]  # fmt: skip
    # The same figures twice, from JSON (with the device) and CSV (without).
    from_csv, from_json = ask(
        "select conditions, count(*), sum(value), sum(stderr) from current_metrics group by all order by 1"
    )
    assert from_csv == ("all documents", 352, pytest.approx(from_json[2]), pytest.approx(from_json[3]))
    assert from_json[:2] == ("all documents, NVIDIA L4", 352)


@pytest.mark.slow
def test_the_studys_files_hold_what_ships_with_the_program(shared, database, tmp_path, ask):
    figures = (
        "select model, pruning_pct, intermediate_size, parameters, task, num_fewshot, metric, filter, value, stderr, "
        "higher_is_better from current_metrics order by all"
    )
    speeds = "select level, workload, quantity, mean, std, min, max, n from measurements order by all"
    for file in sorted((shared / "reference").glob("*complete_results*.json")):
        import_path(database, file)
    from_files = ask(figures), ask(speeds)
    database.unlink()
    import_published(database)
    assert (ask(figures), ask(speeds)) == from_files


def test_import_waits_for_a_busy_file_only_so_long(database, held):
    with db.open_write(database):
        pass
    with held(database, "writing"), pytest.raises(UserError, match="is held open by"):
        import_path(database, RESULTS, wait=0)
