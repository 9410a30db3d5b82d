"""How a thing of the program is told in a module's syntax tree: by what makes it, not by its name."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import get_args

from warehouse.records import events

ROOT = Path(__file__).resolve().parents[2]
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
