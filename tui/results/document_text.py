"""One document as a screen shows it: what was asked, what is right, and what two levels or methods made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tui.format import value
from warehouse.read.documents import Document, LevelAnswers, Score
from warehouse.text import one_line, printable

CHOSEN, GOLD = "◀", "✓"


@dataclass(frozen=True, slots=True)
class Side:
    """What is shown beside what: a level of a run. `label` tells it from all others, `short` in a column's width."""

    label: str
    run_id: str
    level: str
    short: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A document as one side was asked it, and what it answered."""

    side: Side
    document: Document

    @property
    def answers(self) -> LevelAnswers:
        return self.document.levels[0]

    def score(self, metric: str, filter_: str) -> Score | None:
        return next((one for one in self.answers.scores if (one.metric, one.filter) == (metric, filter_)), None)


def document_text(sides: Sequence[Answered], metric: str, filter_: str, colours: Mapping[str, str]) -> RenderableType:
    """Prompt, choices with both sides' log-likelihoods, or the texts they wrote; then every metric and filter.

    `metric` and `filter_` are those of the cell: they say which choice counts as taken.
    """
    first = sides[0].document
    parts: list[RenderableType] = []
    if len({one.document.doc_hash for one in sides}) > 1:
        parts.append(Text("Not the same question: the data set was another one in the other run.", colours["loss"]))
    parts.append(_heading("Question", colours))
    parts += [Text(printable(prompt.strip("\n"))) for prompt in first.prompts] or [Text("(no prompt)")]
    parts.append(_heading("Gold answer", colours))
    parts.append(Text(_gold(first)))
    if any(one.answers.log_likelihoods for one in sides):
        parts += [_heading("Log-likelihoods", colours), _likelihoods(sides, metric, filter_, colours)]
    if any(one.answers.texts for one in sides):
        parts += [_heading("Generated text", colours), _texts(sides)]
    parts += [_heading("Scores", colours), _scores(sides, (metric, filter_), colours)]
    return Group(*parts)


def _heading(words: str, colours: Mapping[str, str]) -> Text:
    return Text(f"\n{words}", f"bold {colours['primary']}")


def _gold(document: Document) -> str:
    target = document.target
    if target is None:
        return "none: the text itself is what is scored"
    if isinstance(target, int) and not isinstance(target, bool):
        texts = document.choices if len(set(document.choices)) > 1 else document.prompts
        return f"{target + 1}. {one_line(texts[target])}" if 0 <= target < len(texts) else str(target)
    if isinstance(target, list):
        return " · ".join(printable(str(one)) for one in target)
    return printable(str(target))


def _table(sides: Sequence[Answered], *first: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for name in first:
        table.add_column(name, overflow="fold", ratio=2)
    for one in sides:
        table.add_column(one_line(one.side.label), overflow="fold", ratio=2 if not first else 1)
    return table


def _likelihoods(sides: Sequence[Answered], metric: str, filter_: str, colours: Mapping[str, str]) -> Table:
    """A line for each choice; ✓ is the gold one, ◀ the one that a side took."""
    document = sides[0].document
    rows = max(len(one.answers.log_likelihoods) for one in sides)
    table = _table(sides, f"choice ({GOLD} gold, {CHOSEN} taken)" if rows > 1 else "continuation")
    taken = [_taken(one.score(metric, filter_)) for one in sides]
    for index in range(rows):
        gold = _is_gold(document, index)
        name = Text(f"{GOLD if gold else ' '} {index + 1}. {_choice(document, index)}", "bold" if gold else "")
        cells = []
        for one, choice in zip(sides, taken, strict=True):
            found = one.answers.log_likelihoods
            cell = Text(f"{found[index]:.3f}" if index < len(found) else "–")
            if rows > 1 and choice == index:
                cell.append(f" {CHOSEN}", colours["gain" if gold else "loss"])
            elif rows == 1 and one.answers.greedy:
                cell.append(" greedy" if one.answers.greedy[0] else " not greedy", colours["neutral"])
            cells.append(cell)
        table.add_row(name, *cells)
    return table


def _choice(document: Document, index: int) -> str:
    """A choice's text; with a prompt of its own where the choices do not tell them apart."""
    texts = document.choices
    if len(document.prompts) > 1 and len(set(texts)) < 2:
        texts = document.prompts
    return one_line(texts[index]) if index < len(texts) else "(whole text)"


def _is_gold(document: Document, index: int) -> bool:
    target = document.target
    if isinstance(target, int) and not isinstance(target, bool):
        return target == index
    wanted = target if isinstance(target, list) else [target]
    choice = document.choices[index].strip() if index < len(document.choices) else None
    return len(document.choices) > 1 and choice in [str(one).strip() for one in wanted]


def _taken(score: Score | None) -> int | None:
    found = None if score is None or score.response is None else answer(score.response)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _texts(sides: Sequence[Answered]) -> Table:
    table = _table(sides)
    for row in zip_longest(*(one.answers.texts for one in sides)):
        table.add_row(*(Text("–" if text is None else printable(text) or "(nothing)") for text in row))
    return table


def _scores(sides: Sequence[Answered], shown: tuple[str, str], colours: Mapping[str, str]) -> Table:
    """A line for each metric and filter: the score, and what the filter left of the answer."""
    table = _table(sides, "metric, filter")
    for metric, filter_ in dict.fromkeys(_named(sides)):
        name = metric if filter_ == "none" else f"{metric}, {filter_}"
        cells = [_score(one.score(metric, filter_), colours) for one in sides]
        table.add_row(Text(name, "bold" if (metric, filter_) == shown else ""), *cells)
    return table


def _named(sides: Sequence[Answered]) -> Iterator[tuple[str, str]]:
    for one in sides:
        yield from ((score.metric, score.filter) for score in one.answers.scores)


def _score(score: Score | None, colours: Mapping[str, str]) -> Text:
    if score is None:
        return Text("–")
    text = Text("–" if score.value is None else value(score.value))
    found = None if score.response is None else answer(score.response)
    if isinstance(found, int) and not isinstance(found, bool):
        text.append(f"  took {found + 1}", colours["neutral"])
    elif found is not None:
        text.append(f"  “{one_line(str(found))}”", colours["neutral"])
    return text


def answer(response: str) -> Any:
    """A response as it is kept is JSON; of a file of strangers, whatever it says."""
    try:
        return json.loads(response)
    except ValueError:
        return response
