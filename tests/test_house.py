"""One concept, one place: what each thing is called, where it is defined, and that no second one has appeared.

A detector looks at a module's syntax tree for what makes such a thing: not its name, which a second one would not
share. Each is shown a second one here, so that it is known to see it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import import_module
from operator import attrgetter

import pytest
from detectors import (
    EVENTS,
    Finder,
    Module,
    changes,
    directions,
    event_parsers,
    folds,
    grids,
    headlines,
    level_readers,
    line_readers,
    modules,
    record_makers,
    run_lookups,
    short_names,
    size_arithmetic,
)


@dataclass(frozen=True)
class Concept:
    """Where a thing is defined, how another one is seen, and such a second one. `also` are modules that may, and why;
    a module that has none of `hints` in its text is not looked at.
    """

    name: str
    home: str
    finds: Finder
    hints: str
    second: str
    also: dict[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        return self.home.partition(":")[0]


CONCEPTS = (
    Concept(
        "parse an event",
        "warehouse.records.events:parse_line",
        event_parsers,
        r"json\.load|seq|crc",
        "import json\ndef last(journal):\n    return json.loads(journal.read_text().splitlines()[-1])['kind']",
    ),
    Concept(
        "read a journal",
        "warehouse.store.journal:read",
        line_readers,
        r"parse_(line|event|data)",
        "def events(path):\n    return [parse_line(line) for line in path.open('rb')]",
        also={
            "warehouse.records.events": "reads one line",
            "warehouse.store.journal_lines": "finds one line again, by its number",
            "warehouse.merging.journal_sync": "holds one line against the one that was merged",
            "warehouse.importers.batch": "an import's facts become the events that a run would have written",
        },
    ),
    Concept(
        "fold a run",
        "warehouse.records.run_state:RunHistory.take",
        folds,
        rf"\b({'|'.join(EVENTS)})\b|of_kind|[\"'.]kind\b",
        "class Tracker:\n"
        "    def feed(self, event):\n"
        "        match event.data:\n"
        "            case Attempt():\n"
        "                self.state = 'running'\n"
        "            case CellFacts() as cell:\n"
        "                self.done += 1\n"
        "            case Finished() | Stopped():\n"
        "                self.state = 'over'\n",
        also={"warehouse.records.events": "the table of all kinds"},
    ),
    Concept(
        "level grammar",
        "warehouse.records.level:Level.parse",
        level_readers,
        r"\bre\.|strip\(|remove|isde|isdi|isnum",
        "import re\n_LEVEL = re.compile(r'(\\d+)\\s*%|([\\d.]+)x|w(\\d+)')",
    ),
    Concept(
        "model sizes",
        "warehouse.records.sizes:ModelSizes",
        size_arithmetic,
        r"hidden|per_neuron",
        "def ratio(config, width):\n    return width / config.hidden_size",
        also={"warehouse.records.level": "a ratio is asked for in terms of the hidden size"},
    ),
    Concept(
        "short model name",
        "warehouse.records.names:short_name",
        short_names,
        r"split\(|partition\(",
        "def tail(model):\n    return model.split('/')[-1]",
    ),
    Concept(
        "run lookup",
        "warehouse.records.names:runs_called",
        run_lookups,
        r"startswith",
        "def find(runs, text):\n    return next(run for run in runs if run.run_id.startswith(text))",
        also={
            "tui.runs.runs_screen": "a filter, whose words may be of anything in a run's line",
            "tui.cli.completion": "what a shell may go on with: all that begins so, by id and by name",
        },
    ),
    Concept(
        "row of a query under its columns' names",
        "warehouse.store.answers:records",
        record_makers,
        r"zip",
        "def rows(con):\n"
        "    names = [column[0] for column in con.description]\n"
        "    return [{name: value for name, value in zip(names, row)} for row in con.fetchall()]",
    ),
    Concept(
        "grid of benchmark × level",
        "warehouse.read.grid:Grid",
        grids,
        r"cells|grid|matrix|pruning_pct",
        "class Table:\n    cells: dict[tuple[str, str], float]",
        also={
            "warehouse.read.run_grid": "fills one in as a run goes",
        },
    ),
    Concept(
        "change against the baseline",
        "warehouse.read.grid:change",
        changes,
        r"100",
        "def pct(value, baseline):\n    return 100 * (value - baseline) / abs(baseline)",
    ),
    Concept(
        "direction of a metric",
        "warehouse.read.grid:is_better",
        directions,
        r"higher_is_better",
        "def better(delta, metric):\n    return (delta > 0) == metric.higher_is_better",
    ),
    Concept(
        "metric that stands for a task",
        "warehouse.read.headlines:Headlines",
        headlines,
        r"strict-match",
        "def main(metrics):\n    return min(metrics, key=lambda one: one.filter != 'strict-match')",
    ),
)
SECONDS = {
    "events by their JSON": (
        event_parsers,
        "def kind(line):\n    told = json.loads(line)\n    return told['seq'], told['kind']",
    ),
    "events by a pattern": (event_parsers, "import re\nSEQ = re.compile(rb'\"seq\":(\\d+)')"),
    "a fold by isinstance": (
        folds,
        "def count(events):\n"
        "    found = Counter()\n"
        "    for event in events:\n"
        "        if isinstance(event.data, CellFacts | FailureFacts):\n"
        "            found['settled'] += 1\n"
        "        elif isinstance(event.data, Attempt):\n"
        "            found.clear()\n"
        "    return found",
    ),
    "a fold by the names of kinds": (
        folds,
        "def state(events):\n"
        "    told = {}\n"
        "    for event in events:\n"
        "        if event['kind'] == 'attempt':\n"
        "            told['state'] = 'running'\n"
        "        elif event['kind'] in ('finished', 'stopped'):\n"
        "            told['state'] = 'over'\n"
        "    return told",
    ),
    "a fold by a table": (folds, "TAKE = {Attempt: begin, CellFacts: keep, Stopped: end}"),
    "a fold by lists of kinds": (
        folds,
        "def told(events):\n"
        "    return of_kind(events, CellFacts), of_kind(events, FailureFacts), of_kind(events, Attempt)",
    ),
    "a level cut by hand": (level_readers, "def pct(text):\n    return float(text.rstrip('%'))"),
    "a level told by its digits": (level_readers, "def plain(text):\n    return text.replace('.', '', 1).isdecimal()"),
    "a model's parameters": (
        size_arithmetic,
        "def at(w):\n    return total - (full - w) * shape.parameters_per_neuron",
    ),
    "a hidden size from a mapping": (size_arithmetic, "def ratio(w, base):\n    return w / base['hidden_size']"),
    "a nested grid": (grids, "def table(rows):\n    cells: dict[str, dict[str, float]] = {}"),
    "widths in an order of their own": (
        grids,
        "def order(widths):\n    return sorted(widths, key=lambda w: (not w.unpruned, w.pruning_pct))",
    ),
}


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.name)
def test_a_concept_is_where_the_table_says_and_nowhere_else(concept: Concept) -> None:
    module, _, symbol = concept.home.partition(":")
    assert attrgetter(symbol)(import_module(module))
    hinted = [one for one in modules() if re.search(concept.hints, one.source)]
    found = {one.name: next(concept.finds(one.tree), None) for one in hinted}
    seen = {name: getattr(node, "lineno", 0) for name, node in found.items() if node is not None}
    others = {name: line for name, line in seen.items() if name not in (concept.module, *concept.also)}
    assert not others, f"{concept.home} is the one to {concept.name}: build on it"
    assert concept.module in seen, "the detector does not know the thing itself"
    assert set(concept.also) <= set(seen), "no exception is needed any more"


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.name)
def test_a_second_one_is_seen(concept: Concept) -> None:
    assert re.search(concept.hints, concept.second)
    assert any(concept.finds(Module.of(concept.second).tree))


@pytest.mark.parametrize(("finds", "source"), SECONDS.values(), ids=SECONDS)
def test_it_is_seen_in_whichever_way_it_is_written(finds: Finder, source: str) -> None:
    assert any(finds(Module.of(source).tree))


def test_saying_what_an_event_is_about_is_no_fold() -> None:
    told = (
        "def describe(event):\n"
        "    match event.data:\n"
        "        case Attempt() as attempt:\n"
        "            return f'attempt {attempt.attempt}'\n"
        "        case CellFacts() as cell:\n"
        "            return cell.task\n"
        "        case Stopped(reason=reason):\n"
        "            return reason\n"
    )
    assert not any(folds(Module.of(told).tree))
