"""Rules by which a level is called best: read, checked, and saved as new versions."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import UserError
from warehouse.store import answers, db, statements
from warehouse.store.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

GROUPS = ("*", "scores", "perplexities")
PREFERENCES = ("score", "narrowest")
MEASURES = ("share", "from chance", "points")
FLOOR_MEASURES = ("share", "from chance", "value", "growth")

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
_FLOOR = re.compile(r"(?P<measure>share|from_chance|value|growth)_at_(?P<side>least|most)")
_WAIT = 2.0


@dataclass(frozen=True, slots=True)
class Floor:
    """What a level must keep: `measure` of a benchmark, or of each in a group, at least and at most so much."""

    benchmark: str
    measure: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, as the tables rules, rule_weights and rule_floors explain it; version 0 was not saved yet."""

    name: str
    description: str
    prefer: str
    measure: str
    weights: Mapping[str, float]
    floors: tuple[Floor, ...] = ()
    preset: bool = False
    version: int = 0
    in_use: bool = False


def read_rules(path: Path) -> list[Rule]:
    """Every rule as it stands now, the one in use first.

    Raises:
        UserError: as `db.open_read`.
    """
    with db.open_read(path, wait=_WAIT) as con:
        return _rules(con)


def read_rule(path: Path, name: str) -> Rule:
    """Raises:
    UserError: there is no such rule; or as `db.open_read`.
    """
    return _find(read_rules(path), name)


@dataclass(frozen=True, slots=True)
class BestByRule:
    """A row of `rule_best`: the best level of a model by a rule, and why; none has no percentage."""

    rule: str
    model: str
    method: str | None
    repair: str
    conditions: str | None
    pruning_pct: float | None
    parameters: int | None
    parameters_pct: float | None
    score: float | None
    score_stderr: float | None
    unit: str | None
    why: str
    clear_of_second: bool | None
    in_use: bool


def best_levels(path: Path, name: str | None = None) -> list[BestByRule]:
    """The best level of each model, by one rule or by all.

    Raises:
        UserError: there is no such rule; or as `db.open_read`.
    """
    with db.open_read(path, wait=_WAIT) as con:
        if name is not None:
            _find(_rules(con), name)
        return answers.read(con, "rule_best", BestByRule, {"rule": name})


def save_rule(path: Path, rule: Rule) -> Rule:
    """Save a rule as a new version of its name; the older ones stay readable. Returns it as it was saved.

    Raises:
        UserError: it names a benchmark that is not known, or weighs points of a perplexity; or as `db.open_write`.
    """
    with db.open_write(path, wait=_WAIT) as con:
        rule = _with_tasks(con, rule)
        with transaction(con):
            about = {"rule": rule.name, "description": rule.description, "prefer": rule.prefer, "measure": rule.measure}
            version = _version(con, "rule_insert", about | {"removed": False})
            for benchmark, weight in rule.weights.items():
                con.execute(
                    statements.query("rule_insert_weight"),
                    {"rule": rule.name, "version": version, "benchmark": benchmark, "weight": weight},
                )
            for floor in rule.floors:
                con.execute(
                    statements.query("rule_insert_floor"),
                    {"rule": rule.name, "version": version, "benchmark": floor.benchmark, "measure": floor.measure,
                     "at_least": floor.at_least, "at_most": floor.at_most},
                )  # fmt: skip
        return _find(_rules(con), rule.name)


def use_rule(path: Path, name: str) -> None:
    """Make a rule the one that `best_level` follows.

    Raises:
        UserError: there is no such rule; or as `db.open_write`.
    """
    read_rule(path, name)  # before the file is opened for writing, which would create it
    with db.open_write(path, wait=_WAIT) as con, transaction(con):
        con.execute(statements.query("rule_use"), {"rule": name})


