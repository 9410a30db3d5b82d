"""An editor for one SQL statement: highlighting, completion, and the place of an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from tui.query.completion import FUNCTIONS, KEYWORDS, Completion, complete, prefix_of
from warehouse.read.relations import Source

_WORDS = {word for phrase in KEYWORDS for word in phrase.split()} | {"by", "table", "view", "recursive", "lateral"}
_TOKEN = re.compile(
    r"(?P<comment>--.*$)|(?P<string>'(?:[^']|'')*'?)|(?P<number>\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)|(?P<word>[A-Za-z_]\w*)"
)


class SqlEditor(TextArea):
    """Keys beside TextArea's: tab takes the completion shown, ctrl+space asks for one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+@,ctrl+space", "complete", "Complete", show=False),
        Binding("ctrl+e", "screen.export", "Export", show=False, priority=True),
    ]

    class Wants(Message):
        """Completions for the word at the cursor, to be shown there; none takes them away."""

        def __init__(self, completions: list[Completion]) -> None:
            super().__init__()
            self.completions = completions

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(
            id=id,
            tab_behavior="focus",
            show_line_numbers=True,
            soft_wrap=False,
            compact=True,
            highlight_cursor_line=False,
        )
        self.sources: Mapping[str, Source] = {}
        self.popup: CompletionList | None = None
        self.fault: tuple[int, int | None] | None = None
        self.cursor_blink = False
        self._styles_of: dict[str, Style] = {}

    def on_mount(self) -> None:
        self._learn_colours()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._learn_colours())

    def _learn_colours(self) -> None:
        theme = self.app.theme_variables
        colours = {"keyword": "primary", "string": "accent", "number": "accent", "function": "secondary"}
        self._styles_of = {name: Style(color=theme[colour]) for name, colour in colours.items()}
        self._styles_of["keyword"] += Style(bold=True)
        self._styles_of["comment"] = Style(color=theme.get("neutral", "#888888"), italic=True)
        self._styles_of["fault"] = Style(underline=True, bold=True, color=theme.get("loss", "#E69F00"))
        self._line_cache.clear()
        self.refresh()

    # Highlighting

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        for match in _TOKEN.finditer(line.plain):
            kind = match.lastgroup
            if kind == "word":
                word = match[0].lower()
                kind = "keyword" if word in _WORDS else "function" if word in FUNCTIONS else ""
            if style := self._styles_of.get(kind or ""):
                line.stylize(style, match.start(), match.end())
        if self.fault is not None and self.fault[0] == line_index:
            start = self.fault[1]
            if start is None:
                line.stylize(self._styles_of["fault"])
            else:
                end = re.compile(r"\w*").match(line.plain, start)
                line.stylize(self._styles_of["fault"], start, max(end.end() if end else 0, start + 1))
        return line

    def point_at(self, line: int | None, column: int | None) -> None:
        """Mark the place of an error, counted from 1, and go there; None takes the mark away."""
        self.fault = None if line is None else (line - 1, None if column is None else column - 1)
        self._line_cache.clear()
        self.refresh()
        if line is not None:
            self.move_cursor((min(line - 1, self.document.line_count - 1), (column or 1) - 1))

    # Completion

    @property
    def _before(self) -> str:
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    def action_complete(self) -> None:
        self._suggest(forced=True)

    def on_text_area_changed(self) -> None:
        if self.fault is not None:
            self.point_at(None, None)
        self._suggest()

    def _suggest(self, *, forced: bool = False) -> None:
        before = self._before
        quoted = before.count("'") % 2 == 1 or "--" in before
        if not self.has_focus or quoted or not (forced or len(prefix_of(before)) >= 2 or before.endswith(".")):
            self.post_message(self.Wants([]))
            return
        row, column = self.cursor_location
        offset = sum(len(self.document.get_line(index)) + 1 for index in range(row)) + column
        self.post_message(self.Wants(complete(self.text, offset, self.sources)))

    def take(self, completion: Completion) -> None:
        """Put a completion in the place of the word before the cursor."""
        row, column = self.cursor_location
        start = (row, column - len(prefix_of(self._before)))
        self.replace(completion.text, start, (row, column))
        self.post_message(self.Wants([]))

    def on_key(self, event: events.Key) -> None:
        popup = self.popup
        if popup is None or not popup.display:
            return
        match event.key:
            case "down":
                popup.action_cursor_down()
            case "up":
                popup.action_cursor_up()
            case "tab":
                if popup.chosen is not None:
                    self.take(popup.chosen)
            case "escape":
                popup.display = False
            case _:
                return
        event.prevent_default()
        event.stop()

    def on_blur(self) -> None:
        if self.popup is not None:
            self.popup.display = False


class CompletionList(OptionList, can_focus=False):
    """The completions, beside the cursor of an editor."""

    DEFAULT_CSS = """
    CompletionList {
        layer: overlay; position: absolute; display: none; width: 46; height: auto; max-height: 8;
        background: $panel; border: none; padding: 0; scrollbar-size-vertical: 1;
    }
    """

    completions: tuple[Completion, ...] = ()

    @property
    def chosen(self) -> Completion | None:
        if self.highlighted is None or self.highlighted >= len(self.completions):
            return None
        return self.completions[self.highlighted]

    def offer(self, completions: list[Completion], at: Offset, size: tuple[int, int]) -> None:
        """Show completions below a place on a screen of this size, or above it where there is more room."""
        self.completions = tuple(completions)
        self.display = bool(completions)
        if not completions:
            return
        self.clear_options()
        self.add_options([Option(_line(one, self.app.theme_variables["neutral"])) for one in completions])
        self.highlighted = 0
        height = min(len(completions), 8)
        y = at.y + 1 if at.y + 1 + height <= size[1] else max(at.y - height, 0)
        self.styles.offset = (max(min(at.x, size[0] - 46), 0), y)


def _line(completion: Completion, muted: str) -> Text:
    return Text.assemble(completion.text.ljust(24), " ", (completion.detail, muted), no_wrap=True, overflow="ellipsis")
