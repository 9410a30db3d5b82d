"""The session that the README plays: what frames share is kept once, and where nothing can play it the last is seen."""

from __future__ import annotations

import re
import runpy
from xml.etree import ElementTree

import pytest

from prune_tui.ours import FOLDER

SVG = "{http://www.w3.org/2000/svg}"
FRAME = """\
<svg viewBox="0 0 10 5" xmlns="http://www.w3.org/2000/svg"><style>
    .t-{word}-r1 {{ fill: #fff }}
</style><text class="t-{word}-title" x="1" y="1">title</text>
<g transform="translate(9, 41)" clip-path="url(#t)">
<rect fill="#111" x="0" y="0" width="2" height="5"/><rect fill="#111" x="2" y="0" width="8" height="5"/>
<g><text class="t-{word}-r1" x="0" y="1" textLength="4">same</text>
<text class="t-{word}-r1" x="0" y="2" textLength="3">{word}</text></g></g></svg>"""


@pytest.fixture
def root() -> ElementTree.Element:
    film = runpy.run_path(str(FOLDER / "docs/film.py"))["Film"]()
    film.add(FRAME.format(word="one"), 1)
    film.add(FRAME.format(word="two"), 3)
    return ElementTree.fromstring(film.svg())


def test_each_frame_has_its_share_of_the_time(root: ElementTree.Element):
    assert root.attrib["viewBox"] == "0 0 10 5"
    rules = dict(re.findall(r"@keyframes (\S+) \{ (.*) \}", root.findtext(f"{SVG}style") or ""))
    visible, hidden = "{ visibility: visible; }", "{ visibility: hidden; }"
    assert list(rules.values()) == [
        f"0.000% {visible} 100% {visible}",
        f"0.000% {visible} 25.000% {hidden} 100% {hidden}",
        f"0.000% {hidden} 25.000% {visible} 100% {visible}",
    ]


def test_what_frames_share_is_kept_once_and_the_last_frame_is_seen_without_playing(root: ElementTree.Element):
    [screen] = root.findall(f"{SVG}g")
    parts = [("last" in part.attrib["class"].split(), [one.text for one in part]) for part in screen]
    assert parts == [(True, [None]), (True, ["same"]), (False, ["one"]), (True, ["two"])]
    assert [rect.attrib["width"] for rect in screen.iter(f"{SVG}rect")] == ["10.0"]
    assert {text.attrib["class"] for text in screen.iter(f"{SVG}text")} == {"l0"}


@pytest.mark.parametrize("page", ["README.md", "docs/dashboard.md"])
def test_the_session_is_shown(page: str):
    root = ElementTree.parse(FOLDER / "docs/session.svg").getroot()
    assert len(list(root.iter(f"{SVG}g"))) > 8
    assert "session.svg)" in (FOLDER / page).read_text(encoding="utf-8")
