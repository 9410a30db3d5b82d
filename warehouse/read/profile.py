"""What a run measured of its levels' cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from warehouse.records.measurements import MachineFacts
from warehouse.store import answers, db


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A row of `run_profile`: times in milliseconds, the half width that of a 95 % interval, energy in joules a token
    above idle, sizes in bytes. What is None was not measured; `missing` and `energy_missing` say why.
    """

    level: str
    pruning_pct: float
    width: str | None
    padded_size: int | None
    workload: str
    batch_size: int | None
    engine: str | None
    mode: str | None
    first_ms: float | None
    token_ms: float | None
    token_half_width: float | None
    token_p99: float | None
    drift_pct: float | None
    first_limit_share: float | None
    token_limit_share: float | None
    token_limited_by: str | None
    tokens_per_s: float | None
    prefill_joules: float | None
    decode_joules: float | None
    peak_bytes: float | None
    weights_bytes: float | None
    load_s: float | None
    clock_mhz: float | None
    celsius: float | None
    missing: str | None
    energy_missing: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """`machine` is None of an import that does not tell it, and before it was measured."""

    machine: MachineFacts | None
    rows: tuple[ProfileRow, ...]


def read_profile(path: Path, run_id: str, *, wait: float = 2.0) -> Profile:
    """Raises:
    UserError: as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        machines = answers.read(con, "run_machines", MachineFacts, {"run_id": run_id})
        rows = answers.read(con, "run_profile", ProfileRow, {"run_id": run_id})
    return Profile(machines[0] if machines else None, tuple(rows))
