"""The session that the README plays: whole frames one after another, the last one where nothing can play them."""

from __future__ import annotations

import re
import runpy
from xml.etree import ElementTree

import pytest

from prune_tui.ours import FOLDER

SVG = "{http://www.w3.org/2000/svg}"
FRAME = '<svg class="rich-terminal" viewBox="0 0 10 5" xmlns="http://www.w3.org/2000/svg"><text>{}</text></svg>'


def test_each_frame_has_its_share_of_the_time():
    film = runpy.run_path(str(FOLDER / "docs/film.py"))["Film"]()
    film.add(FRAME.format("one"), 1)
    film.add(FRAME.format("two"), 3)
    root = ElementTree.fromstring(film.svg())
    assert root.attrib["viewBox"] == "0 0 10 5"
    assert [frame.findtext(f"{SVG}text") for frame in root.findall(f"{SVG}g")] == ["one", "two"]
    rules = dict(re.findall(r"@keyframes (\S+) \{ (.*) \}", root.findtext(f"{SVG}style") or ""))
    assert rules == {
        "frame-0": "0.000% { visibility: visible; } 25.000% { visibility: hidden; }",
        "frame-1": "0% { visibility: hidden; } 25.000% { visibility: visible; } 100.000% { visibility: hidden; }",
    }


@pytest.mark.parametrize("page", ["README.md", "docs/dashboard.md"])
def test_the_session_is_shown(page: str):
    root = ElementTree.parse(FOLDER / "docs/session.svg").getroot()
    assert len(root.findall(f"{SVG}g")) > 8
    assert "session.svg)" in (FOLDER / page).read_text(encoding="utf-8")
