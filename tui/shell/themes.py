"""Colours. Gains are blue and losses orange (Okabe & Ito's palette), which people who confuse red and green tell
apart; a glyph and a word always stand beside them.

Screens use the theme's variables only: `$gain`, `$loss`, `$neutral` beside Textual's own.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="dark",
    primary="#56B4E9",
    secondary="#8FA8C8",
    accent="#F0C95C",
    foreground="#D7DDE5",
    background="#10141A",
    surface="#161B23",
    panel="#1F2733",
    success="#56B4E9",
    warning="#F0C95C",
    error="#F08A3C",
    dark=True,
    variables={
        "gain": "#56B4E9",
        "loss": "#F0963C",
        "neutral": "#8A94A3",
        "footer-key-foreground": "#F0C95C",
        "block-cursor-background": "#2F4A66",
        "block-cursor-foreground": "#FFFFFF",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#26303D",
        "border": "#56B4E9",
        "border-blurred": "#2C3644",
    },
)

LIGHT = Theme(
    name="light",
    primary="#006AA6",
    secondary="#44607A",
    accent="#7A5A00",
    foreground="#1B2430",
    background="#FBFBF8",
    surface="#F2F3F0",
    panel="#E4E8EA",
    success="#006AA6",
    warning="#7A5A00",
    error="#A84500",
    dark=False,
    variables={
        "gain": "#00609A",
        "loss": "#A84500",
        "neutral": "#5C6672",
        "footer-key-foreground": "#7A5A00",
        "block-cursor-background": "#BCD9EC",
        "block-cursor-foreground": "#101820",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#DCE5EA",
        "border": "#006AA6",
        "border-blurred": "#C3CBD2",
    },
)

HIGH_CONTRAST = Theme(
    name="high contrast",
    primary="#7FD0FF",
    secondary="#FFFFFF",
    accent="#FFE14D",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#1A1A1A",
    success="#7FD0FF",
    warning="#FFE14D",
    error="#FFB000",
    dark=True,
    text_alpha=1.0,
    variables={
        "gain": "#7FD0FF",
        "loss": "#FFB000",
        "neutral": "#FFFFFF",
        "footer-key-foreground": "#FFE14D",
        "block-cursor-background": "#FFFFFF",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#3A3A3A",
        "border": "#FFFFFF",
        "border-blurred": "#8C8C8C",
        "text-muted": "#E0E0E0",
    },
)

THEMES = (DARK, LIGHT, HIGH_CONTRAST)
