"""Models, methods and levels side by side: one table, the unpruned model once, what columns share in no title."""

from __future__ import annotations

import csv
import io

import pytest

from warehouse.errors import UserError
from warehouse.exporters.export import export_deltas


@pytest.fixture
def methods(new_run, merged, metric, database):
    """org/Tiny at 0, 20 and 40 % by two methods, whose runs measured the same unpruned model."""
    for method, loss in (("maw", 0.1), ("obs", 0.05)):
        run = new_run(f"run-{method}")
        run.start(model="org/Tiny", method=method)
        run.cell("0", "piqa", metrics=[metric("acc", 0.8, stderr=0.01)])
        run.cell("20", "piqa", metrics=[metric("acc", 0.8 - loss, stderr=0.01)])
        run.cell("40", "piqa", metrics=[metric("acc", 0.8 - 4 * loss, stderr=0.01)])
        merged(run)
    return database


@pytest.fixture
def models(new_run, merged, metric, database):
    """Two models at 0 and 40 %, one of them on WikiText, too."""
    for model, value in (("org/Tiny", 0.6), ("org/Half_50%", 0.25)):
        run = new_run(f"run-{value}")
        run.start(model=model)
        run.cell("0", "piqa", metrics=[metric("acc", 0.5, stderr=0.01)])
        run.cell("40", "piqa", metrics=[metric("acc", value, stderr=0.01)])
        if value == 0.6:
            run.cell("40", "wikitext", metrics=[metric("word_perplexity", 10.0)])
        merged(run)
    return database


def side_by_side(database, *models: str, **asked) -> str:
    return str(export_deltas(database, model=models, side_by_side=True, **asked))


def table(markdown: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("|") and not line.startswith("|--")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_methods_of_a_model_stand_beside_its_unpruned_column(methods):
    text = side_by_side(methods, "Tiny")
    assert table(text) == [
        ["Benchmark", "Metric", "unpruned", "MAW 20%", "MAW 40%", "OBS 20%", "OBS 40%"],
        ["PIQA", "acc", "0.8000", "0.7000 (**-12.5%**)", "0.4000 (**-50.0%**)", "0.7500 (**-6.3%**)",
         "0.6000 (**-25.0%**)"],
    ]  # fmt: skip
    assert "run-maw" in text
    assert "run-obs" in text


def test_models_stand_beside_each_other_with_what_one_of_them_lacks(models):
    header, piqa, wikitext = table(side_by_side(models, "Tiny", "org/Half_50%"))
    assert header[2:] == ["Half_50% unpruned", "Half_50% 40%", "Tiny unpruned", "Tiny 40%"]
    assert piqa[2:] == ["0.5000", "0.2500 (**-50.0%**)", "0.5000", "0.6000 (**+20.0%**)"]
    assert wikitext[2:] == ["–", "–", "–", "10.00"]


def test_latex_has_the_groups_over_their_levels(methods):
    lines = side_by_side(methods, "Tiny", format="latex").splitlines()
    begin = lines.index(r"\toprule")
    assert lines[begin - 1] == r"\begin{tabular}{lrrrrr}"
    assert lines[begin + 1 : begin + 4] == [
        r" & \multicolumn{1}{c}{} & \multicolumn{2}{c}{MAW} & \multicolumn{2}{c}{OBS} \\",
        r"\cmidrule(lr){2-2} \cmidrule(lr){3-4} \cmidrule(lr){5-6}",
        r"Benchmark & unpruned & 20\% & 40\% & 20\% & 40\% \\",
    ]
    assert lines[begin + 5].startswith(r"PIQA & 0.8000 & 0.7000 (\textbf{$-$12.5\%})")


def test_csv_has_each_value_and_its_change_with_all_digits(methods):
    [row] = csv.DictReader(io.StringIO(side_by_side(methods, "Tiny", format="csv")))
    assert (row["benchmark"], float(row["unpruned"]), float(row["OBS 40%"])) == ("PIQA", 0.8, pytest.approx(0.6))
    assert float(row["OBS 40% change in %"]) == pytest.approx(-25)


def test_levels_are_chosen_and_one_that_is_not_there_is_named(methods):
    assert table(side_by_side(methods, "Tiny", levels=["40%"]))[0][2:] == ["unpruned", "MAW 40%", "OBS 40%"]
    with pytest.raises(UserError, match="was not pruned at '45': there is 20, 40"):
        side_by_side(methods, "Tiny", levels=["45"])


def test_a_layout_that_a_format_does_not_have_is_refused(methods):
    with pytest.raises(UserError, match="choose one of csv, latex, markdown"):
        side_by_side(methods, "Tiny", format="json")
    with pytest.raises(UserError, match="leave one of them away"):
        side_by_side(methods, "Tiny", wide=True)


def test_marks_of_significance_are_explained(methods):
    text = side_by_side(methods, "Tiny", significance=True)
    assert r"(**-25.0%**\*)" in text
    assert "after Holm's correction over the headline benchmarks of its level" in text
