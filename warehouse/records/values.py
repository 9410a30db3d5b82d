"""Reading a dataclass from plain values: each field's type, and the range its annotation gives, is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from warehouse.errors import UserError
from warehouse.records.level import Level

T = TypeVar("T")
_SHA256 = re.compile(r"[0-9a-f]{64}")
Check = Callable[[Any], Any]
"""Returns the value, perhaps as another type; raises ValueError with what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Within:
    """Allows numbers from `low` to `high`, both included, so no NaN either."""

    low: float
    high: float

    def __call__(self, value: Any) -> Any:
        if not self.low <= value <= self.high:
            raise ValueError(f"is {_shown(value)}, not within {self.low:g} and {self.high:g}")
        return value


def _sha256(value: Any) -> Any:
    if not _SHA256.fullmatch(value):
        raise ValueError(f"is {_shown(value)}, not a sha256")
    return value


def _level(value: Any) -> Any:
    try:
        Level.parse(value)
    except UserError as error:
        raise ValueError(f"is {_shown(value)}, not a level") from error
    return value


Count = Annotated[int, Within(0, 1e15)]
Size = Annotated[int, Within(1, 2**31 - 1)]
"""Of one dimension of a tensor."""
Seconds = Annotated[float, Within(0, 1e12)]
Moment = Annotated[float, Within(0, 2.5e11)]
"""Unix time, up to the year 9999."""
Percentage = Annotated[float, Within(0, 100)]
Ratio = Annotated[float, Within(0, 1e6)]
Shots = Annotated[int, Within(-1, 1e6)]
"""-1 is of a group whose tasks differ in them."""
LevelText = Annotated[str, _level]
Sha256 = Annotated[str, _sha256]


def read(kind: type[T], data: Mapping[str, Any]) -> T:
    """An instance of a dataclass; values under other names are not ours to keep.

    Raises:
        ValueError: a field is missing, of another type or out of range.
    """
    values: dict[str, Any] = {}
    for name, check, required in _checks(kind):
        if name in data:
            try:
                values[name] = check(data[name])
            except ValueError as error:
                raise ValueError(f"{name} {error}") from error
        elif required:
            raise ValueError(f"{name} is missing")
    return kind(**values)


@cache
def _checks(kind: Any) -> list[tuple[str, Check, bool]]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        (field.name, _check(hints[field.name]), field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
    ]


def _check(hint: Any) -> Check:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value
    if origin is Annotated:
        return _one_after_another(_check(arguments[0]), *arguments[1:])
    if origin in (Union, UnionType):
        (inner,) = [argument for argument in arguments if argument is not NoneType]
        check = _check(inner)
        return lambda value: None if value is None else check(value)
    if origin in (list, tuple):
        return _each(_check(arguments[0]), origin)
    if is_dataclass(hint):
        return lambda value: read(cast("type[Any]", hint), _of_type(dict, value))
    if hint is float:
        return _number
    if hint is int:
        return _whole
    return lambda value: _of_type(origin or hint, value)


def _one_after_another(*checks: Check) -> Check:
    def check(value: Any) -> Any:
        for one in checks:
            value = one(value)
        return value

    return check


def _each(check: Check, into: Callable[[list[Any]], Any]) -> Check:
    return lambda value: into([check(item) for item in _of_type(list, value)])


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"is {_shown(value)}, not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"is {_shown(value)}, too large a number") from error


def _whole(value: Any) -> int:
    """JSON and CSV files of others write 1.0 for 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else _of_type(int, value)


def _of_type(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"is {_shown(value)}, not {_NAMES.get(kind, kind.__name__)}")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


_NAMES = {int: "a whole number", str: "a text", bool: "true or false", dict: "an object", list: "a list"}
