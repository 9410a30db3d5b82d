"""A session as one SVG that plays its pictures: docs/pictures.py makes docs/session.svg with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

_OPENING = re.compile(r"<svg[^>]*?viewBox=\"(?P<box>[^\"]+)\"[^>]*>")
_STYLE = """\
.frame { visibility: hidden; animation: %(length)gs step-end infinite; }
.frame:last-of-type { visibility: visible; }
@media (prefers-reduced-motion: reduce) { .frame { animation: none; } }
"""


@dataclass(slots=True)
class Film:
    """Frames are whole SVGs of one size, each shown for its seconds."""

    frames: list[tuple[str, float]] = field(default_factory=list)

    def add(self, svg: str, seconds: float) -> None:
        self.frames.append((svg, seconds))

    def svg(self) -> str:
        """Where nothing can play it, the last frame is shown."""
        ends = list(accumulate(seconds for _, seconds in self.frames))
        opening = _OPENING.search(self.frames[0][0])
        if opening is None:
            raise ValueError("a frame is no SVG")
        rules, parts = _STYLE % {"length": ends[-1]}, []
        for number, ((frame, seconds), end) in enumerate(zip(self.frames, ends, strict=True)):
            begin, until = (100 * at / ends[-1] for at in (end - seconds, end))
            shown = f"{begin:.3f}% {{ visibility: visible; }} {until:.3f}% {{ visibility: hidden; }}"
            before = "0% { visibility: hidden; } " if number else ""
            rules += f"@keyframes frame-{number} {{ {before}{shown} }}\n"
            rules += f".frame-{number} {{ animation-name: frame-{number}; }}\n"
            inner = _OPENING.sub("", frame, count=1).rpartition("</svg>")[0]
            parts.append(f'<g class="frame frame-{number}">{inner}</g>')
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{opening["box"]}"><style>{rules}</style>'
        return "\n".join([head, *parts, "</svg>\n"])

    def write(self, path: Path) -> None:
        path.write_text(self.svg(), encoding="utf-8")
