"""Macros and views as files: what each makes, what it builds on, and the order that follows from that."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

_MAKES = re.compile(r"^create or replace (?:macro|view) (\w+)", re.MULTILINE)
_NEEDS = "-- needs:"


@dataclass(frozen=True, slots=True)
class Definition:
    """One file: it `makes` macros and views, and its `-- needs:` lines name those of other files that it builds on."""

    name: str
    text: str
    makes: tuple[str, ...]
    needs: tuple[str, ...]


def read(folder: Path) -> list[Definition]:
    """The files under a folder, by name."""
    files = sorted(folder.rglob("*.sql"), key=lambda file: file.stem)
    return [definition(file.stem, file.read_text(encoding="utf-8")) for file in files]


def definition(name: str, text: str) -> Definition:
    return Definition(name, text, tuple(_MAKES.findall(text)), tuple(_needs(text)))


def _needs(text: str) -> Iterable[str]:
    """Of the comment that the file begins with."""
    for line in text.splitlines():
        if not line.startswith("--"):
            return
        if line.startswith(_NEEDS):
            yield from (name.strip() for name in line.removeprefix(_NEEDS).split(",") if name.strip())


def in_order(definitions: Sequence[Definition], given: Collection[str] = ()) -> list[Definition]:
    """Each after those that it builds on; `given` are names that are there already.

    Raises:
        ValueError: one needs a name that nothing makes, or some need each other.
    """
    maker = {name: one for one in definitions for name in one.makes}
    graph: dict[str, list[str]] = {}
    for one in definitions:
        if unknown := [name for name in one.needs if name not in maker and name not in given]:
            raise ValueError(f"{one.name}.sql needs {', '.join(unknown)}, which no file of macros or views makes.")
        graph[one.name] = [maker[name].name for name in one.needs if name in maker]
    by_name = {one.name: one for one in definitions}
    try:
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise ValueError(f"Files that need each other: {' needs '.join(reversed(error.args[1]))}.") from None


def temporary(text: str) -> str:
    """The same for one connection alone."""
    return text.replace("create or replace ", "create or replace temp ")
