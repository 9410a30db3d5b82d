"""The colours of cells: blends of the theme's gain and loss with its background, the text on them always legible."""

from __future__ import annotations

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

_VARIABLES = {"▲": "gain", "△": "gain", "▼": "loss", "▽": "loss"}
# White or black: on any colour one of the two has a ratio of 4.58 at least.
_INKS = (Color.parse("#FFFFFF"), Color.parse("#000000"))


def variable(sign: str) -> str:
    """The theme's colour that a change with this sign is written in."""
    return _VARIABLES.get(sign, "neutral")


class Palette:
    """The styles of one theme."""

    def __init__(self, gain: str, loss: str, neutral: str, background: str, foreground: str) -> None:
        colours = {"gain": Color.parse(gain), "loss": Color.parse(loss)}
        self._colours = {sign: colours[name] for sign, name in _VARIABLES.items()}
        self._background = Color.parse(background)
        self.neutral = Style(color=Color.parse(neutral).rich_color)
        self.plain = Style(color=Color.parse(foreground).rich_color)
        self._known: dict[tuple[str, int], Style] = {}

    @classmethod
    def of(cls, widget: Widget) -> Palette:
        theme = widget.app.theme_variables
        return cls(theme["gain"], theme["loss"], theme["neutral"], theme["background"], theme["foreground"])

    def heat(self, sign: str, strength: float) -> Style:
        """`strength` from 0 to 1: from a tint of the background to the colour itself."""
        if sign not in self._colours:
            return self.neutral
        step = round(min(max(strength, 0.0), 1.0) * 8)
        if (sign, step) not in self._known:
            colour = self._background.blend(self._colours[sign], 0.12 + 0.68 * step / 8)
            text = max(_INKS, key=lambda ink: contrast(ink, colour))
            self._known[sign, step] = Style(color=text.rich_color, bgcolor=colour.rich_color)
        return self._known[sign, step]


def contrast(a: Color, b: Color) -> float:
    """The contrast ratio of WCAG 2.1, from 1 to 21; 4.5 is what text needs at level AA."""
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    """WCAG's relative luminance of an sRGB colour."""
    parts = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized)
    return sum(part * share for part, share in zip(parts, (0.2126, 0.7152, 0.0722), strict=True))
