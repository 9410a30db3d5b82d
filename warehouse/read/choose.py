"""Which level to ship: what keeps most of the scores within a budget of memory, time and losses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import UserError
from warehouse.read.costs import Cost, Figure, Width, chosen_device, costs
from warehouse.read.rules import read_rules
from warehouse.read.runs import find_models
from warehouse.store import answers, db

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`memory` in bytes, `ms` a token of one request; `keep` says which share of the unpruned score (0.9) benchmarks
    have to keep, `lose` how many points (of 100) they may lose.
    """

    memory: float | None = None
    ms: float | None = None
    keep: Mapping[str, float] = field(default_factory=dict[str, float])
    lose: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Candidate:
    """One width, unpruned or pruned. `out` says what of the budget it breaks, `unknown` what nobody measured, `close`
    what it holds or breaks within noise.
    """

    model_id: str
    model: str
    method: str
    repair: str
    conditions: str | None
    pruning_pct: float
    intermediate_size: int | None
    score: float | None
    score_stderr: float | None
    unit: str
    cost: Cost
    out: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    close: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.out and not self.unknown and self.score is not None

    def clear_of(self, other: Candidate) -> bool | None:
        """Whether the scores differ beyond noise (95 %), the two taken as independent; None if unknown."""
        if None in (self.score, other.score, self.score_stderr, other.score_stderr):
            return None
        error = ((self.score_stderr or 0.0) ** 2 + (other.score_stderr or 0.0) ** 2) ** 0.5
        return abs((self.score or 0.0) - (other.score or 0.0)) > _Z95 * error


@dataclass(frozen=True, slots=True)
class Choice:
    """`fitting` from the best on; `others` are out, or cannot be judged."""

    rule: str
    device: str | None
    batch: int
    fitting: tuple[Candidate, ...]
    others: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate | None:
        return self.fitting[0] if self.fitting else None


def choose(
    path: Path,
    model: str,
    budget: Budget,
    *,
    rule: str | None = None,
    method: str | None = None,
    batch: int = 1,
    device: str | None = None,
    workload: str | None = None,
    wait: float = 2.0,
) -> Choice:
    """Every width of a model against a budget.

    Raises:
        UserError: there is no such model, rule, machine or benchmark, or no pruned level; or as `db.open_read`.
    """
    rules = read_rules(path)
    used = next((one for one in rules if (one.name == rule if rule else one.in_use)), None)
    if used is None:
        raise UserError(f"There is no rule '{rule}': there is {', '.join(one.name for one in rules)}.")
    with db.open_read(path, wait=wait) as con:
        ids = [one.model_id for one in find_models(con, model)]
        levels = answers.ask(con, "choose_levels", {"rule": used.name, "model_ids": ids})
        figures = answers.read(con, "choose_figures", Figure, {"model_ids": ids, "batch": batch})
        sizes = answers.ask(con, "choose_sizes", {"model_ids": ids})
        changes = _changes(con, ids, budget)
    if method is not None:
        levels = [row for row in levels if row["method"] == method.lower()]
    if not levels:
        raise UserError(
            f"There is nothing to choose from: no pruned level of {model} was compared with the unpruned model."
        )
    where = chosen_device(figures, device)
    known = {_width(row): row["bytes"] for row in sizes}
    costs_of = costs([one for one in figures if one.device == where], batch, known, workload=workload)
    candidates = [*_unpruned(levels, costs_of), *(_pruned(row, costs_of) for row in levels)]
    judged = [_judged(one, budget, changes) for one in candidates]
    fitting = sorted((one for one in judged if one.fits), key=lambda one: (-(one.score or 0.0), -one.pruning_pct))
    return Choice(used.name, where, batch, tuple(fitting), tuple(one for one in judged if not one.fits))


def _width(row: Mapping[str, Any]) -> Width:
    return row["model_id"], row["method"], row["repair"], row["pruning_pct"], row["intermediate_size"]


def _pruned(row: Mapping[str, Any], costs_of: Mapping[Width, Cost]) -> Candidate:
    why = (row["out_because"],) if row["out_because"] is not None else ()
    told = {name: row[name] for name in ("model_id", "model", "method", "repair", "conditions", "pruning_pct")}
    return Candidate(
        **told,
        intermediate_size=row["intermediate_size"],
        score=row["score"],
        score_stderr=row["score_stderr"],
        unit=row["unit"],
        cost=costs_of.get(_width(row), Cost(why_unknown="it was not profiled")),
        out=() if row["is_unknown"] else why,
        unknown=why if row["is_unknown"] else (),
    )


