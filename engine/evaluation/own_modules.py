"""Which Python files a module imports from its own folders, told from its text alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def with_imported(module: Path, folder: Path) -> set[Path]:
    """The file, and all that it imports, and they import, from beside the importing one or from `folder`.

    What is imported by other means than an import statement is not found, nor anything of a file that is no Python.
    """
    found, waiting = set[Path](), [module.resolve()]
    while waiting:
        file = waiting.pop()
        if file in found or not file.is_file():
            continue
        found.add(file)
        for names in _imports(file):
            waiting += [place.resolve() for root in (file.parent, folder) for place in _places(root, names)]
    return found


def _imports(file: Path) -> Iterator[tuple[str, ...]]:
    """The parts of each name; one dot more than the first is a step up, told as `..`."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(name.name.split(".")) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ("..",) * max(node.level - 1, 0)
            module = (*above, *(node.module.split(".") if node.module else ()))
            yield from ((*module, name.name) for name in node.names)


def _places(root: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """Where the module and the packages that it lies in would be; a last name may be something in a module."""
    for length in range(1, len(names) + 1):
        place = root.joinpath(*names[:length])
        yield place.with_name(f"{place.name}.py")
        yield place / "__init__.py"
