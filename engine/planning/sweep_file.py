"""Sweep files: TOML that says what `run` is asked for, of several models, in the words of its options.

    levels = [0, 20, 40]
    tasks = ["piqa", "gsm8k@5"]
    models = ["org/one", { model = "org/two", revision = "v2", limit = 100 }]

What stands at the top holds for every model, what stands with a model for that one alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_type_hints

from engine.errors import UserError
from engine.planning.asked import Asked, plans_of
from engine.planning.calibration import CalibrationSource
from engine.planning.plan import DTYPES, RunPlan
from engine.planning.task_index import UnlistedError
from engine.planning.where import Where

_LISTS = ("levels", "method", "repair", "tasks", "seed")  # texts with commas, or TOML's own lists
_NUMBERS = ("levels", "seed")  # whose items may be numbers
_WHERE = {  # at the top only: a sweep is carried out in one place
    "on": '"local", "ray" or "ray://HOST:PORT"',
    "alone": '"finish" or "stop"',
    "gpus": '"all" or a list of numbers, such as [0, 1]',
}
_ALONE = {"suite": "tasks", "tasks": "suite"}  # one with a model takes the place of the other at the top


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFile:
    """What a file asks for, a model at a time, and where it is to be carried out."""

    path: Path
    name: str
    asked: tuple[Asked, ...]
    where: Where

    @property
    def base(self) -> Path:
        """The folder that the file's paths are seen from: its own."""
        return self.path.absolute().parent

    def seen_from_here(self) -> list[Asked]:
        """The same with its paths made absolute, for a file elsewhere."""
        found: list[Asked] = []
        for one in self.asked:
            folder, text = self.base / one.model, one.calibration
            source = None if text is None else CalibrationSource.parse(text).resolved(self.base).text
            found.append(
                replace(
                    one,
                    model=str(folder.resolve()) if folder.is_dir() else one.model,
                    calibration=source,
                    include_path=tuple((self.base / path).resolve() for path in one.include_path),
                )
            )
        return found

    def plans(self) -> list[RunPlan]:
        """Raises:
        UserError: an option is wrong: of which model.
        """
        for number, one in enumerate(self.asked, 1):
            with self.said_of(number):
                plans_of([one], self.base)
        with self.said_of(None):
            return plans_of(self.asked, self.base, name=self.name)

    @contextmanager
    def said_of(self, number: int | None, key: str | None = None) -> Generator[None]:
        """What is found wrong with a model, said of the file."""
        try:
            yield
        except UnlistedError:  # says nothing of the file
            raise
        except UserError as error:
            where = "" if number is None else f" model {number} ({self.asked[number - 1].model}):"
            raise UserError(f"{self.path}:{where}{'' if key is None else f' {key}:'} {error}") from error


def is_sweep_file(text: str) -> bool:
    """Whether that is one where a model could stand."""
    return text.endswith(".toml") and Path(text).is_file()


def read_sweep_file(path: Path, typed: Mapping[str, Any]) -> SweepFile:
    """`typed` are options of the command line by their field of `Asked`, which hold for every model, or of `Where`.

    Raises:
        UserError: it is no such file; which key of which table is wrong.
        OSError: it cannot be read.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML file: {error}.") from error
    name = told.get("name")
    models: Any = told.pop("models", None)
    where = _where(path, told, typed)
    shared = _settings(path, "at the top", told, also=("models", *_WHERE))
    if not isinstance(models, list) or not models:
        raise UserError(f'{path}: models at the top must be a list of at least one, such as models = ["org/model"].')
    wanted = {key: value for key, value in typed.items() if key not in _WHERE}
    asked: list[Asked] = []
    for number, entry in enumerate(cast(list[Any], models), 1):
        which = f"of model {number}"
        if not isinstance(entry, str | dict):
            raise UserError(f"{path}: model {number} must be a name, or a table with a key model.")
        own = _settings(path, which, {"model": entry} if isinstance(entry, str) else cast(dict[str, Any], entry))
        if "model" not in own:
            raise UserError(f"{path}: the table {which} has no key model: name a model on the hub, or a folder.")
        asked.append(Asked(**_over(_over(shared, own), wanted)))
    return SweepFile(path=path, name=name or path.stem, asked=tuple(asked), where=where)


def _where(path: Path, told: dict[str, Any], typed: Mapping[str, Any]) -> Where:
    """Taken out of the table. Options that name a place take the place of all that the file says of one."""
    said = {key: told.pop(key) for key in _WHERE if key in told}
    if isinstance(said.get("gpus"), list):
        said["gpus"] = ",".join(map(str, cast(list[Any], said["gpus"])))
    for key, value in said.items():
        if not isinstance(value, str):
            such = _WHERE[key]
            raise UserError(f"{path}: {key} at the top must be {such}, not {value!r}.")
    try:
        Where(**said)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if typed.keys() & {"on", "gpus"}:
        said.pop("on", None)
        said.pop("gpus", None)
    return Where(**said | {key: value for key, value in typed.items() if key in _WHERE})


def _over(settings: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    gone = {other for key, other in _ALONE.items() if key in own and other not in own}
    return {key: value for key, value in settings.items() if key not in gone} | dict(own)


def _settings(path: Path, where: str, table: Mapping[str, Any], also: Sequence[str] = ()) -> dict[str, Any]:
    """A table's values by their field of `Asked`, in the types of these."""
    types = get_type_hints(Asked)
    words = {field.name.replace("_", "-"): field.name for field in fields(Asked) if not also or field.name != "model"}
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key not in words:
            close = get_close_matches(key, [*words, *also], n=1)
            advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted([*words, *also]))}."
            raise UserError(f"{path}: there is no key {key} {where}: {advice}")
        found[words[key]] = _value(path, where, key, value, types[words[key]])
    return found


def _value(path: Path, where: str, key: str, value: Any, wanted: Any) -> Any:
    if key in _LISTS:
        items = _listed(value)
        allowed = str | int | float if key in _NUMBERS else str
        if all(isinstance(item, allowed) and not isinstance(item, bool) for item in items):
            return ",".join(map(str, items))
        raise UserError(f"{path}: {key} {where} must be a text or a list, not {value!r}.")
    if key == "include-path":
        folders = _listed(value)
        if all(isinstance(folder, str) for folder in folders):
            return tuple(map(Path, folders))
        raise UserError(f"{path}: {key} {where} must be a folder or a list of them, not {value!r}.")
    for kind, name in ((bool, "true or false"), (int, "a whole number"), (float, "a number"), (str, "a text")):
        if wanted in (kind, kind | None):
            fits = isinstance(value, (int, float) if kind is float else kind)
            if not fits or (isinstance(value, bool) and kind is not bool):
                raise UserError(f"{path}: {key} {where} must be {name}, not {value!r}.")
    if key == "dtype" and value not in DTYPES:
        raise UserError(f"{path}: {key} {where} must be one of {', '.join(DTYPES)}, not {value!r}.")
    return value


def _listed(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [value]
