"""Records are passed from one part of the program to another: nobody changes what somebody else holds."""

from __future__ import annotations

import inspect
import pkgutil
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any

import pytest

import warehouse

# These are filled while something is read or merged, and handed on when they are done.
GENERIC = {"Grid"}  # an alias of it, called, sets an attribute of its own
COLLECTING = {
    "Group", "ImportedRun", "MergeReport", "Provenance", "Responses", "ResultFile", "RunHistory", "RunIdentity",
    "Samples", "StudyFile",
}  # fmt: skip


@pytest.fixture(scope="module")
def records() -> set[Any]:
    modules = [import_module(module.name) for module in pkgutil.walk_packages(warehouse.__path__, "warehouse.")]
    return {
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if is_dataclass(kind) and kind.__module__.startswith("warehouse.") and not kind.__name__.startswith("_")
    }


def test_a_record_of_the_warehouse_cannot_be_changed(records: set[Any]) -> None:
    assert {kind.__name__ for kind in records if not kind.__dataclass_params__.frozen} == COLLECTING


def test_a_record_of_the_warehouse_holds_its_fields_and_nothing_else(records: set[Any]) -> None:
    assert {kind.__name__ for kind in records if "__slots__" not in vars(kind)} == GENERIC