def _unpruned(levels: Sequence[Mapping[str, Any]], costs_of: Mapping[Width, Cost]) -> list[Candidate]:
    """The model as it is, once for each condition: it keeps all, and loses no points."""
    found: dict[tuple[str, str | None], Candidate] = {}
    for row in levels:
        of_model = [width for width in costs_of if width[0] == row["model_id"] and width[3] == 0]
        cost = costs_of[of_model[0]] if of_model else Cost(why_unknown="it was not profiled")
        found[row["model_id"], row["conditions"]] = Candidate(
            row["model_id"], row["model"], "none", "none", row["conditions"], 0.0, None,
            0.0 if row["unit"] == "points" else 100.0, 0.0, row["unit"], cost,
        )  # fmt: skip
    return list({one.model_id: one for one in found.values()}.values())


def _changes(con: DuckDBPyConnection, ids: list[str], budget: Budget) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    """By width and conditions; raises UserError where a benchmark that is named was measured nowhere."""
    names = {name.lower() for name in (*budget.keep, *budget.lose)}
    rows = answers.ask(con, "choose_changes", {"model_ids": ids, "names": sorted(names)}) if names else []
    known = {str(row[by]).lower() for row in rows for by in ("task", "benchmark")}
    if missing := sorted(names - known):
        raise UserError(f"'{missing[0]}' was not measured of this model, pruned and unpruned: name another benchmark.")
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[(*_width(row), row["conditions"])].append(row)
    return found


def _judged(
    one: Candidate, budget: Budget, changes: Mapping[tuple[Any, ...], Sequence[Mapping[str, Any]]]
) -> Candidate:
    out, unknown, close = list(one.out), list(one.unknown), list(one.close)
    cost = one.cost
    if budget.memory is not None:
        if cost.memory is None:
            unknown.append("its memory is not known")
        elif cost.memory > budget.memory:
            out.append(f"{_gb(cost.memory)} of {'weights' if cost.memory_is == 'weights' else 'memory'}")
    if budget.ms is not None:
        if cost.ms is None:
            unknown.append(f"its time a token is not known: {cost.why_unknown}")
        else:
            said = f"{cost.ms:.3g} ms a token"
            if cost.ms > budget.ms:
                out.append(said)
            if cost.ms_noise is not None and abs(cost.ms - budget.ms) <= cost.ms_noise:
                close.append(said)
    if one.pruning_pct:
        rows = changes.get(
            (one.model_id, one.method, one.repair, one.pruning_pct, one.intermediate_size, one.conditions), ()
        )
        for name, least in budget.keep.items():
            _hold(name, rows, lambda row, least=least: _share(row, least), out, unknown, close)
        for name, most in budget.lose.items():
            _hold(name, rows, lambda row, most=most: _points(row, most), out, unknown, close)
    return replace(one, out=tuple(out), unknown=tuple(unknown), close=tuple(close))


def _hold(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    judge: Any,
    out: list[str],
    unknown: list[str],
    close: list[str],
) -> None:
    """Each measurement of a benchmark has to hold; `judge` gives what is said, the room left and its error."""
    own = [row for row in rows if name.lower() in (row["task"].lower(), row["benchmark"].lower())]
    if not own:
        unknown.append(f"{name} was not measured")
    for row in own:
        said, room, error = judge(row)
        if room is None:
            unknown.append(said)
            continue
        if room < 0:
            out.append(said)
        if error is not None and abs(room) <= _Z95 * error:
            close.append(said)


def _share(row: Mapping[str, Any], least: float) -> tuple[str, float | None, float | None]:
    value, baseline = row["value"], row["baseline"]
    higher = row["higher_is_better"] is not False
    over, under = (value, baseline) if higher else (baseline, value)
    if not under or under < 0:
        return f"{row['benchmark']} has no share to keep", None, None
    share = over / under
    error = None if row["stderr"] is None else row["stderr"] / abs(under)
    return f"{row['benchmark']} keeps {100 * share:.1f} %", share - least, error


def _points(row: Mapping[str, Any], most: float) -> tuple[str, float | None, float | None]:
    if row["kind"] == "perplexity":
        return f"{row['benchmark']} is a perplexity, which has no points", None, None
    lost = -100 * row["delta"] * (1 if row["higher_is_better"] is not False else -1)
    error = None if row["stderr"] is None else 100 * row["stderr"]
    said = f"{row['benchmark']} loses {lost:.2f} points" if lost > 0 else f"{row['benchmark']} gains {-lost:.2f} points"
    return said, most - lost, error


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB"
