"""What a person settles once for all commands and the dashboard: `config.toml` in the user's config folder.

    database = "/data/results.duckdb"
    cache = "/scratch/me/prune-tui"
    device = "cuda:1"
    suite = "paper"
    notify = "bell, desktop"
    on_end = "notify-me \"$PRUNE_TUI_RUN_NAME $PRUNE_TUI_STATE\""

An option counts before a variable of the environment, that before the file, and the file before what is built in.
Since processes that are started here have to know as well, what the file says goes into the environment.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import UserError

_FILE = "config.toml"


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` is the file's, `variable` the environment's; `built_in` says what holds without either."""

    name: str
    variable: str
    built_in: str
    is_path: bool = False


SETTINGS = (
    Setting("database", "PRUNE_TUI_DB", "results.duckdb", is_path=True),
    Setting("cache", "PRUNE_TUI_CACHE", "the user's cache folder", is_path=True),
    Setting("device", "PRUNE_TUI_DEVICE", "auto"),
    Setting("suite", "PRUNE_TUI_SUITE", "none"),
    Setting("notify", "PRUNE_TUI_NOTIFY", "none"),
    Setting("on_end", "PRUNE_TUI_ON_END", "no command"),
)
NOTIFY = ("bell", "desktop", "none")
"""How the dashboard tells that a run has ended: any of them."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What holds for a setting, None where that is what is built in, and where it comes from."""

    setting: Setting
    value: str | None
    source: str


def config_path() -> Path:
    """Where the file is, or would be."""
    from platformdirs import user_config_path

    return user_config_path("prune-tui", appauthor=False) / _FILE


def read(path: Path) -> dict[str, str]:
    """What the file says, by the settings' names; nothing where there is none.

    Raises:
        UserError: it is not TOML, or has a key or a value that no setting has.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a text file in UTF-8: write it anew.") from error
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not TOML: {error}.") from error
    known = {one.name: one for one in SETTINGS}
    for name, value in table.items():
        if name not in known:
            raise UserError(f"{path} has a setting '{name}', which there is none of: there are {', '.join(known)}.")
        table[name] = _value(path, known[name], value)
    return table


def _value(path: Path, setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise UserError(f"{path}: {setting.name} is {value!r}, where a text in quotes is needed.")
    if setting.name == "notify":
        _ways(value, str(path))
    if not setting.is_path:
        return value
    if not value.startswith(("/", "~")):
        raise UserError(f"{path}: {setting.name} is '{value}', where a whole path is needed, from / or ~ on.")
    return str(Path(value).expanduser())


def settled(environment: MutableMapping[str, str] = os.environ) -> list[Settled]:
    """What holds for each setting, and since when. Errors as `read`."""
    told, found = read(config_path()), []
    for one in SETTINGS:
        given = environment.get(one.variable) or None
        # What the file said stands in the environment by now.
        if given is not None and given != told.get(one.name):
            found.append(Settled(one, given, f"environment ({one.variable})"))
        elif one.name in told:
            found.append(Settled(one, told[one.name], "config file"))
        else:
            found.append(Settled(one, None, "built-in"))
    return found


def apply(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let what the file says hold wherever the environment says nothing. Errors as `read`."""
    told = read(config_path())
    for one in SETTINGS:
        if one.name in told and not environment.get(one.variable):
            environment[one.variable] = told[one.name]


def device() -> str:
    """Where a run works that is not told otherwise."""
    return os.environ.get("PRUNE_TUI_DEVICE") or "auto"


def suite() -> str | None:
    """What a run is asked that is not told otherwise."""
    return os.environ.get("PRUNE_TUI_SUITE") or None


def notify() -> list[str]:
    """How to tell that a run has ended.

    Raises:
        UserError: the variable has another word.
    """
    return _ways(os.environ.get("PRUNE_TUI_NOTIFY") or "none", "PRUNE_TUI_NOTIFY")


def on_end() -> str | None:
    """The command to run then, in the words of the shell."""
    return os.environ.get("PRUNE_TUI_ON_END") or None


def _ways(value: str, where: str) -> list[str]:
    ways = [word.strip() for word in value.split(",") if word.strip()]
    if wrong := next((word for word in ways if word not in NOTIFY), None):
        raise UserError(f"{where}: notify is '{wrong}', where {', '.join(NOTIFY[:-1])} or {NOTIFY[-1]} is needed.")
    return ways