def delete_rule(path: Path, name: str) -> Rule | None:
    """Delete a rule; one that shipped and was changed becomes what it was, and is returned.

    Raises:
        UserError: there is no such rule, or it is as it shipped; or as `db.open_write`.
    """
    rule = read_rule(path, name)
    if rule.preset:
        raise UserError(f"'{name}' ships with prune-tui and stays; `rules use` chooses the rule that counts.")
    with db.open_write(path, wait=_WAIT) as con:
        ((shipped,),) = con.execute(statements.query("rule_preset"), {"rule": name}).fetchall()
        with transaction(con):
            if shipped is None:
                about = {"description": rule.description, "prefer": rule.prefer, "measure": rule.measure}
                _version(con, "rule_insert", about | {"rule": name, "removed": True})
                if rule.in_use:  # chosen anew, so that a later rule of this name is not in use unasked
                    con.execute(statements.query("rule_use"), {"rule": next(r.name for r in _rules(con) if r.in_use)})
                return None
            old = {"rule": name, "version": shipped}
            new = _version(con, "rule_restore", old)
            for part in ("rule_restore_weights", "rule_restore_floors"):
                con.execute(statements.query(part), old | {"new": new})
        return _find(_rules(con), name)


def to_toml(rule: Rule) -> str:
    """The rule as `from_toml` reads it."""
    lines = [
        f"name = {_string(rule.name)}",
        f"description = {_string(rule.description)}",
        f"prefer = {_string(rule.prefer)}  # the highest score, or the narrowest level that holds the floors",
        f"measure = {_string(rule.measure)}  # share, from chance (both percent left) or points",
        "",
        "[weights]  # by task; scores, perplexities or * stand for each that is not named",
        *(f"{_key(benchmark)} = {weight!r}" for benchmark, weight in rule.weights.items()),
        "",
        "[floors]  # share, from_chance, value or growth, each _at_least or _at_most",
    ]
    for benchmark in dict.fromkeys(floor.benchmark for floor in rule.floors):
        bounds = [
            f"{floor.measure.replace(' ', '_')}_at_{side} = {bound!r}"
            for floor in rule.floors
            for side, bound in (("least", floor.at_least), ("most", floor.at_most))
            if floor.benchmark == benchmark and bound is not None
        ]
        lines.append(f"{_key(benchmark)} = {{ {', '.join(bounds)} }}")
    return "\n".join(lines) + "\n"


