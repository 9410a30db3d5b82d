"""Which tests a mutant has to pass: those that reach its line, or query a view that builds on its own."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Collection
from functools import cached_property
from pathlib import Path

import coverage
from mutants.rules import Mutant

_QUERY = re.compile(r"\bquery\(\s*\"(\w+)\"")
_VIEW = re.compile(r"create or replace (?:view|macro) (\w+)", re.IGNORECASE)

_NEAR = {"warehouse": 0, "engine": 1}  # by package: those of the dashboard reach nearly all, and are slow
_FEW = 120  # of the tests of a line that only imports reach: what breaks there breaks for all that use the module


class Reach:
    """Read from the record that `contexts` made of the fast tests."""

    def __init__(self, root: Path, record: Path, fast: Collection[str]) -> None:
        """`fast` are the tests there are now: since the record, some may have gone, or been marked slow."""
        self.root = root
        self.fast = frozenset(fast)
        data = coverage.CoverageData(basename=str(record))
        data.read()
        self.data = data
        self._modules: dict[str, Counter[str]] = {}

    def tests(self, mutant: Mutant) -> list[str]:
        """Node ids, those of the file's own tests first; all tests of a module that shares fixtures with one."""
        stem = re.sub(r"^\d+\w?_", "", Path(mutant.path).stem)
        if mutant.path.endswith(".sql"):
            reaching, few = self._of_view(mutant.path), False
            views = self._views(mutant.path)
        else:
            views = set[str]()
            reaching = self._of_line(mutant.path, mutant.line)
            # Reached by whichever test imported it first, though it matters to all that use the module.
            few = not reaching or self._runs_at_import(mutant.path, mutant.line)
            if few:
                reaching |= self._of_module(mutant.path)
        nearest = sorted(
            reaching & self.fast,
            key=lambda test: (
                stem not in test,
                _NEAR.get(test.split("/")[1], 2),
                -self._mentions(test, views),
                self.size(test),
                test,
            ),
        )
        return nearest[:_FEW] if few else nearest

    def size(self, test: str) -> int:
        return self._sizes[test]

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """How many lines each test reaches: those that reach few are quick, and near to what they test."""
        sizes: dict[str, int] = defaultdict(int)
        for lines in self._lines.values():
            for tests in lines.values():
                for test in tests:
                    sizes[test] += 1
        return sizes

    @cached_property
    def _lines(self) -> dict[str, dict[int, list[str]]]:
        return {
            str(Path(file).relative_to(self.root)): {
                line: [test for test in tests if test] for line, tests in self.data.contexts_by_lineno(file).items()
            }
            for file in self.data.measured_files()
        }

    def _of_line(self, path: str, line: int) -> set[str]:
        """The tests of the statement that holds the line."""
        reached = self._lines.get(path, {})
        tree = ast.parse((self.root / path).read_text(encoding="utf-8"))
        statement = range(line, line + 1)
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt) and node.end_lineno is not None and node.lineno <= line <= node.end_lineno:
                body = getattr(node, "body", None)
                head = body[0].lineno if isinstance(body, list) else node.end_lineno + 1
                if line < head:
                    statement = range(node.lineno, head)
        return {test for at in statement for test in reached.get(at, ())}

    def _runs_at_import(self, path: str, line: int) -> bool:
        """Whether it stands in no function's body."""
        functions = [
            node
            for node in ast.walk(ast.parse((self.root / path).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        return not any(one.body[0].lineno <= line <= (one.end_lineno or 0) for one in functions)

    def _of_module(self, path: str) -> set[str]:
        """The tests that reach anything of a file: they need what it does while it is imported."""
        return {test for tests in self._lines.get(path, {}).values() for test in tests}

    def _of_view(self, path: str) -> set[str]:
        views = self._builders(path)
        return {test for test, names in self._names.items() if names & views}

    def _builders(self, path: str) -> set[str]:
        """The view of a file and all that build on it."""
        texts = {file: file.read_text(encoding="utf-8") for file in (self.root / "sql").rglob("*.sql")}
        views = self._views(path)
        while True:
            more = {
                view
                for file, text in texts.items()
                if "queries" not in file.parts and views & set(re.findall(r"\w+", text))
                for view in _VIEW.findall(text)
            } - views
            if not more:
                return views
            views |= more

    def _views(self, path: str) -> set[str]:
        return set(_VIEW.findall((self.root / path).read_text(encoding="utf-8")))

    def _mentions(self, test: str, views: set[str]) -> int:
        """How often a test's own module names the views: who asks most for them is most likely about them."""
        return sum(self._words(test)[view] for view in views)

    def _words(self, test: str) -> Counter[str]:
        """The words of a test's own module."""
        module = test.split("::")[0]
        if module not in self._modules:
            self._modules[module] = Counter(re.findall(r"\w+", (self.root / module).read_text(encoding="utf-8")))
        return self._modules[module]

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """The words of each test's own module, and of the queries on the lines that it reaches."""
        queries = {
            file.stem: set(re.findall(r"\w+", file.read_text(encoding="utf-8")))
            for file in (self.root / "sql").rglob("*.sql")
        }
        names: dict[str, set[str]] = defaultdict(set)
        for path, lines in self._lines.items():
            source = (self.root / path).read_text(encoding="utf-8").splitlines()
            for line, tests in lines.items():
                for query in _QUERY.findall(source[line - 1]) if line <= len(source) else ():
                    for test in tests:
                        names[test] |= queries.get(query, set())
        for test in self._sizes.keys() | self.fast:  # one that asks its module's connection may reach no line of ours
            names[test] |= self._words(test).keys()
        return names
