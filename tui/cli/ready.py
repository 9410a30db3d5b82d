"""Values of the command line that are what they should be as they were typed: read without pydantic.

Typer reads every value, defaults too, by pydantic, whose import takes longer than all else before a command begins.
Texts, paths, choices and defaults need none of it; whatever is not plainly right goes Typer's way, and to its words.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer._coercion import RuntimeParam, TypeDescriptor, build_runtime_param

_UNREADY = object()


@dataclass(frozen=True)
class ReadyParam(RuntimeParam):
    """Reads what is ready itself, and the rest as Typer does."""

    descriptor: TypeDescriptor

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        found = self._read(value, self.annotation)
        if found is not _UNREADY:
            return found
        return build_runtime_param(self.descriptor)._coerce_value(value, param=param, ctx=ctx)

    def _read(self, value: Any, annotation: Any) -> Any:
        if self.parameter_info.parser is not None:
            return _UNREADY
        origin = get_origin(annotation)
        if origin is list and isinstance(value, list | tuple):
            each = [self._read(one, get_args(annotation)[0]) for one in value]
            return _UNREADY if _UNREADY in each else each
        if isinstance(value, int | float):  # a default: whatever is typed is a text
            is_number = annotation in (int, float) and not isinstance(value, bool)
            return annotation(value) if is_number else _UNREADY
        if isinstance(value, str) and not _is_unicode(value):
            return _UNREADY
        if origin is Literal:
            return value if value in get_args(annotation) else _UNREADY
        if annotation is str:
            return value if isinstance(value, str) else _UNREADY
        if annotation is Path and isinstance(value, str | Path):
            return self._path(Path(value))
        return _UNREADY

    def _path(self, path: Path) -> Any:
        """Where it may be any, unless it is there and cannot be read."""
        asked = self.parameter_info
        checked = asked.exists or asked.writable or asked.resolve_path or not (asked.file_okay and asked.dir_okay)
        if checked or asked.allow_dash or asked.path_type is not None:
            return _UNREADY
        return path if os.access(path, os.R_OK) or not os.path.exists(path) else _UNREADY


def read_when_ready(params: list[Any]) -> None:
    """From now on these parameters of a command are read so."""
    for param in params:
        known = param.type_descriptor
        param._runtime_param = ReadyParam(known.parameter_info, known.annotation, known)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