def from_toml(text: str) -> Rule:
    """Raises:
    UserError: it is not TOML, or not a rule.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"This is not TOML: {error}.") from error
    keys = ("name", "description", "prefer", "measure", "weights", "floors")
    if unknown := sorted(set(table) - set(keys)):
        raise UserError(f"A rule has no '{unknown[0]}': it has {', '.join(keys)}.")
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError("A rule needs a name of small letters, digits, '-', '_' and '.', at most 40 characters.")
    description = table.get("description", "")
    if not isinstance(description, str):
        raise UserError("The description must be text in quotes.")
    rule = Rule(
        name=name,
        description=" ".join(description.split()),
        prefer=_one_of("prefer", table.get("prefer", "score"), PREFERENCES),
        measure=_one_of("measure", table.get("measure", "share"), MEASURES),
        weights=_weights(table.get("weights", {})),
        floors=_floors(table.get("floors", {})),
    )
    if rule.prefer == "score" and not any(rule.weights.values()):
        raise UserError('A rule that prefers the highest score needs a weight above 0, such as `"*" = 1`.')
    if rule.prefer == "narrowest" and not rule.floors:
        raise UserError("A rule that prefers the narrowest level needs a floor, or that would always be the last one.")
    return rule


def _one_of(what: str, value: object, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise UserError(f"'{value}' is no {what}: it is {', '.join(choices[:-1])} or {choices[-1]}.")
    return str(value)


def _weights(table: object) -> dict[str, float]:
    if not isinstance(table, dict):
        raise UserError("The weights must be a table: `[weights]`, then a line such as `mmlu = 1` for each.")
    weights = {benchmark: _number(f"The weight of {benchmark}", weight) for benchmark, weight in table.items()}
    for benchmark, weight in weights.items():
        if weight < 0:
            raise UserError(f"The weight of {benchmark} is {weight:g}: it must be 0 or more.")
    return weights


def _floors(table: object) -> tuple[Floor, ...]:
    if not isinstance(table, dict) or not all(isinstance(bounds, dict) for bounds in table.values()):
        raise UserError("The floors must be a table: `[floors]`, then lines such as `mmlu = { share_at_least = 90 }`.")
    floors: dict[tuple[str, str], dict[str, float]] = {}
    for benchmark, bounds in table.items():
        for key, bound in bounds.items():
            match = _FLOOR.fullmatch(key)
            if match is None:
                raise UserError(
                    f"'{key}' is no floor: it is share, from_chance, value or growth, and then _at_least or _at_most."
                )
            measure = match["measure"].replace("_", " ")
            at = floors.setdefault((benchmark, measure), {})
            at[f"at_{match['side']}"] = _number(f"The floor {key} of {benchmark}", bound)
    for (benchmark, measure), at in floors.items():
        if at.get("at_least", -math.inf) > at.get("at_most", math.inf):
            raise UserError(f"No level can hold the floors of {benchmark}: its {measure} at least exceeds its at most.")
    return tuple(Floor(benchmark, measure, **at) for (benchmark, measure), at in floors.items())


def _number(what: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{what} is {value!r}: it must be a number.")
    return float(value)


def _with_tasks(con: DuckDBPyConnection, rule: Rule) -> Rule:
    """The rule with lm-eval's names of its benchmarks."""
    rows = con.execute(statements.query("rule_benchmarks")).fetchall()
    tasks = {name.lower(): task for task, benchmark, _ in rows for name in (benchmark, task)}
    perplexities = {task for task, _, kind in rows if kind == "perplexity"} | {"perplexities"}

    def task(name: str) -> str:
        if name in GROUPS:
            return name
        if (match := tasks.get(name.lower())) is None:
            close = get_close_matches(name.lower(), tasks, n=3, cutoff=0.5)
            meant = f": is it {' or '.join(dict.fromkeys(tasks[one] for one in close))}?" if close else "."
            raise UserError(f"There is no benchmark '{name}'{meant}")
        return match

    weights: dict[str, float] = {}
    for name, weight in rule.weights.items():
        if task(name) in weights:
            raise UserError(f"The benchmark {task(name)} has two weights.")
        weights[task(name)] = weight
        if rule.measure == "points" and task(name) in perplexities and weight > 0:
            raise UserError(f"{name} cannot be weighed in points: a perplexity has none. Choose the measure share.")
    floors = tuple(Floor(task(one.benchmark), one.measure, one.at_least, one.at_most) for one in rule.floors)
    return Rule(rule.name, rule.description, rule.prefer, rule.measure, weights, floors)


def _version(con: DuckDBPyConnection, query: str, parameters: dict[str, Any]) -> int:
    return con.execute(statements.query(query), parameters).fetchall()[0][0]


def _rules(con: DuckDBPyConnection) -> list[Rule]:
    return [
        Rule(
            name=name, description=description, prefer=prefer, measure=measure,
            weights={one["benchmark"]: one["weight"] for one in weights or ()},
            floors=tuple(Floor(**one) for one in floors or ()),
            preset=preset, version=version, in_use=in_use,
        )
        for name, in_use, prefer, measure, weights, floors, description, preset, version in con.execute(
            statements.query("rules")
        ).fetchall()
    ]  # fmt: skip


def _find(rules: list[Rule], name: str) -> Rule:
    for rule in rules:
        if rule.name == name:
            return rule
    raise UserError(f"There is no rule '{name}': there is {', '.join(rule.name for rule in rules)}.")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)


def _string(text: str) -> str:
    """A basic string of TOML: quotes, backslashes and control characters escaped."""
    return '"' + "".join(
        f"\\{c}" if c in '"\\' else c if c.isprintable() else f"\\U{ord(c):08X}" for c in text
    ) + '"'  # fmt: skip
