"""One concept, one place: what each thing is called, where it is defined, and that no second one has appeared.

A detector looks at a module's syntax tree for what makes such a thing: not its name, which a second one would not
share. Each is shown a second one here, so that it is known to see it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import get_args

import pytest

from warehouse.records import events

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("prune_tui", "tui", "engine", "warehouse")
EVENTS = {kind.__name__ for kind in get_args(events.Data)}
KINDS = set(events._KINDS)
FOLD_OF = 3  # kinds of events

Finder = Callable[[ast.Module], Iterator[ast.AST]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    name: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @classmethod
    def of(cls, source: str, name: str = "second") -> Module:
        return cls(name, source)


@cache
def modules() -> tuple[Module, ...]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return tuple(Module.of(path.read_text(encoding="utf-8"), name) for path, name in zip(paths, names, strict=True))


# What a tree is looked through with


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Calls of `name(…)`, `….name(…)` or, with a dot in the name, `module.name(…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (last(node.func) in names or dotted(node.func) in names):
            yield node


def dotted(node: ast.AST) -> str:
    match node:
        case ast.Attribute(value=ast.Name(id=of), attr=name):
            return f"{of}.{name}"
        case _:
            return ""


def last(node: ast.AST) -> str:
    """What a name, an attribute or a key ends in: `size` of `model.size`, `row["size"]` and `row.get("size")`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as name), *_]):
            return name
        case _:
            return ""


