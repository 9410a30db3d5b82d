"""Text is legible in every theme: WCAG 2.1's 4.5 : 1 at level AA, on every background that it stands on."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Static

from tui.shell.themes import THEMES
from tui.widgets.palette import Palette, contrast, variable

ENOUGH = 4.5
ON = ("background", "surface", "panel")
TEXT = ("foreground", "primary", "accent", "warning", "error", "gain", "loss", "neutral")

by_theme = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)


def colours(theme: Theme) -> dict[str, str]:
    return theme.to_color_system().generate() | theme.variables


def test_the_ratio_is_that_of_wcag():
    black, white, grey = Color.parse("#000000"), Color.parse("#FFFFFF"), Color.parse("#777777")
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(white, black) == pytest.approx(21)
    assert contrast(grey, white) == pytest.approx(4.478, abs=0.001)  # the grey that just fails


@by_theme
@pytest.mark.parametrize("ground", ON)
@pytest.mark.parametrize("text", TEXT)
def test_every_text_colour_is_legible_on_every_background(theme: Theme, text: str, ground: str):
    known = colours(theme)
    assert contrast(Color.parse(known[text]), Color.parse(known[ground])) >= ENOUGH


@by_theme
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("block-cursor-foreground", "block-cursor-background"),
        ("foreground", "block-cursor-blurred-background"),
        ("footer-key-foreground", "panel"),
    ],
)
def test_cursors_and_keys_are_legible(theme: Theme, text: str, ground: str):
    known = colours(theme)
    assert contrast(Color.parse(known[text]), Color.parse(known[ground])) >= ENOUGH


@by_theme
@pytest.mark.parametrize("sign", ["▲", "△", "▼", "▽"])
def test_numbers_are_legible_on_every_shade_of_the_heat_map(theme: Theme, sign: str):
    known = colours(theme)
    palette = Palette(known["gain"], known["loss"], known["neutral"], known["background"], known["foreground"])
    for step in range(9):
        style = palette.heat(sign, step / 8)
        assert style.color is not None
        assert style.bgcolor is not None
        ratio = contrast(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
        assert ratio >= ENOUGH, f"{theme.name}, {sign} at {step}/8: {ratio:.2f}"


@by_theme
@pytest.mark.parametrize(("sign", "name"), [("▲", "gain"), ("△", "gain"), ("▼", "loss"), ("▽", "loss")])
def test_a_sign_has_the_same_hue_as_text_and_in_the_heat_map(theme: Theme, sign: str, name: str):
    known = colours(theme)
    palette = Palette(known["gain"], known["loss"], known["neutral"], known["background"], known["foreground"])
    ground = palette.heat(sign, 1.0).bgcolor
    assert variable(sign) == name
    assert ground is not None
    tint = Color.parse(known["background"]).blend(Color.parse(known[variable(sign)]), 0.8)
    assert Color.from_rich_color(ground) == Color.from_rich_color(tint.rich_color)


def test_what_is_neither_better_nor_worse_is_neutral():
    assert [variable(sign) for sign in ("≈", "–", "")] == ["neutral"] * 3


class Muted(App[None]):
    CSS = "Static { background: $panel; color: $text-muted; }"

    def compose(self) -> ComposeResult:
        yield Static("muted")


@by_theme
async def test_muted_text_is_legible(theme: Theme):
    app = Muted()
    async with app.run_test():
        app.register_theme(theme)
        app.theme = theme.name
        style = app.query_one(Static).rich_style
        assert style.color is not None
        assert style.bgcolor is not None
        assert contrast(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)) >= ENOUGH
