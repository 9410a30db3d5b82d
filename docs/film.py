"""A session as one SVG that plays its pictures: docs/pictures.py makes docs/session.svg with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

_NAMESPACE = "http://www.w3.org/2000/svg"
_SVG = f"{{{_NAMESPACE}}}"
_STYLE = """\
.screen { font: 20px Fira Code, monospace; font-variant-east-asian: full-width; }
.part { visibility: hidden; animation: %(length)gs step-end infinite; }
.last { visibility: visible; }
@media (prefers-reduced-motion: reduce) { .part { animation: none; } }
"""

Part = tuple[bool, str]
"""Whether it is text, which stands before what is no text, and its SVG."""


@dataclass(slots=True)
class Film:
    """Frames are Textual's pictures of one size, each shown for its seconds. What they have in common is kept once."""

    frames: list[tuple[str, float]] = field(default_factory=list)

    def add(self, svg: str, seconds: float) -> None:
        self.frames.append((svg, seconds))

    def svg(self) -> str:
        """Where nothing can play it, the last frame is shown.

        Raises:
            ValueError: a frame is no picture of Textual's.
        """
        looks: dict[str, str] = {}
        seen: dict[Part, list[int]] = {}
        for number, (svg, _) in enumerate(self.frames):
            for part in _parts(ElementTree.fromstring(svg), looks):
                seen.setdefault(part, []).append(number)
        groups: dict[tuple[bool, tuple[int, ...]], list[str]] = {}
        for (is_text, part), shown in seen.items():
            groups.setdefault((is_text, tuple(dict.fromkeys(shown))), []).append(part)

        ends = list(accumulate(seconds for _, seconds in self.frames))
        names = {shown: f"p{number}" for number, shown in enumerate(dict.fromkeys(shown for _, shown in groups))}
        rules = _STYLE % {"length": ends[-1]} + "".join(f".{name} {{ {look} }}\n" for look, name in looks.items())
        for shown, name in names.items():
            rules += f"@keyframes {name} {{ {_keyframes(shown, ends)} }}\n.{name} {{ animation-name: {name}; }}\n"
        last = len(self.frames) - 1
        drawn = [
            f'<g class="part {names[shown]}{" last" if last in shown else ""}">{"".join(parts)}</g>'
            for (_, shown), parts in sorted(groups.items(), key=lambda group: group[0][0])
        ]
        first = ElementTree.fromstring(self.frames[0][0])
        head = f'<svg xmlns="{_NAMESPACE}" viewBox="{first.attrib["viewBox"]}"><style>{rules}</style>'
        screen = f'<g class="screen" transform="{_screen(first).attrib["transform"]}">'
        return "\n".join([head, *_window(first), screen, *drawn, "</g>", "</svg>\n"])

    def write(self, path: Path) -> None:
        path.write_text(self.svg(), encoding="utf-8")


def _screen(frame: ElementTree.Element) -> ElementTree.Element:
    found = frame.find(f"{_SVG}g[@clip-path]")
    if found is None:
        raise ValueError("a frame is no picture of Textual's")
    return found


def _window(frame: ElementTree.Element) -> Iterator[str]:
    """What stands around the screen, which no frame changes."""
    ElementTree.register_namespace("", _NAMESPACE)
    screen = _screen(frame)
    for one in frame:
        if one is not screen and one.tag not in (f"{_SVG}style", f"{_SVG}defs"):
            if one.tag == f"{_SVG}text":
                one.attrib.pop("class")
                one.set("style", "font: bold 18px arial")
            yield ElementTree.tostring(one, encoding="unicode").strip().replace(f' xmlns="{_NAMESPACE}"', "")


def _parts(frame: ElementTree.Element, looks: dict[str, str]) -> Iterator[Part]:
    """Backgrounds, those side by side that are alike as one, and texts. `looks` names each look, and grows."""
    own: dict[str, str] = {}
    for line in "".join(one.text or "" for one in frame.iter(f"{_SVG}style")).splitlines():
        if line.lstrip().startswith(".") and line.rstrip().endswith("}"):
            selector, _, look = line.strip().removesuffix("}").partition("{")
            own[selector.strip().removeprefix(".")] = look.strip()
    screen = _screen(frame)
    before: dict[str, str] | None = None
    for rect in screen.findall(f"{_SVG}rect"):
        now = dict(rect.attrib)
        if before is not None and _joins(before, now):
            before["width"] = f"{float(before['width']) + float(now['width']):.1f}"
            continue
        if before is not None:
            yield False, _rect(before)
        before = now
    if before is not None:
        yield False, _rect(before)
    for text in screen.iter(f"{_SVG}text"):
        look = looks.setdefault(own[text.attrib["class"]], f"l{len(looks)}")
        place = " ".join(f'{name}="{text.attrib[name]}"' for name in ("x", "y", "textLength"))
        yield True, f'<text class="{look}" {place}>{escape(text.text or "")}</text>'


def _joins(left: dict[str, str], right: dict[str, str]) -> bool:
    meet = abs(float(left["x"]) + float(left["width"]) - float(right["x"])) < 0.15
    return meet and (left["fill"], left["y"]) == (right["fill"], right["y"])


def _rect(attributes: dict[str, str]) -> str:
    return "<rect " + " ".join(f'{name}="{value}"' for name, value in attributes.items()) + "/>"


def _keyframes(shown: tuple[int, ...], ends: list[float]) -> str:
    """When a part is seen that the frames of these numbers have."""
    rules, was = [], None
    for number in range(len(ends)):
        if (now := number in shown) is not was:
            begin = 100 * (ends[number - 1] if number else 0.0) / ends[-1]
            rules.append(f"{begin:.3f}% {{ visibility: {'visible' if now else 'hidden'}; }}")
        was = now
    return " ".join([*rules, f"100% {{ visibility: {'visible' if was else 'hidden'}; }}"])
