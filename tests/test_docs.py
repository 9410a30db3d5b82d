"""What contributors are told: every path and symbol that is named exists, and links lead somewhere."""

from __future__ import annotations

import ast
import re
import runpy
import tomllib
from functools import cache
from pathlib import Path

import pytest

import prune_tui
from prune_tui.ours import FOLDER as ROOT

PAGES = (
    "CONTRIBUTING.md", "README.md", "docs/architecture.md", "docs/extending.md", "docs/glossary.md",
    "docs/package.md", "docs/python-api.md",
)  # fmt: skip
EVERY_PAGE = tuple(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
CODE = ("prune_tui", "tui", "engine", "warehouse", "sql")
_SUFFIXES = r"py|sql|md|tcss|toml|cff|yaml|jsonl?|txt"
# What is named and is not a file of the repository: made by a run, or another project's.
MADE = {"journal.jsonl", "plan.json", "config.json", "results.duckdb", "samples/", "worker.log"}
# Fields of transformers' models and configs, and lm-eval's own function.
OTHERS = {"lm_eval.simple_evaluate", "hf", "RUN", "UserError"}


@cache
def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def prose(page: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text(page), flags=re.MULTILINE | re.DOTALL)


@cache
def words_of_the_source() -> frozenset[str]:
    files = (path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sql"))
    return frozenset(word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8")))


@cache
def definitions(path: str) -> frozenset[str]:
    names = set()
    for node in ast.parse(text(path)).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {ast.unparse(target) for target in targets}
    return frozenset(names)


def marked(page: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(page))


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_is_named_exists(page: str):
    paths = {one for one in marked(page) if re.fullmatch(rf"[\w./-]+(\.({_SUFFIXES})|/)|docs/adr", one)} - MADE
    drawn = {path for block in re.findall(r"```mermaid.*?```", text(page), re.S) for path in _drawn(block)}
    missing = {one for one in paths | drawn if not any((ROOT / at / one).exists() for at in ("", "docs"))}
    assert not missing


def _drawn(block: str) -> list[str]:
    return re.findall(rf"\b(?:{'|'.join(CODE)})/[\w/]+\.(?:{_SUFFIXES})", block)


@pytest.mark.parametrize("page", sorted({*PAGES, "CHANGELOG.md", *EVERY_PAGE}))
def test_every_link_leads_to_a_file_of_the_repository(page: str):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    relative = {link.partition("#")[0] for link in links if not re.match(r"https?://|#", link)}
    assert not {link for link in relative if not ((ROOT / page).parent / link).exists()}


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/extending.md", "docs/glossary.md"])
def test_every_symbol_that_is_named_exists(page: str):
    names = {one for one in marked(page) if re.fullmatch(r"[A-Za-z_]\w*", one)} - OTHERS
    assert names, "no symbol is named"
    assert not {name for name in names if name not in words_of_the_source()}


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/extending.md"])
def test_a_symbol_that_is_said_to_be_in_a_file_is_defined_there(page: str):
    """`Symbol` in `path`, `Symbol` (`path`); and in a table of files, the symbols beside them."""
    said = re.findall(r"`(\w+)` (?:in\s+|\()`([\w/]+\.py)`", " ".join(prose(page).split()))
    said += [(symbol, path) for path, symbol in re.findall(r"^\| `([\w/]+\.py)` \|[^|`]*`(\w+)`", prose(page), re.M)]
    assert len(said) >= 3
    assert not {(symbol, path) for symbol, path in said if symbol not in definitions(path)}


def test_the_list_of_files_is_that_of_the_files():
    tree = runpy.run_path(str(ROOT / "docs" / "tree.py"))
    page = text("docs/architecture.md")
    assert page == tree["written"](page), "make tree brings it up to date"


def test_every_folder_of_the_repository_has_its_line():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    listed = {one.rstrip("/") for one in marked("docs/architecture.md") if re.fullmatch(r"\w+/", one)}
    assert {*CODE, "tests", "docs", "benchmarks"} <= listed & folders


def test_every_page_of_evidence_is_listed_with_a_command_that_there_is():
    page = text("docs/evidence/README.md")
    pages = {path.name for path in (ROOT / "docs" / "evidence").glob("*.md")} - {"README.md"}
    assert set(re.findall(r"^\| \[([\w-]+\.md)\]\(\1\) \|", page, re.M)) == pages
    scripts = {name.removeprefix("benchmarks/") for name in re.findall(r"[\w/]+\.py\b", page)}
    assert scripts
    assert not {name for name in scripts if not (ROOT / "benchmarks" / name).is_file()}


def test_a_package_index_can_show_its_page():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    page = text(project["readme"])
    assert all(link.startswith("https://") for link in re.findall(r"\]\(([^)]+)\)", page))
    assert "![" not in page
    assert project["authors"] == [{"name": "prune-tui developers"}]
    assert "Typing :: Typed" in project["classifiers"]
    assert (ROOT / "prune_tui" / "py.typed").exists()


def test_the_version_to_cite_is_the_version():
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert f"\nversion: {version}\n" in text("CITATION.cff")


@pytest.mark.parametrize("page", ["README.md", "docs/package.md"])
def test_python_that_is_shown_in_passing_asks_for_names_that_there_are(page: str):
    [code] = re.findall(r"^```python\n(.*?)^```", text(page), re.M | re.S)
    [asked] = [node for node in ast.parse(code).body if isinstance(node, ast.ImportFrom)]
    assert asked.module == "prune_tui"
    assert {alias.name for alias in asked.names} <= set(prune_tui.__all__)


@pytest.mark.slow
def test_what_the_readme_shows_of_python_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    [code] = re.findall(r"^```python\n(.*?)^```", text("README.md"), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "<README.md>", "exec"), {})
