"""Where one file adds one thing: every module of a package that holds things of a kind, each under one name in it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def gathered(package: str, name: str) -> list[Any]:
    """What every module of the package calls `name`, in the order of the modules' names.

    Raises:
        AttributeError: a module has nothing of that name.
    """
    modules = sorted(module.name for module in iter_modules(import_module(package).__path__))
    return [getattr(import_module(f"{package}.{module}"), name) for module in modules]
