"""A sweep written down as a file that `sweep_file` reads: what all models share at the top, the rest with each."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from engine.planning.asked import Asked
from engine.planning.where import Where

_LISTS = ("levels", "method", "repair", "tasks")


def shared_and_own(asked: Sequence[Asked]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The settings that all have alike, where they are not the usual ones, and what each has beside them."""
    usual = Asked(model="")
    names = [field.name for field in fields(Asked) if field.name != "model"]
    alike = {name for name in names if len({getattr(one, name) for one in asked}) == 1}

    def told(one: Asked, of: Collection[str]) -> dict[str, Any]:
        return {name: getattr(one, name) for name in names if name in of and getattr(one, name) != getattr(usual, name)}

    return told(asked[0], alike), [told(one, set(names) - alike) for one in asked]


def sweep_text(asked: Sequence[Asked], where: Where) -> str:
    """As TOML. Folders are written whole."""
    shared, own = shared_and_own(asked)
    lines = [f"{_key(key)} = {_value(key, value)}" for key, value in shared.items()]
    if where.gpus is not None:
        numbers = [part.strip() for part in where.gpus.split(",") if part.strip()]
        is_list = all(number.isdecimal() for number in numbers)
        lines.append(f"gpus = [{', '.join(numbers)}]" if is_list else f"gpus = {_text(where.gpus)}")
    lines += [f"{key} = {_text(value)}" for key, value in _told(where).items()]
    lines.append("models = [")
    for one, beside in zip(asked, own, strict=True):
        lines.append(f"    {_model(one.model, beside)},")
    text = "\n".join([*lines, "]"]) + "\n"
    tomllib.loads(text)  # what cannot be read again is not written
    return text


def _told(where: Where) -> dict[str, str]:
    usual = Where()
    return {key: getattr(where, key) for key in ("on", "alone") if getattr(where, key) != getattr(usual, key)}


def write_sweep(path: Path, asked: Sequence[Asked], where: Where) -> None:
    """Raises:
    OSError: it cannot be written.
    """
    path.write_text(sweep_text(asked, where), encoding="utf-8")


def _model(model: str, own: Mapping[str, Any]) -> str:
    if not own:
        return _text(model)
    told = [f"model = {_text(model)}", *(f"{_key(key)} = {_value(key, value)}" for key, value in own.items())]
    return f"{{ {', '.join(told)} }}"


def _key(field: str) -> str:
    return field.replace("_", "-")


def _value(field: str, value: Any) -> str:
    if field in _LISTS:
        items = [item.strip() for item in value.split(",") if item.strip()]
        whole = field == "levels" and all(item.isdecimal() and str(int(item)) == item for item in items)
        return f"[{', '.join(items if whole else map(_text, items))}]"
    if field == "include_path":
        return f"[{', '.join(_text(str(path.absolute())) for path in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else _text(str(value))


def _text(value: str) -> str:
    """A basic string, whose escapes are JSON's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
