"""Nothing is imported that holds nothing, and whatever is no result file is one sentence."""

from __future__ import annotations

import gzip
import json

import pytest

from warehouse.errors import UserError
from warehouse.importers import import_path, import_paths

ONE_RESULT = '"results": {"piqa": {"acc,none": %s}}, "config": {"model_args": "pretrained=org/small"}'


def written(tmp_path, text, name="results_1.json"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"date": 1e300, ' + ONE_RESULT % 0.5 + "}", "its date, 1e[+]300, is none"),
        ('{"date": -5, ' + ONE_RESULT % 0.5 + "}", "its date, -5, is none"),
        ('{"date": NaN, ' + ONE_RESULT % 0.5 + "}", "its date, nan, is none"),
        ('{"date": ' + "9" * 400 + ", " + ONE_RESULT % 0.5 + "}", "a number of 400 digits"),
        ('{"date": "yesterday", ' + ONE_RESULT % 0.5 + "}", "yesterday"),
        ("{" + ONE_RESULT % ("9" * 400) + "}", "a number of 400 digits"),
        ("{" + ONE_RESULT % ("9" * 9999) + "}", "a number of 9999 digits"),
        ("[" * 10_000 + "]" * 10_000, "nested too deeply"),
        ('{"results": ' + '{"a":' * 10_000 + "1" + "}" * 10_001, "nested too deeply"),
        ('{"n-shot": {"piqa": 1e300}, ' + ONE_RESULT % 0.5 + "}", "is no number of shots"),
        ('{"n-shot": {"piqa": "five"}, ' + ONE_RESULT % 0.5 + "}", "five is no number of shots"),
        ('{"model_name": "\\ud800", ' + ONE_RESULT % 0.5 + "}", "surrogates not allowed"),
        ('{"results": {"piqa": {"acc,none": 0.5}}, "config": []}', "nothing imported"),
        ('{"versions": 7, ' + ONE_RESULT % 0.5 + "}", "nothing imported"),
    ],
    ids=["date too late", "date before all", "no date", "long date", "date in words", "long number", "longer number",
         "nested list", "nested object", "shots too many", "shots in words", "half a character", "config", "versions"],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(database, tmp_path, text, said):
    with pytest.raises(UserError, match=rf"results_1\.json.*({said}).*nothing imported|{said}") as told:
        import_path(database, written(tmp_path, text))
    assert "\n" not in str(told.value)
    assert not database.exists()


def test_a_compressed_file_is_told_from_a_damaged_one(database, tmp_path):
    path = tmp_path / "results_1.json"
    path.write_bytes(gzip.compress(b"{}"))
    with pytest.raises(UserError, match="it is compressed: unpack it first"):
        import_path(database, path)


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ({}, "its results are empty"),
        ({"piqa": {"acc,none": None, "acc_stderr,none": None}}, "those of piqa have no values"),
        ({"piqa": {"acc,none": "N/A"}, "arc": {"alias": "arc"}}, "those of piqa, arc have no values"),
        ({"piqa": {"acc,none": True}}, "those of piqa have no values"),
        ({"piqa": {"acc": 0.5}}, r"lm-eval before 0\.4"),
    ],
)
def test_a_file_without_a_number_is_refused(database, write, results, said):
    path = write()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"results": results}))
    with pytest.raises(UserError, match=rf"results_.*no metric in it that can be read.*{said}"):
        import_path(database, path)
    assert not database.exists()


def test_in_a_folder_a_file_without_a_number_is_told_and_passed_over(database, write):
    write("results_1.json")
    empty = write("results_2.json", {"piqa": {"acc,none": None}})
    report = import_path(database, write.folder)
    assert len(report.imported) == 1
    assert [(path, "no values" in why) for path, why in report.skipped] == [(empty, True)]


def test_of_a_file_the_numbers_that_it_has_come_in(database, write, ask):
    report = import_path(
        database, write(results={"piqa": {"acc,none": None, "acc_norm,none": 0.5}, "arc": {"acc,none": None}})
    )
    assert report.stored[0].metrics == 1
    assert ask("select task, metric from current_metrics") == [("piqa", "acc_norm")]


@pytest.mark.parametrize(
    "name", ["results_1.json", "run1_2026-01-02T03-04-05.000006.json", "mine.json", "Results.JSON"]
)
def test_a_folders_results_may_have_any_name(database, write, name):
    write(f"deep/er/{name}")
    assert len(import_path(database, write.folder).imported) == 1


def test_what_else_lies_in_a_folder_is_left_alone(database, write):
    write()
    for name, text in {"config.json": "{", "tokenizer.json": "[]", "notes.csv": "a,b\n"}.items():
        (write.folder / name).write_text(text)
    report = import_path(database, write.folder)
    assert (len(report.imported), report.skipped) == (1, ())


def test_a_file_that_was_meant_to_be_results_and_is_cut_off_stops_the_import(database, write):
    write()
    (write.folder / "run1_2026-01-02T03-04-05.000007.json").write_text("{")
    with pytest.raises(UserError, match=r"run1_.*nothing imported"):
        import_path(database, write.folder)
    assert not database.exists()


def test_several_paths_come_in_together_or_not_at_all(database, write, ask):
    one, two = write("one.json"), write("two.json", {"piqa": {"acc,none": 0.5}})
    (write.folder / "three.json").write_text("{")
    with pytest.raises(UserError, match="three"):
        import_paths(database, [one, two, write.folder / "three.json"])
    assert not database.exists()
    assert len(import_paths(database, [one, two]).imported) == 2


def test_a_mark_at_the_beginning_is_no_text(database, write):
    path = write()
    path.write_text("\ufeff" + path.read_text(), encoding="utf-8")
    assert len(import_path(database, path).imported) == 1


@pytest.mark.slow
def test_an_import_of_an_earlier_version_is_read_again(database, write, ask):
    """It keeps its id and its numbers, and gets the columns that the earlier version left out."""
    path = write()
    import_path(database, path)
    earlier = ask("select run_id from runs")[0][0]
    from warehouse.store import db

    with db.open_write(database) as con:
        con.execute("update runs set plan = json_merge_patch(plan, '{\"reader\": null}'), seeds = null")
    report = import_path(database, path)
    assert report.imported == (earlier,)
    assert report.replaced == ()
    assert ask("select distinct run_id from current_metrics") == [(earlier,)]
    assert ask("select seeds from runs order by seq desc limit 1") == [("0,1234,1234,1234",)]
    assert import_path(database, path).known == (earlier,)


def test_a_file_of_the_studys_has_the_widths_that_the_study_gives(database, tmp_path, ask):
    """Its id was given before: a file that was imported by an older program must not come in twice."""
    rows = "Llama-3.2-1B,0,False,boolq,0.63\nLlama-3.2-1B-pruned-40%,40,True,boolq,0.62\n"
    import_path(database, written(tmp_path, f"model,pruning_pct,is_star,task,accuracy\n{rows}", "study.csv"))
    assert ask("select model, level, value, intermediate_size, parameters from current_metrics order by level") == [
        ("meta-llama/Llama-3.2-1B", "0", 0.63, 8192, 1235814400),
        ("meta-llama/Llama-3.2-1B", "40", 0.62, 4916, 913770496),
    ]
    assert ask("select run_id from runs") == [("study-f824f4a26af1",)]
