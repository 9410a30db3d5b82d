from __future__ import annotations

import csv
import io
import json
import math
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from warehouse.errors import UserError
from warehouse.exporters.export import export_deltas
from warehouse.exporters.exporter import exporter_of, exporters
from warehouse.read.runs import find_models
from warehouse.store import db


@pytest.fixture
def filled(new_run, merged, metric, database):
    """Two benchmarks at 0, 20 and 40 %, but for PIQA at 40 %, which failed."""
    run = new_run("r1")
    run.start()
    run.cell("0", "piqa", metrics=[metric("acc", 0.5, stderr=0.03), metric("acc_norm", 0.4)])
    run.cell("20", "piqa", metrics=[metric("acc", 0.6, stderr=0.04), metric("acc_norm", 0.3)])
    run.line("cell_failed", level="40", task="piqa", error="CUDA out of memory", detail="…")
    for level, value in (("0", 10.0), ("20", 12.5), ("40", math.inf)):
        run.cell(level, "wikitext", metrics=[metric("word_perplexity", value)])
    merged(run)
    return database


def rows_of(markdown: str) -> list[list[str]]:
    """Cells of every table row in a Markdown text."""
    lines = [line for line in markdown.splitlines() if line.startswith("|") and not re.fullmatch(r"[|:-]+", line)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_markdown_is_like_the_studys_tables(filled):
    text = str(export_deltas(filled, model="org/Tiny"))
    assert rows_of(text) == [
        ["Pruning %", "PIQA"],
        ["**0%** baseline", "0.5000"],
        ["20%", "0.6000 (**+20.0%**)"],
        ["40%", "–"],
        ["Pruning %", "WikiText"],
        ["**0%** baseline", "10.00"],
        ["20%", "12.50 (+25.0%)"],
        ["40%", "inf (+inf%)"],
    ]


def test_markdown_says_where_it_comes_from_and_what_is_missing(filled):
    text = str(export_deltas(filled, model="org/Tiny"))
    assert "org/Tiny, pruned with MAW" in text
    assert "Conditions: all documents, float32." in text
    assert "Run: r1." in text
    assert f"prune-tui {version('prune-tui')}" in text
    assert "Missing: PIQA (failed: CUDA out of memory) at 40%." in text


def test_below_a_table_stands_what_its_marks_mean_and_no_note_where_there_is_none(filled):
    text = str(export_deltas(filled, model="org/Tiny", significance=True))
    assert "Not tested, or not everywhere, for want of a standard error or a correction: WikiText." in text
    assert "Note:" not in text


def test_a_width_that_was_planned_and_not_reached_shows_as_missing(new_run, merged, database):
    run = new_run("r1")
    run.start()
    run.cell("0", "piqa", 0.5)
    run.cell("20", "piqa", 0.4)
    merged(run)
    text = str(export_deltas(database, model="Tiny"))
    assert rows_of(text)[-1] == ["40%", "–"]
    assert "Missing: everything at 40%." in text


def test_without_a_baseline_there_are_values_and_a_note(new_run, merged, database):
    run = new_run("r1")
    run.start(widths={"20": 80})
    run.cell("20", "piqa", 0.4)
    merged(run)
    text = str(export_deltas(database, model="Tiny"))
    assert rows_of(text) == [["Pruning %", "PIQA"], ["20%", "0.4000"]]
    assert "The unpruned model was not measured" in text


def test_odd_numbers_in_markdown(new_run, merged, database):
    cells = {
        (0.0, 0.5): "0.5000 (**n/a**)",
        (0.5, math.nan): "NaN (n/a)",
        (math.nan, 0.5): "0.5000 (n/a)",
        (0.5, 0.5): "0.5000 (+0.0%)",
    }
    run = new_run("r1")
    run.start(widths={"0": 100, "20": 80})
    for at, (baseline, value) in enumerate(cells):
        run.cell("0", f"task{at}", baseline)
        run.cell("20", f"task{at}", value)
    merged(run)
    assert rows_of(str(export_deltas(database, model="Tiny")))[-1] == ["20%", *cells.values()]


def test_names_from_elsewhere_stay_text_in_markdown(new_run, merged, database):
    run = new_run("r1")
    run.start(model="a|b`c", conditions={"system_prompt": "<b>\n| *x*"})
    run.cell("0", "task|with\nlines_ and `ticks`", 0.5)
    merged(run)
    text = str(export_deltas(database, model="a|b`c"))
    assert rows_of(text)[0] == ["Pruning %", r"task\|with lines\_ and \`ticks\`"]
    assert r"### a\|b\`c" in text
    assert r"\<b\>" in text


@pytest.mark.parametrize("wide", [True, False])
def test_names_from_elsewhere_stay_text_in_a_spreadsheet(new_run, merged, database, wide):
    run = new_run("r1")
    run.start(model="=1+1")
    run.cell("0", "@SUM(A1)\x1b[31m", -0.5)
    merged(run)
    text = str(export_deltas(database, model="=1+1", format="csv", wide=wide))
    names = [cell for line in csv.reader(io.StringIO(text)) for cell in line if "1+1" in cell or "SUM" in cell]
    assert names
    assert all(name.startswith("'") for name in names)
    assert "\x1b" not in text
    assert ",-0.5," in text or wide


def test_levels_that_are_no_percentage_are_named_as_asked_for(new_run, merged, database):
    run = new_run("r1")
    run.start(widths={"0": 100, "2.4x": 60})
    run.cell("0", "piqa", 0.5)
    run.cell("2.4x", "piqa", 0.5)
    merged(run)
    assert rows_of(str(export_deltas(database, model="Tiny")))[-1][0] == "40% (2.4x)"


def test_one_benchmark_at_two_shot_counts_has_two_columns(new_run, merged, database):
    run = new_run("r1")
    run.start(widths={"0": 100, "20": 80})
    for level in ("0", "20"):
        run.cell(level, "piqa", 0.5, num_fewshot=0)
        run.cell(level, "piqa", 0.6, num_fewshot=5)
    merged(run)
    header = rows_of(str(export_deltas(database, model="Tiny")))[0]
    assert header == ["Pruning %", "PIQA (acc, 0-shot, version 1)", "PIQA (acc, 5-shot, version 1)"]
    wide = list(csv.DictReader(io.StringIO(str(export_deltas(database, model="Tiny", format="csv", wide=True)))))
    assert wide[0]["piqa/acc/none/0"] == "0.5"
    assert wide[0]["piqa/acc/none/5"] == "0.6"


def test_csv_has_the_views_columns_first_and_the_unpruned_rows_without_a_delta(filled):
    rows = list(csv.DictReader(io.StringIO(str(export_deltas(filled, model="Tiny", format="csv")))))
    assert list(rows[0])[:11] == [
        "model", "method", "pruning_pct", "task", "metric", "value", "baseline", "delta", "delta_pct", "improved",
        "stderr",
    ]  # fmt: skip
    assert [(r["pruning_pct"], r["task"], r["value"], r["delta_pct"], r["improved"]) for r in rows] == [
        ("0.0", "piqa", "0.5", "", ""),
        ("0.0", "wikitext", "10.0", "", ""),
        ("20.0", "piqa", "0.6", rows[2]["delta_pct"], "true"),
        ("20.0", "wikitext", "12.5", "25.0", "false"),
        ("40.0", "wikitext", "inf", "inf", "false"),
    ]
    assert float(rows[2]["delta_pct"]) == pytest.approx(20.0)
    assert float(rows[2]["stderr"]) == pytest.approx(0.05)


@pytest.mark.slow
def test_all_machine_formats_hold_the_same_rows(filled):
    parquet = export_deltas(filled, model="Tiny", format="parquet")
    assert isinstance(parquet, bytes)
    frame = pl.read_parquet(io.BytesIO(parquet))
    from_csv = pl.read_csv(io.StringIO(str(export_deltas(filled, model="Tiny", format="csv"))), schema=frame.schema)
    assert from_csv.equals(frame)
    numbers = {"Infinity": math.inf}
    from_json = [
        {name: numbers.get(value, value) if isinstance(value, str) else value for name, value in row.items()}
        for row in json.loads(export_deltas(filled, model="Tiny", format="json"))
    ]
    assert from_json == frame.to_dicts()


def test_json_is_strict_json(filled):
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    rows = json.loads(export_deltas(filled, model="Tiny", format="json"), parse_constant=refuse)
    assert rows[-1]["value"] == "Infinity"


def test_wide_has_a_row_for_each_width(filled):
    rows = list(csv.DictReader(io.StringIO(str(export_deltas(filled, model="Tiny", format="csv", wide=True)))))
    assert [(r["pruning_pct"], r["piqa/acc"], r["wikitext/word_perplexity"]) for r in rows] == [
        ("0.0", "0.5", "10.0"),
        ("20.0", "0.6", "12.5"),
        ("40.0", "", "inf"),
    ]
    assert [r["wikitext/word_perplexity/delta_pct"] for r in rows] == ["", "25.0", "inf"]


def test_a_metric_by_name_replaces_the_headline(filled):
    text = str(export_deltas(filled, model="Tiny", metrics=["acc_norm"]))
    assert rows_of(text)[:3] == [["Pruning %", "PIQA"], ["**0%** baseline", "0.4000"], ["20%", "0.3000 (-25.0%)"]]


def test_a_task_by_name_leaves_the_others_out(filled):
    assert rows_of(str(export_deltas(filled, model="Tiny", tasks=["wikitext"])))[0] == ["Pruning %", "WikiText"]


def test_a_part_of_a_group_can_be_asked_for(new_run, merged, database):
    run = new_run("r1")
    run.start(widths={"0": 100})
    run.cell("0", "mmlu_law", 0.3, part_of="mmlu")
    run.cell("0", "mmlu", 0.4, is_group=True)
    merged(run)
    assert rows_of(str(export_deltas(database, model="Tiny", tasks=["mmlu_law"])))[0] == ["Pruning %", "mmlu_law"]


def test_a_model_goes_by_its_name_or_the_last_part_of_it(filled):
    with db.open_read(filled) as con:
        for name in ("org/Tiny", "Tiny", "tiny", "ORG/TINY", " org/Tiny/ "):
            assert [model.model for model in find_models(con, name)] == ["org/Tiny"]
    assert "0.5000" in str(export_deltas(filled, model=" TINY/ "))


def test_what_is_not_there_is_named_with_what_is_close(filled):
    asked: dict[str, Any]
    for asked, said in (
        ({"model": "Tinny"}, "did you mean org/Tiny?"),
        ({"model": "qwertz"}, "the database has org/Tiny"),
        ({"model": "Tiny", "method": "vow"}, "not pruned with 'vow': there is maw"),
        ({"model": "Tiny", "tasks": ["piqqa"]}, "no results of 'piqqa': there is piqa"),
        ({"model": "Tiny", "metrics": ["acc_n"]}, "no metric 'acc_n': there is acc_norm"),
    ):
        with pytest.raises(UserError, match=re.escape(said)):
            export_deltas(filled, **asked)


def test_a_last_part_that_two_models_share_is_ambiguous(new_run, merged, database):
    for run_id, model in (("r1", "one/Tiny"), ("r2", "two/Tiny")):
        run = new_run(run_id)
        run.start(model=model)
        run.cell("0", "piqa", 0.5)
        merged(run)
    with pytest.raises(UserError, match="fits 2 models: one/Tiny, two/Tiny"):
        export_deltas(database, model="tiny")


def test_one_name_with_two_sets_of_weights_gives_a_table_for_each(new_run, merged, database):
    for run_id, weights, value in (("r1", "w1", 0.5), ("r2", "w2", 0.6)):
        run = new_run(run_id)
        run.start(weights=weights, widths={"0": 100})
        run.cell("0", "piqa", value)
        merged(run)
    values = {row[1] for row in rows_of(str(export_deltas(database, model="Tiny"))) if row[0].startswith("**0%**")}
    assert values == {"0.5000", "0.6000"}


@pytest.mark.slow
def test_each_method_and_each_set_of_conditions_has_its_table(new_run, merged, database):
    for run_id, method, documents in (("r1", "maw", "5"), ("r2", "vow", "5"), ("r3", "maw", "6")):
        run = new_run(run_id)
        run.start(method=method, conditions={"documents": documents}, widths={"0": 100, "20": 80})
        run.cell("0", "piqa", 0.5)
        run.cell("20", "piqa", 0.4)
        merged(run)
    assert str(export_deltas(database, model="Tiny")).count("###") == 3
    assert str(export_deltas(database, model="Tiny", method="MAW")).count("###") == 2


def test_a_model_without_scores_yet_says_so(new_run, merged, database):
    run = new_run("r1")
    run.start()
    merged(run)
    with pytest.raises(UserError, match="no scores of org/Tiny yet"):
        export_deltas(database, model="Tiny")


def test_an_empty_database_says_how_to_fill_it(new_run, merged, database):
    merged(new_run("r1"))
    with pytest.raises(UserError, match="import published"):
        export_deltas(database, model="Tiny")


def test_a_format_is_known_by_its_name_and_by_its_files_endings():
    assert {ending: exporter_of(Path(f"t{ending}")).name for ending in ("", ".md", ".txt", ".CSV", ".json")} == {
        "": "markdown", ".md": "markdown", ".txt": "markdown", ".CSV": "csv", ".json": "json",
    }  # fmt: skip
    endings = [ending for exporter in exporters().values() for ending in exporter.suffixes]
    assert len(endings) == len(set(endings))


def test_a_format_that_there_is_not_is_refused_with_all_that_there_are(filled):
    with pytest.raises(UserError, match=r"^xls is no format that is written here: there are csv, .* and xlsx\.$"):
        export_deltas(filled, model="Tiny", format="xls")
    with pytest.raises(UserError, match=r"^\.xls is no format that is written here: say --format csv, .* or xlsx\.$"):
        exporter_of(Path("t.xls"))