def texts(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def words(tree: ast.AST) -> set[str]:
    return {last(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)}


def patterns(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Regular expressions, those of bytes as text."""
    for call in calls(tree, "re.compile", "re.match", "re.fullmatch", "re.search", "re.sub", "re.findall", "re.split"):
        match call.args:
            case [ast.Constant(value=str() as pattern), *_]:
                yield call, pattern
            case [ast.Constant(value=bytes() as pattern), *_]:
                yield call, pattern.decode("latin-1")
            case _:
                pass


# What makes a second one


def event_parsers(tree: ast.Module) -> Iterator[ast.AST]:
    """JSON read where a journal, or an event's own fields, are spoken of; or a regular expression for such a field."""
    for function in functions(tree):
        if any(calls(function, "json.loads", "json.load")):
            own = {"seq", "kind", "crc"} & {last(node) for node in ast.walk(function)}
            if len(own) > 1 or any("journal" in word.lower() for word in words(function)):
                yield function
    for call, pattern in patterns(tree):
        if re.search(r'"(seq|kind|crc)"', pattern):
            yield call


def line_readers(tree: ast.Module) -> Iterator[ast.AST]:
    return calls(tree, "parse_line", "parse_event", "parse_data")


def folds(tree: ast.Module) -> Iterator[ast.AST]:
    """A function, or a table of them, that tells several kinds of events apart and remembers something of each."""
    for function in functions(tree):
        told: set[str] = set()
        remembers = False
        for node in ast.walk(function):
            for kinds, then in branches(node):
                told |= kinds
                remembers |= bool(kinds) and any(remembered(one) for one in then)
        collected = {last(call.args[1]) for call in calls(function, "of_kind") if len(call.args) > 1} & EVENTS
        if (len(told) >= FOLD_OF and remembers) or len(collected) >= FOLD_OF:
            yield function
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and all(isinstance(one, ast.Name | ast.Lambda) for one in node.values):
            keys = [key for key in node.keys if key is not None]
            if max(len({last(key) for key in keys} & EVENTS), len({value(key) for key in keys} & KINDS)) >= FOLD_OF:
                yield node


def branches(node: ast.AST) -> Iterator[tuple[set[str], list[ast.stmt]]]:
    """Kinds of events that are told apart, with what is done then."""
    match node:
        case ast.match_case(pattern=pattern, body=body):
            named = {last(one.cls) for one in ast.walk(pattern) if isinstance(one, ast.MatchClass)}
            plain = {value(one.value) for one in ast.walk(pattern) if isinstance(one, ast.MatchValue)}
            yield named & EVENTS | plain & KINDS, body
        case ast.If(test=test, body=body):
            kinds: set[str] = set()
            for call in calls(test, "isinstance"):
                kinds |= {last(one) for one in ast.walk(call.args[1])} & EVENTS
            for compared in (one for one in ast.walk(test) if isinstance(one, ast.Compare)):
                if "kind" in {last(one) for one in ast.walk(compared)}:
                    kinds |= texts(compared) & KINDS
            yield kinds, body
        case _:
            pass


def remembered(statement: ast.stmt) -> bool:
    """Whether something outlives the statement: kept in an object, counted up, or added to a collection."""
    for node in ast.walk(statement):
        match node:
            case ast.Assign(targets=targets):
                parts = [one for target in targets for one in ast.walk(target)]
                if any(isinstance(one, ast.Attribute | ast.Subscript) for one in parts):
                    return True
            case ast.AugAssign() | ast.Call(func=ast.Attribute(attr="add" | "append" | "setdefault" | "update")):
                return True
            case _:
                pass
    return False


def value(node: ast.AST) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def level_readers(tree: ast.Module) -> Iterator[ast.AST]:
    """A regular expression for a level's text; or a number read out of one by hand."""
    for call, pattern in patterns(tree):
        try:
            compiled = re.compile(pattern)
        except re.error:
            continue
        if any(map(compiled.fullmatch, ("40%", "40 %", "2.4x", "w4096"))) and not compiled.fullmatch("piqa"):
            yield call
    for call in calls(tree, "float", "int", "Decimal"):
        for cut in calls(call, "removesuffix", "removeprefix", "strip", "rstrip", "lstrip", "replace"):
            if cut.args and value(cut.args[0]).strip() in ("%", "x", "w"):
                yield call
    for call in calls(tree, "isdecimal", "isdigit", "isnumeric"):
        if any(cut.args and value(cut.args[0]) == "." for cut in calls(call, "replace")):
            yield call


def size_arithmetic(tree: ast.Module) -> Iterator[ast.AST]:
    """A width's ratio to the hidden size, or its parameters."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.BinOp):
            continue
        if isinstance(node.op, ast.Div) and last(node.right).startswith("hidden"):
            yield node
        if isinstance(node.op, ast.Mult) and any("per_neuron" in last(one) for one in (node.left, node.right)):
            yield node


def short_names(tree: ast.Module) -> Iterator[ast.AST]:
    """The last part of something between slashes."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(
                value=ast.Call(func=ast.Attribute(attr=cut), args=[ast.Constant(value="/"), *_]),
                slice=ast.UnaryOp(op=ast.USub()) | ast.Constant(value=1 | 2),
            ) if cut in ("split", "rsplit", "partition", "rpartition"):
                yield node
            case _:
                pass


def run_lookups(tree: ast.Module) -> Iterator[ast.AST]:
    """A run's id compared by its beginning."""
    for call in calls(tree, "startswith"):
        if isinstance(call.func, ast.Attribute) and last(call.func.value) in ("run_id", "id"):
            yield call


def record_makers(tree: ast.Module) -> Iterator[ast.AST]:
    """Rows of a cursor put under names."""
    for function in functions(tree):
        zipped = [call for call in calls(function, "dict") if any(calls(call, "zip"))]
        zipped += [node for node in ast.walk(function) if isinstance(node, ast.DictComp) and any(calls(node, "zip"))]
        if zipped and words(function) & {"description", "fetchall", "fetchone", "fetchmany"}:
            yield function


def grids(tree: ast.Module) -> Iterator[ast.AST]:
    """Cells kept by two names at once, in one mapping or in nested ones; or widths put in an order."""
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=target, annotation=annotation) if re.search("cells|grid|matrix", last(target)):
                told = re.sub(r"\b(defaultdict|Mapping)\b", "dict", ast.unparse(annotation))
                if re.match(r"dict\[(tuple\[.*?\], |\w+, dict\[)", told) and not told.endswith("list[dict[str, Any]]]"):
                    yield node
            case ast.Call(keywords=keywords) if last(node.func) in ("sorted", "sort", "min", "max"):
                keys = {last(one) for keyword in keywords if keyword.arg == "key" for one in ast.walk(keyword.value)}
                if "pruning_pct" in keys and keys & {"unpruned", "intermediate_size"}:
                    yield node
            case _:
                pass


def changes(tree: ast.Module) -> Iterator[ast.AST]:
    """A difference in percent of a baseline."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and "100" in ast.unparse(node.left):
            told = ast.unparse(node.right)
            if told.startswith("abs(") or "baseline" in told:
                yield node


def directions(tree: ast.Module) -> Iterator[ast.AST]:
    """Up or down held against what is better."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Compare) for side in sides) and "higher_is_better" in map(last, sides):
                yield node


def headlines(tree: ast.Module) -> Iterator[ast.AST]:
    """Filters of a metric ranked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and "strict-match" in texts(node):
            yield node


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
        also={"tui.runs.runs_screen": "a filter, whose words may be of anything in a run's line"},
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
