"""Style sheets parsed once a process, rather than by each dashboard: that is a tenth of what a dashboard costs."""

from __future__ import annotations

from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet


def keep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all style sheets share what Textual keeps for one: rules by their text, place and variables."""
    parse = Stylesheet._parse_rules
    kept: dict[tuple[Any, ...], list[RuleSet]] = {}

    def parsed(sheet: Stylesheet, css: str, read_from: Any, *more: Any, **named: Any) -> list[RuleSet]:
        key = (tuple(sheet._variables.items()), css, read_from, more, tuple(named.items()))
        if key not in kept:
            kept[key] = parse(sheet, css, read_from, *more, **named)
        return kept[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed)
