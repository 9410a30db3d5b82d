"""What a mutant may change: one operator, comparison, literal, condition, return or call of Python; the like of SQL.

Text is left alone in Python: messages are most of it, and tests that pin each word of them would be in the way.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SWAPS: dict[type[ast.AST], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not",
    ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in", ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*",
    ast.FloorDiv: "*", ast.Mod: "*", ast.Pow: "*", ast.BitOr: "&", ast.BitAnd: "|", ast.And: "or", ast.Or: "and",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """`text[start:end]` of a file becomes `after`. Offsets are in characters, `line` counts from 1."""

    path: str
    line: int
    start: int
    end: int
    before: str
    after: str

    def applied(self, text: str) -> str:
        assert text[self.start : self.end] == self.before
        return text[: self.start] + self.after + text[self.end :]


def mutants_of(path: Path, name: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its text."""
    text = path.read_text(encoding="utf-8")
    found = _of_python(text) if path.suffix == ".py" else _of_sql(text)
    made = {(start, end, after) for start, end, after in found if text[start:end] != after}
    return [
        Mutant(name, text.count("\n", 0, start) + 1, start, end, text[start:end], after)
        for start, end, after in sorted(made)
    ]


def _of_python(text: str) -> Iterator[tuple[int, int, str]]:
    lines = text.splitlines(keepends=True)
    begins = [0]
    for line in lines:
        begins.append(begins[-1] + len(line))

    def at(line: int, column: int) -> int:
        return begins[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)

    def between(left: ast.expr, right: ast.expr, after: str) -> Iterator[tuple[int, int, str]]:
        start, end = span(left)[1], span(right)[0]
        operator = re.search(r"[^\s()#]+(?: (?:not|in))?", text[start:end])
        if operator is not None and "\n" not in text[start : start + operator.start()]:
            yield start + operator.start(), start + operator.end(), after

    tree = ast.parse(text)
    skipped = set(_annotations(tree))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        match node:
            case ast.Compare():
                sides = [node.left, *node.comparators]
                for left, operator, right in zip(sides, node.ops, node.comparators, strict=False):
                    yield from between(left, right, _SWAPS[type(operator)])
            case ast.BinOp() if type(node.op) in _SWAPS:
                yield from between(node.left, node.right, _SWAPS[type(node.op)])
            case ast.BoolOp():
                for left, right in zip(node.values, node.values[1:], strict=False):
                    yield from between(left, right, _SWAPS[type(node.op)])
            case ast.UnaryOp(op=ast.Not()):
                yield span(node)[0], span(node.operand)[0], ""
            case ast.Constant(value=bool() as value):
                yield *span(node), str(not value)
            case ast.Constant(value=int() | float() as value):
                yield *span(node), repr(value + 1)
            case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.UnaryOp):
                start, end = span(test)
                yield start, end, f"not ({text[start:end]})"
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                yield *span(value), "None"
            case ast.Expr(value=ast.Call() | ast.Await()):
                yield *span(node), "pass"
            case ast.Break():
                yield *span(node), "continue"
            case ast.Continue():
                yield *span(node), "break"


def _annotations(tree: ast.AST) -> Iterator[ast.AST]:
    """What is written for readers and type checkers only."""
    for node in ast.walk(tree):
        notes: list[ast.AST | None] = []
        match node:
            case ast.AnnAssign():
                notes = [node.annotation]
            case ast.arg():
                notes = [node.annotation]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                notes = [node.returns]
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                notes = [node]
        for note in notes:
            if note is not None:
                yield from ast.walk(note)


_SQL_SKIPPED = re.compile(r"--[^\n]*|comment on .*?;", re.IGNORECASE | re.DOTALL)
_SQL_RULES: list[tuple[str, str]] = [
    (r"<=", "<"), (r">=", ">"), (r"<>", "="), (r"(?<![<>=!:])=(?![>=])", "<>"), (r"(?<![<>=-])<(?![<>=])", "<="),
    (r"(?<![<>=-])>(?![<>=])", ">="), (r"(?<= )\+(?= )", "-"), (r"(?<= )-(?= )", "+"), (r"(?<= )\*(?= )", "/"),
    (r"(?<= )/(?= )", "*"), (r"\band\b", "or"), (r"\bor\b(?! replace)", "and"), (r"\bis not null\b", "is null"),
    (r"\bis null\b", "is not null"), (r"\bleft join\b", "join"), (r"\bunion all\b", "union"), (r"\bdistinct ", ""),
    (r"\bnot (?!null)", ""), (r"\bmin\(", "max("), (r"\bmax\(", "min("), (r"\bsum\(", "avg("), (r"\bavg\(", "sum("),
    (r"\bgreatest\(", "least("), (r"\bleast\(", "greatest("), (r"\barg_max\(", "arg_min("),
    (r"\barg_min\(", "arg_max("), (r"\bbool_and\(", "bool_or("), (r"\bbool_or\(", "bool_and("), (r" desc\b", ""),
    (r"\bnulls last\b", "nulls first"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
]  # fmt: skip


def _of_sql(text: str) -> Iterator[tuple[int, int, str]]:
    bare = _SQL_SKIPPED.sub(lambda found: " " * len(found[0]), text)
    for literal in re.finditer(r"'(?:[^']|'')*'", bare):
        yield literal.start(), literal.end(), f"{literal[0][:-1]}~'"
    bare = re.sub(r"'(?:[^']|'')*'", lambda found: " " * len(found[0]), bare)
    for pattern, after in _SQL_RULES:
        for found in re.finditer(pattern, bare, re.IGNORECASE):
            yield found.start(), found.end(), after
    for number in re.finditer(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", bare):
        value = float(number[0]) if "." in number[0] else int(number[0])
        yield number.start(), number.end(), repr(value + 1)
