"""Results into the database and out of it again."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from cases import one_in
from template import copied

from tui.cli.app import app
from tui.cli.guard import guarded

PAGE = Path(__file__).resolve().parents[3] / "docs" / "results.md"


@pytest.fixture
def published(shell, study):
    copied(study, shell.cwd / "results.duckdb")
    return shell


def test_importing_twice_changes_nothing(shell):
    published = shell
    first = published("import", "published")
    assert first.returncode == 0, first.stderr
    count = ("sql", "select count(*) as n from metrics", "--format", "json")
    before = published(*count).stdout
    again = published("import", "published")
    assert again.stdout.startswith("published: 0 imported")
    assert published(*count).stdout == before


def test_markdown_goes_to_standard_output_or_to_a_file(published):
    out = published("export", "deltas", "--model", "Llama-3.2-1B")
    assert out.returncode == 0, out.stderr
    assert "0.2511 (**-19.3%**)" in out.stdout
    assert "0.1811 (**+75.0%**)" in out.stdout
    assert "0.1423 (+37.5%)" in out.stdout  # within noise
    published("export", "deltas", "--model", "Llama-3.2-1B", "--format", "markdown", "-o", "deltas.md")
    assert (published.cwd / "deltas.md").read_text() == out.stdout


def test_the_end_of_a_files_name_says_the_format(published):
    table = ("export", "deltas", "--model", "Llama-3.2-1B")
    assert published(*table, "-o", "t.csv").returncode == 0
    assert (published.cwd / "t.csv").read_text() == published(*table, "--format", "csv").stdout


def test_a_file_that_exists_is_replaced_by_force_only(published):
    (published.cwd / "t.csv").write_text("mine")
    table = ("export", "deltas", "--model", "Llama-3.2-1B", "-o", "t.csv")
    refused = published(*table)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "t.csv exists already: add --force" in refused.stderr
    assert (published.cwd / "t.csv").read_text() == "mine"
    assert published(*table, "--force").returncode == 0
    assert (published.cwd / "t.csv").read_text().startswith("model,method,pruning_pct")


@pytest.fixture
def at_a_terminal(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The export of a table from a shell, by somebody who answers."""
    copied(study, tmp_path / "results.duckdb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRUNE_TUI_DB", "results.duckdb")

    def export(*more: str, answer: str = "") -> tuple[int, str]:
        terminal = io.StringIO(answer)
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr("sys.stdin", terminal)
        for stream in ("stdout", "stderr"):
            monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
        code = guarded(app, ["export", "deltas", "--model", "Llama-3.2-1B", *more])
        return code, capsys.readouterr().err

    return export


def test_parquet_is_no_text_for_a_terminal(at_a_terminal):
    code, said = at_a_terminal("--format", "parquet")
    assert code == 2
    assert "Parquet is no text for a terminal" in said


@pytest.mark.parametrize(("answer", "code", "begins"), [("y\n", 0, "model,"), ("n\n", 2, "mine"), ("\n", 2, "mine")])
def test_whoever_sits_at_a_terminal_is_asked(at_a_terminal, tmp_path: Path, answer: str, code: int, begins: str):
    (tmp_path / "t.csv").write_text("mine")
    assert at_a_terminal("-o", "t.csv", answer=answer)[0] == code
    assert (tmp_path / "t.csv").read_text().startswith(begins)


