"""All that is to be said of one run, from its folder or from the database: the same fields either way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UserError
from engine.runs.digests import Digest
from engine.runs.rundir import RunDir
from tui.cli import known_runs, session
from tui.cli.known_runs import KnownRun
from warehouse.commands import hint

if TYPE_CHECKING:
    from warehouse.read.runs import StoredRun

_RESUMABLE = ("queued", "interrupted", "stopped", "finished with failures", "refused", "crashed")


def run_facts(known: KnownRun, db: Path) -> dict[str, Any]:
    """In plain values. `session.summary_of` has what `runs` tells; the rest is of this run alone.

    Raises:
        UserError: plan or journal are damaged; or as `db.open_read`.
    """
    if known.folder is not None:
        return _of_folder(known.folder, db)
    from warehouse.read.runs import list_runs, stored_run

    stored = stored_run(db, known.run_id)
    if stored is None:
        raise UserError(f"Run {known.run_id} was just deleted.")
    summary = next(one for one in list_runs(db) if one.run_id == known.run_id)
    return known_runs.plain(summary, db) | _of_database(stored)


def _of_folder(run: RunDir, db: Path) -> dict[str, Any]:
    history, _ = run.history()
    facts = session.summary_of(run, Digest.of(run, history))
    plan, model, attempt = run.plan, history.model, history.attempt
    conditions = None if history.plan is None else history.plan.label
    again = hint("resume", run.run_id, db=db) if facts["state"] in _RESUMABLE else None
    return facts | {
        "parameters": model.parameters if model else None,
        "revision": (model.revision if model else None) or plan.revision,
        "suite": plan.suite,
        "tasks": list(map(str, plan.tasks)),
        "conditions": conditions,
        "source": None,
        "ended_at": None if history.end is None else datetime.fromtimestamp(history.now, UTC).isoformat(),
        "seconds_worked": round(history.elapsed(), 3),
        "host": attempt.host if attempt else None,
        "device": _device((attempt.provenance if attempt else None) or {}, plan.device),
        "note": history.note or None,
        "resume": again,
        "plan": plan.to_dict(),
    }


def _of_database(run: StoredRun) -> dict[str, Any]:
    plan = json.loads(run.plan) if run.plan else {}
    return {
        "failures": run.failures,
        "parameters": run.parameters,
        "revision": run.revision,
        "suite": run.suite,
        "tasks": run.tasks,
        "conditions": run.conditions,
        "source": plan.get("source"),
        "ended_at": None if run.last_cell_at is None else run.last_cell_at.replace(tzinfo=UTC).isoformat(),
        "seconds_worked": None,
        "host": run.host,
        "device": None,
        "note": None,
        "resume": None,
        "plan": plan,
    }


def _device(provenance: dict[str, Any], planned: str) -> str:
    """What it ran on, else what it is to run on."""
    gpu = provenance.get("gpu")
    return gpu["name"] if gpu else provenance.get("device") or planned
