"""What each key means, on whatever screen: one table, held against every screen's bindings by a test.

A letter never means two things. A small letter and its capital are two keys.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a key does, and the actions that do it: one for each place where there is something of the kind."""

    words: str
    actions: frozenset[str]


def _means(words: str, *actions: str) -> Meaning:
    return Meaning(words, frozenset(actions))


KEYS: dict[str, Meaning] = {
    # Into a thing and out of it
    "enter": _means(
        "deeper: open, show, or take what is under the cursor",
        "select", "select_cursor", "details", "documents", "read", "look", "take", "switch", "to_list", "dismiss",
    ),
    "escape": _means(
        "back, one step", "back", "dismiss", "pop_screen", "clear", "clear_filter", "clear_marks", "cancel", "leave",
        "edit", "list", "done", "answer",
    ),
    "backspace": _means("back, one step", "back", "dismiss", "pop_screen"),
    "tab": _means("the next part of the screen", "focus_next"),
    "space": _means(
        "mark or switch what is under the cursor; of a replay, its clock", "choose", "switch", "play", "mark",
    ),
    "slash": _means("filter by words", "filter", "search"),
    "left_square_bracket": _means("one step back", "step", "seek"),
    "right_square_bracket": _means("one step on", "step", "seek"),
    "plus": _means("faster", "speed"),
    "equals_sign": _means("faster", "speed"),
    "minus": _means("slower", "speed"),
    "question_mark": _means("the keys of this screen", "help", "dismiss"),
    # Moving
    "h": _means("left", "move", "cursor_left", "step", "focus_previous"),
    "j": _means("down", "move", "cursor_down", "cursor", "scroll", "step"),
    "k": _means("up", "move", "cursor_up", "cursor", "scroll", "step"),
    "l": _means("right", "move", "cursor_right", "step", "focus_next"),
    "g": _means("to the top", "scroll_top", "to_row"),
    "G": _means("to the bottom", "scroll_bottom", "to_row"),
    # What is shown, and how
    "a": _means("all of them", "all"),
    "b": _means("on to the next pane, where there is no room for all", "pane"),
    "B": _means("what is marked, side by side", "compare"),
    "C": _means("a category of documents", "category"),
    "e": _means("the basis: what things are matched or drawn by", "basis", "across"),
    "f": _means("documents that flipped", "kind"),
    "i": _means("intervals", "intervals"),
    "m": _means("the models, methods or levels shown", "models"),
    "M": _means("the metric shown", "metric"),
    "o": _means("sort by the column at the cursor", "sort"),
    "P": _means("plot, and back from it", "plot", "pop_screen"),
    "t": _means("tests of two against each other", "pair"),
    "u": _means("the rule by which a level is called best", "rule"),
    "v": _means("the next view of the same numbers", "view", "next_view", "log"),
    "V": _means("the view before", "last_view"),
    "W": _means("the sweep whose results are shown", "sweep", "results"),
    "w": _means("why: where a number came from", "why", "dismiss"),
    # Taking along
    "s": _means("the SQL behind it, in Query", "sql"),
    "dollar_sign": _means("what each level costs: time, memory and energy", "costs", "dismiss", "pop_screen"),
    "y": _means("copy", "copy"),
    # Runs
    "n": _means("a new run", "new_run"),
    "r": _means("resume", "resume"),
    "x": _means("stop", "stop"),
    "c": _means("clone", "clone"),
    "d": _means("delete", "delete"),
    "R": _means("replay", "replay"),
    "D": _means("the demo", "demo"),
    "I": _means("import the published study", "import_study"),
    # The program
    "p": _means("pause: hold the display, or a replay", "pause", "play"),
    "q": _means("close what lies on top, or the program", "close", "dismiss"),
}  # fmt: skip

DIGITS = "123456789"
"""They lead to the screens of `tui.entries`."""

IN_A_QUESTION: dict[str, Meaning] = {
    "y": _means("yes", "answer"),
    "n": _means("no", "answer"),
    "q": _means("no", "answer"),
}
"""While a question waits for its answer, and nothing else is listened to."""
