"""The site has every page, links lead somewhere in it, and the pages that are written by scripts are up to date.

mkdocs is not needed for any of it; `make site` builds the site, and takes a warning for an error.
"""

from __future__ import annotations

import re
import runpy
import sys
from dataclasses import fields
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from engine.planning.plan import RunPlan
from engine.settings import SETTINGS
from prune_tui.ours import FOLDER as ROOT
from warehouse.records import events

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))


class _AnyTag(yaml.SafeLoader):
    """mkdocs.yml names functions of Python, which nothing here calls."""


_AnyTag.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


@cache
def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """docs/site_pages.py, where mkdocs is not installed as well."""
    files = ModuleType("mkdocs.structure.files")
    vars(files).update(File=object, Files=object)
    monkeypatch.setitem(sys.modules, "mkdocs.structure.files", files)
    return SimpleNamespace(**runpy.run_path(str(DOCS / "site_pages.py")))


def entries(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [page for one in (nav.values() if isinstance(nav, dict) else nav) for page in entries(one)]


def test_the_site_lists_every_page_once(site: SimpleNamespace):
    listed = entries(yaml.load(text("mkdocs.yml"), _AnyTag)["nav"])
    assert sorted(listed) == sorted([*(page.removeprefix("docs/") for page in PAGES), *site.ABOVE.values()])


@pytest.mark.parametrize(
    ("source", "link", "there"),
    [
        ("README.md", "[demo](docs/demo.md)", "[demo](demo.md)"),
        ("README.md", "![table](docs/delta-table.svg)", "![table](delta-table.svg)"),
        ("README.md", "[evidence](docs/evidence/)", "[evidence](evidence/README.md)"),
        ("docs/architecture.md", "[C](../CONTRIBUTING.md#how)", "[C](contributing.md#how)"),
        ("docs/how-to/upgrade.md", "[changelog](../../CHANGELOG.md)", "[changelog](../changelog.md)"),
        ("docs/testing.md", "[data](../tests/data/README.md)", "data"),
        ("docs/testing.md", "[a](https://b.c/d#e)", "[a](https://b.c/d#e)"),
        ("docs/testing.md", "[here](#data)", "[here](#data)"),
    ],
)
def test_links_are_as_they_are_in_the_site(site: SimpleNamespace, source: str, link: str, there: str):
    assert site.linked(link, source) == there


@cache
def anchors(page: str) -> frozenset[str]:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text(page), flags=re.M | re.S), re.M)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return frozenset(re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading)) for heading in plain)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_a_link_into_a_page_names_a_heading_of_it(page: str):
    links = re.findall(r"\]\(((?!\w+:)[^)\s#]*)#([^)\s]+)\)", text(page))
    lost = set()
    for to, anchor in links:
        target = (ROOT / page).parent / to if to else ROOT / page
        if anchor not in anchors(target.resolve().relative_to(ROOT).as_posix()):
            lost.add(f"{to}#{anchor}")
    assert not lost


@pytest.mark.parametrize("name", ["options", "schema"])
def test_a_page_that_a_script_writes_is_up_to_date(name: str):
    script = runpy.run_path(str(DOCS / f"{name}.py"))
    assert text(f"docs/{name}.md") == script["page"](), "make reference brings it up to date"


def test_the_formats_of_a_run_are_told_in_full():
    page = text("docs/file-formats.md")
    said = set(re.findall(r"`([\w.]+)`", page))
    assert {field.name for field in fields(RunPlan)} <= said
    assert {*events._KINDS} <= said


def test_every_variable_of_ours_is_told():
    assert all(f"`{one.variable}`" in text("docs/command-line.md") for one in SETTINGS)


def test_troubles_are_headed_by_what_the_program_says():
    troubles = text("docs/faq.md").partition("## Troubles")[2].partition("## What cannot")[0]
    said = [heading for heading in re.findall(r"^### (.+)$", troubles, re.M) if heading[0].islower()]
    folders = ("engine", "warehouse", "tui")
    source = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in (ROOT / folder).rglob("*.py"))
    assert len(said) >= 5
    assert not [heading for heading in said if heading not in source]
