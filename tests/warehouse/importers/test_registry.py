"""Kinds of files come by one door: ours by their modules, others' by entry points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packages import Packages

from warehouse.errors import UserError
from warehouse.importers import import_path
from warehouse.importers.importer import Source
from warehouse.importers.registry import importer_of, importers, listed, transfer_of

PAGE = Path(__file__).parents[3] / "docs" / "imports.md"
ENTRY = "[prune_tui.importers]\nledger = ledger_importer:LEDGER\n"
MODULE = """
from warehouse.importers.importer import Importer, NoResults
LEDGER = Importer(
    name="ledger", title="", suffixes=(".ledger",),
    recognise=lambda source: source.text.startswith("ledger"), read=lambda source, _: NoResults("it is empty"),
)
"""


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    packages = Packages(tmp_path / "others", monkeypatch)
    yield packages
    packages.forget()


def ledger(folder: Path) -> Path:
    path = folder / "may.ledger"
    path.write_text("ledger\n")
    return path


def test_each_kind_of_ours_stands_in_the_manual():
    rows = re.findall(r"^\| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert {kind.name for kind in listed()} == {row.partition(" (")[0] for row in rows} - {"written by"}


def test_another_packages_importer_is_listed_from_its_metadata(others):
    others.add("prune-tui-ledger", {"ledger_importer.py": MODULE}, ENTRY, "Ledgers of any year")
    [found] = [kind for kind in listed() if kind.package is not None]
    assert (found.name, found.title, found.package) == ("ledger", "Ledgers of any year", "prune-tui-ledger 1.0")
    assert others.loaded() == set()


def test_another_packages_importer_is_asked_for_files_with_its_ending(others, database, tmp_path):
    others.add("prune-tui-ledger", {"ledger_importer.py": MODULE}, ENTRY)
    with pytest.raises(UserError, match=r"Nothing imported.*may.ledger: it is empty"):
        import_path(database, ledger(tmp_path))
    assert others.loaded() == {"ledger_importer"}


def test_a_folder_is_searched_for_it_too(others, database, tmp_path):
    others.add("prune-tui-ledger", {"ledger_importer.py": MODULE}, ENTRY)
    (tmp_path / "deep").mkdir()
    ledger(tmp_path / "deep")
    with pytest.raises(UserError, match=r"may.ledger: it is empty"):
        import_path(database, tmp_path / "deep")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("import nothing_of_this_name", "cannot be loaded .ModuleNotFoundError"),
        ("LEDGER = 1 / 0", "cannot be loaded .ZeroDivisionError"),
        ("", "cannot be loaded .AttributeError"),
        ("LEDGER = 'Importer'", "is str, not Importer"),
    ],
)
def test_one_that_cannot_be_loaded_is_told_with_its_package(others, database, tmp_path, module, said):
    others.add("prune-tui-ledger", {"ledger_importer.py": module}, ENTRY)
    with pytest.raises(UserError, match=rf"ledger, which the package prune-tui-ledger 1.0 brings.*{said}.*uninstall"):
        import_path(database, ledger(tmp_path))


@pytest.mark.parametrize(("name", "whose"), [("bundle", "this program's"), ("ledger", "another-ledger")])
def test_no_two_importers_have_one_name(others, name, whose):
    entry = ENTRY.replace("ledger =", f"{name} =")
    others.add("prune-tui-ledger", {"ledger_importer.py": MODULE}, entry)
    others.add("another-ledger", {}, ENTRY)
    with pytest.raises(UserError, match=rf"brings an importer '{name}', and there is one of {whose}"):
        importers()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.json", '{"results": {"piqa": {"acc,none": 1}}}', "lm-eval 0.4"),
        ("a.json", '{"results": {"piqa": {"acc": 1}}, "config": {"model_args": "", "num_fewshot": 0}}', "lm-eval 0.3"),
        ("a.json", '{"results": {"harness|piqa|0": {"acc": 1}}, "config_general": {}}', "first Open LLM Leaderboard"),
        ("a.json", '{"models_evaluated": {}, "experiment_metadata": {}}', "the study's JSON"),
        ("a.csv", "model,pruning_pct,is_star,task,acc\n", "the study's CSV"),
        ("a", "model,pruning_pct,is_star,task,acc\n", "the study's CSV"),
        ("a.json", "[1, 2]", None),
        ("a.csv", '{"results": {}}', None),
    ],
)
def test_what_a_file_is_its_content_says(tmp_path, name, content, kind):
    (tmp_path / name).write_text(content)
    source = Source(tmp_path / name)
    assert sum(importer.recognise(source) for importer in importers()) <= 1
    found = importer_of(source, importers())
    assert (found and found.name) == kind


def test_the_study_that_ships_is_asked_for_by_its_word_alone():
    found = transfer_of(Source("published"))
    assert found is not None
    assert found.name == "published"
    assert transfer_of(Source("./published")) is None
