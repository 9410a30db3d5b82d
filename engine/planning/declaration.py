"""What the module of a pruning method says of itself, read from its text: nothing of it is run."""

from __future__ import annotations

import ast
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from typing import Any

from warehouse.text import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a method's module says of itself, each in a constant of that name in capitals.

    `title` and `formula` complete "the neurons with the highest …"; `citation` is Markdown. `needs_activations`: the
    method looks at what neurons do on calibration text, not only at weights. `uses_seed`: it draws at random.
    `keeps_means`: what removed neurons did on average goes into down's bias, where it has one.
    """

    title: str
    formula: str
    citation: str = ""
    needs_activations: bool = False
    uses_seed: bool = False
    keeps_means: bool = False


def source_of(module: str) -> str:
    """A module's text, found as an import would find it, with nothing imported on the way.

    Raises:
        ValueError: there is no such module, or no text of it.
        ImportError, OSError: it cannot be read.
    """
    first, *others = module.split(".")
    spec = find_spec(first)
    for name in others:
        spec = _part(spec, name)
    loader = None if spec is None else spec.loader
    text = loader.get_source(module) if isinstance(loader, InspectLoader) else None
    if text is None:
        raise ValueError(f"there is no source of a module {module}")
    return text


def _part(spec: ModuleSpec | None, name: str) -> ModuleSpec | None:
    if spec is None or spec.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(f"{spec.name}.{name}", spec.submodule_search_locations)


@lru_cache(maxsize=64)  # a sweep's plans ask for the same few at every turn
def read_declaration(source: str) -> Declaration:
    """What a module's constants say.

    Raises:
        ValueError, SyntaxError, RecursionError: one is missing, is no literal, or of another type.
    """
    names = {field.name.upper(): field for field in fields(Declaration)}
    told: dict[str, Any] = {}
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
                told[name] = ast.literal_eval(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in names:
                told[name] = ast.literal_eval(value)
            case _:
                pass
    for name, field in names.items():
        if name not in told and field.default is MISSING:
            raise ValueError(f"it has no {name}")
        if name in told and type(told[name]).__name__ != field.type:
            raise ValueError(f"its {name} is no {field.type}")
        if isinstance(told.get(name), str):
            told[name] = one_line(told[name])
    return Declaration(**{name.lower(): value for name, value in told.items()})