def test_the_formats_agree(published):
    def export(*more: str) -> str:
        done = published("export", "deltas", "--model", "Llama-3.2-1B", "--task", "mmlu", *more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    from_json = {row["pruning_pct"]: row["value"] for row in json.loads(export("--format", "json"))}
    from_csv = pl.read_csv(io.StringIO(export("--format", "csv")))
    export("--format", "parquet", "-o", "deltas.parquet")
    from_parquet = pl.read_parquet(published.cwd / "deltas.parquet")
    assert from_json == dict(from_csv.select("pruning_pct", "value").iter_rows())
    assert from_json == dict(from_parquet.select("pruning_pct", "value").iter_rows())
    assert len(from_json) == 7
    wide = pl.read_csv(io.StringIO(export("--format", "csv", "--wide")))
    assert dict(wide.select("pruning_pct", "mmlu/acc").iter_rows()) == from_json


def test_an_unknown_model_is_answered_with_close_names(published):
    done = published("export", "deltas", "--model", "Llama-3.2-1")
    assert done.returncode == 2
    assert "meta-llama/Llama-3.2-1B" in done.stderr


def test_sql_is_read_from_the_argument_standard_input_or_a_file(published):
    query = "select 1 as one, 'a|b' as text"
    (published.cwd / "query.sql").write_text(query)
    answers = [
        published("sql", query, "--format", "csv"),
        published("sql", "-", "--format", "csv", stdin=query),
        published("sql", "--file", "query.sql", "--format", "csv"),
    ]
    assert {answer.stdout for answer in answers} == {"one,text\n1,a|b\n"}
    assert json.loads(published("sql", query, "--format", "json").stdout) == [{"one": 1, "text": "a|b"}]
    assert "a\\|b" in published("sql", query, "--format", "markdown").stdout


def test_sql_shows_no_control_characters(published):
    done = published("sql", "select chr(27) || '[31mred' as text")
    assert "\x1b" not in done.stdout
    assert "[31mred" in done.stdout


def pages_queries() -> list[str]:
    text = PAGE.read_text(encoding="utf-8").replace("> sizes.csv", "")
    found = re.findall(r"^prune-tui (sql (?:\"[^\"]*\"|[^\"\n])*)", text, flags=re.MULTILINE)
    assert len(found) >= 4
    return found


@pytest.mark.parametrize("command", pages_queries())
def test_the_pages_queries_have_answers(published, command: str):
    done = published(*shlex.split(command))
    assert done.returncode == 0, done.stderr
    assert "Llama" in done.stdout or "method_tests" in command  # the study has one method


@pytest.mark.slow
@pytest.mark.parametrize("format_", one_in(4, ["markdown", "csv", "json", "parquet"]))
def test_a_bundle_gives_the_same_table_elsewhere(published, format_: str):
    done = published("export", "--bundle", "shared.bundle", "--model", "Llama-3.2-1B", "--model", "Llama-3.2-3B")
    assert done.returncode == 0, done.stderr
    assert re.search(r"shared\.bundle: \d runs, [\d,]+ metrics .* Fingerprint [0-9a-f]{64}\.", done.stdout)
    taken = published("import", "shared.bundle", "--db", "received.duckdb")
    assert (taken.returncode, taken.stderr) == (0, "")
    again = published("import", "shared.bundle", "--db", "received.duckdb")
    assert again.stdout.startswith("shared.bundle: 0 imported")
    for name in ("results", "received"):
        more = ("-o", f"{name}.out", "--db", f"{name}.duckdb")
        published("export", "deltas", "--model", "Llama-3.2-3B", "--format", format_, *more)
    assert (published.cwd / "received.out").read_bytes() == (published.cwd / "results.out").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export",), "Say what to export"),
        (("export", "deltas"), "Say what to export"),
        (("export", "deltas", "--bundle", "x"), "A bundle is a file of its own"),
        (("export", "--bundle", "results.duckdb", "--force"), "results.duckdb is a database, which no export replaces"),
        (("export", "deltas", "--model", "Llama-3.2-1B", "-o", "results.duckdb", "--force"), "is a database"),
        (("export", "deltas", "--model", "Llama-3.2-1B", "-o", "query.sql"), ".sql is no format that is written here"),
        (("export", "deltas", "--model", "Llama-3.2-1B", "-o", "no/where.csv"), "There is no folder no"),
        (("export", "--bundle", "no/where.bundle"), "There is no folder no"),
        (("export", "--bundle", "x", "--run", "nobody"), "There is no run 'nobody'"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(published, arguments: tuple[str, ...], said: str):
    done = published(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bundle_that_was_cut_off_is_one_sentence(published):
    published("export", "--bundle", "shared.bundle")
    whole = (published.cwd / "shared.bundle").read_bytes()
    (published.cwd / "shared.bundle").write_bytes(whole[: len(whole) // 2])
    done = published("import", "shared.bundle", "--db", "received.duckdb")
    assert done.returncode == 2
    assert "damaged or was cut off" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (published.cwd / "received.duckdb").exists()
