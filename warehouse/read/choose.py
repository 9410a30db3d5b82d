"""Which level to ship: what keeps most of the scores within a budget of memory, time and losses.

A budget is held where it is held beyond noise: the worse end of the 95 % interval is within it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import UserError
from warehouse.numbers import decimal_bytes
from warehouse.read.budget import Budget
from warehouse.read.costs import Cost, Figure, Width, chosen_device, costs
from warehouse.read.rules import read_rules
from warehouse.read.runs import find_models
from warehouse.store import answers, db

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Candidate:
    """One width, unpruned or pruned. `out` says what of the budget it does not hold beyond noise, `unknown` what nobody
    measured.
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
    with db.open_read(path, wait=wait) as con:
        ids = [one.model_id for one in find_models(con, model)]
    found = read_candidates(path, ids, rule=rule, batch=batch, device=device, workload=workload, wait=wait)
    if method is not None:
        kept = [one for one in found.candidates if not one.pruning_pct or one.method == method.lower()]
        found = replace(found, candidates=tuple(kept))
    if not any(one.pruning_pct for one in found.candidates):
        raise UserError(
            f"There is nothing to choose from: no pruned level of {model} was compared with the unpruned model."
        )
    return choose_among(path, found, budget, wait=wait)


def choose_among(path: Path, found: Candidates, budget: Budget, *, wait: float = 2.0) -> Choice:
    """The same of candidates that were read.

    Raises:
        UserError: a benchmark that the budget names was not measured; or as `db.open_read`.
    """
    changes: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    if budget.keep or budget.lose:
        with db.open_read(path, wait=wait) as con:
            changes = _changes(con, list({one.model_id: None for one in found.candidates}), budget)
    judged = [_judged(one, budget, changes) for one in found.candidates]
    fitting = sorted((one for one in judged if one.fits), key=lambda one: (-(one.score or 0.0), -one.pruning_pct))
    return Choice(found.rule, found.device, found.batch, tuple(fitting), tuple(one for one in judged if not one.fits))


@dataclass(frozen=True, slots=True)
class Candidates:
    """All widths of some models, as a rule scores them, and what they cost on one machine, if that is known."""

    rule: str
    device: str | None
    batch: int
    candidates: tuple[Candidate, ...]


def read_candidates(
    path: Path,
    model_ids: Sequence[str],
    *,
    rule: str | None = None,
    batch: int = 1,
    device: str | None = None,
    workload: str | None = None,
    wait: float = 2.0,
) -> Candidates:
    """Raises:
    UserError: there is no such rule or machine; or as `db.open_read`.
    """
    rules = read_rules(path)
    used = next((one for one in rules if (one.name == rule if rule else one.in_use)), None)
    if used is None:
        raise UserError(f"There is no rule '{rule}': there is {', '.join(one.name for one in rules)}.")
    with db.open_read(path, wait=wait) as con:
        levels = answers.ask(con, "choose_levels", {"rule": used.name, "model_ids": model_ids})
        figures = answers.read(con, "choose_figures", Figure, {"model_ids": model_ids, "batch": batch})
        sizes = answers.ask(con, "choose_sizes", {"model_ids": model_ids})
    where = chosen_device(figures, device)
    known = {_width(row): row["bytes"] for row in sizes}
    costs_of = costs([one for one in figures if one.device == where], batch, known, workload=workload)
    found = [*_unpruned(levels, costs_of), *(_pruned(row, costs_of) for row in levels)]
    return Candidates(used.name, where, batch, tuple(found))


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
    out, unknown = list(one.out), list(one.unknown)
    cost = one.cost
    if budget.memory is not None:
        if cost.memory is None:
            unknown.append("its memory is not known")
        elif cost.memory > budget.memory:
            out.append(f"{decimal_bytes(cost.memory)} of {'weights' if cost.memory_is == 'weights' else 'memory'}")
    if budget.ms is not None:
        if cost.ms is None:
            unknown.append(f"its time a token is not known: {cost.why_unknown}")
        else:
            _hold(_time(cost.ms, cost.ms_noise, budget.ms), out, unknown)
    if one.pruning_pct:
        rows = changes.get(
            (one.model_id, one.method, one.repair, one.pruning_pct, one.intermediate_size, one.conditions), ()
        )
        budgets = [(name, _share, least) for name, least in budget.keep.items()]
        budgets += [(name, _points, most) for name, most in budget.lose.items()]
        for name, room_of, bound in budgets:
            own = [row for row in rows if name.lower() in (row["task"].lower(), row["benchmark"].lower())]
            if not own:
                unknown.append(f"{name} was not measured")
            for row in own:  # each number of shots has to hold
                _hold(room_of(row, bound), out, unknown)
    return replace(one, out=tuple(out), unknown=tuple(unknown))


@dataclass(frozen=True, slots=True)
class _Room:
    """What is left of a budget by the figure, and the worse end of its 95 % interval; negative where it is broken."""

    said: str
    by_figure: float | None = None
    at_worst: float | None = None
    worst: str = ""


def _hold(room: _Room, out: list[str], unknown: list[str]) -> None:
    if room.by_figure is None:
        unknown.append(room.said)
    elif room.by_figure < 0:
        out.append(room.said)
    elif room.at_worst is None:
        unknown.append(f"{room.said}, and how surely is not known")
    elif room.at_worst < 0:
        out.append(f"{room.said}, or {room.worst} within noise")


def _time(ms: float, noise: float | None, most: float) -> _Room:
    said = f"{ms:.3g} ms a token"
    return _Room(said, most - ms) if noise is None else _Room(said, most - ms, most - ms - noise, f"{ms + noise:.3g}")


def _share(row: Mapping[str, Any], least: float) -> _Room:
    value, baseline = row["value"], row["baseline"]
    higher = row["higher_is_better"] is not False
    over, under = (value, baseline) if higher else (baseline, value)
    if not under or under < 0:
        return _Room(f"{row['benchmark']} has no share to keep")
    share = over / under
    said = f"{row['benchmark']} keeps {100 * share:.1f} %"
    end = row["ci_low_pct" if higher else "ci_high_pct"]
    if end is None:
        return _Room(said, share - least)
    ratio = 1 + end / 100
    worst = ratio if higher else 1 / ratio
    return _Room(said, share - least, worst - least, f"{100 * worst:.1f} %")


def _points(row: Mapping[str, Any], most: float) -> _Room:
    if row["kind"] == "perplexity":
        return _Room(f"{row['benchmark']} is a perplexity, which has no points")
    higher = row["higher_is_better"] is not False
    lost = 100 * row["delta"] * (-1 if higher else 1)
    said = f"{row['benchmark']} loses {lost:.2f} points" if lost > 0 else f"{row['benchmark']} gains {-lost:.2f} points"
    end = row["ci_low" if higher else "ci_high"]
    if end is None:
        return _Room(said, most - lost)
    worst = 100 * end * (-1 if higher else 1)
    return _Room(said, most - lost, most - worst, f"{'a loss of ' if lost <= 0 else ''}{worst:.2f}")
