"""LaTeX for papers and Excel's workbooks: several models in one table, digits and names as chosen, names stay text."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

import pytest

from warehouse.errors import UserError
from warehouse.exporters.export import export_deltas
from warehouse.exporters.latex import escape


@pytest.fixture
def two_models(new_run, merged, metric, database):
    """org/Tiny at 0 and 40 % on PIQA and WikiText, and another model on PIQA alone."""
    for run_id, model, value in (("r1", "org/Tiny", 0.6), ("r2", "=org/Half_50%", 0.25)):
        run = new_run(run_id)
        run.start(model=model)
        run.cell("0", "piqa", metrics=[metric("acc", 0.5, stderr=0.03)])
        run.cell("40", "piqa", metrics=[metric("acc", value, stderr=0.04)])
        if run_id == "r1":
            run.cell("0", "wikitext", metrics=[metric("word_perplexity", 10.0)])
            run.cell("40", "wikitext", metrics=[metric("word_perplexity", float("nan"))])
        merged(run)
    return database


def rows(text: str) -> list[list[str]]:
    return [line.removesuffix(r" \\").split(" & ") for line in text.splitlines() if line.endswith(r"\\")]


def test_latex_is_one_table_of_all_models(two_models):
    text = str(export_deltas(two_models, model=["Tiny", "=org/Half_50%"], format="latex"))
    assert rows(text) == [
        ["Model", "Pruned", "PIQA", "WikiText"],
        ["Tiny", r"0\%", "0.5000", "10.00"],
        ["", r"20\%", "--", "--"],
        ["", r"40\%", r"0.6000 (\textbf{+20.0\%})", "NaN (n/a)"],
        [r"Half\_50\%", r"0\%", "0.5000", "--"],
        ["", r"20\%", "--", "--"],
        ["", r"40\%", r"0.2500 (\textbf{$-$50.0\%})", "--"],
    ]
    assert text.count(r"\midrule") == 2
    assert r"\begin{tabular}{llrr}" in text
    assert "runs r1;" in text


def test_digits_and_names_are_chosen(two_models):
    names = {"org/Tiny": "T & Co", "PIQA": "P", "wikitext": "W"}
    text = str(export_deltas(two_models, model="Tiny", format="latex", digits=1, short=names))
    assert rows(text)[0] == ["Model", "Pruned", "P", "W"]
    assert r"T \& Co & 0\% & 0.5 & 10.0 \\" in text


@pytest.mark.parametrize("name", [r"\input{x}", "a_b^c~d", "{}$&#%", "x\n\\end{tabular}"])
def test_no_name_is_a_command(name):
    shown = escape(name)
    assert "\n" not in shown
    for known in (r"\textbackslash{}", r"\textasciicircum{}", r"\textasciitilde{}", *(f"\\{one}" for one in "{}$&#%_")):
        shown = shown.replace(known, "")
    assert not set(shown) & set("\\{}$&#%_^~")


def sheet(data: bytes) -> list[list[str | float | None]]:
    """The cells of a workbook's one sheet; a number is a float."""
    space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        texts = [
            "".join(part.itertext())
            for part in ElementTree.fromstring(book.read("xl/sharedStrings.xml")).findall("s:si", space)
        ]
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    formulas = {formula.text for formula in tree.findall(".//s:f", space)}
    assert formulas <= {"#NUM!"}  # how a number that is none is written
    found: list[list[str | float | None]] = []
    for row in tree.findall(".//s:row", space):
        cells: list[str | float | None] = []
        for cell in row.findall("s:c", space):
            value = cell.find("s:v", space)
            if value is None or value.text is None:
                cells.append(None)
            else:
                cells.append(
                    texts[int(value.text)]
                    if cell.get("t") == "s"
                    else value.text
                    if cell.get("t")
                    else float(value.text)
                )
        found.append(cells)
    return found


def test_a_workbook_has_numbers_and_plain_text(two_models):
    data = export_deltas(
        two_models, model=["Tiny", "=org/Half_50%"], format="xlsx", wide=True, digits=2, short={"piqa": "P"}
    )
    assert isinstance(data, bytes)
    header, *body = sheet(data)
    assert header[:2] == ["model", "method"]
    assert "P/acc" in header
    assert "P/acc/delta_pct" in header
    assert {row[0] for row in body} == {"org/Tiny", "=org/Half_50%"}
    assert [row[header.index("P/acc")] for row in body] == [0.5, 0.6, 0.5, 0.25]


def test_without_its_library_one_sentence_says_so(two_models, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install 'prune-tui\\[xlsx\\]'"):
        export_deltas(two_models, model="Tiny", format="xlsx")
