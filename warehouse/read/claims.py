"""The study's claims, and what the warehouse says of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from warehouse.store import answers, statements, studies

Verdict = Literal["supported", "not supported", "mixed", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one model says of a claim, or two sizes of a family: `larger` is None for a claim about single models."""

    model: str
    larger: str | None
    method: str
    conditions: str | None
    verdict: Verdict
    says: str | None
    missing: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: the study's words, how it is tested, and how many findings go which way.

    `version` is the version of the study's text that makes it, `v3_says` what version 3 changes in it, if known.
    """

    number: int
    title: str
    verdict: Verdict
    supporting: int
    mixed: int
    opposing: int
    cannot_tell: int
    missing: str | None
    study_says: str
    test: str
    needs: str
    findings: tuple[Finding, ...]
    version: str | None = None
    v3_says: str | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Claim:
        """A row of the query `claims`."""
        columns = {name: record[name] for name in cls.__dataclass_fields__ if name not in ("number", "findings")}
        findings = tuple(Finding(**one) for one in record["findings"] or ())
        return cls(number=record["claim"], findings=findings, **columns)


@dataclass(frozen=True, slots=True)
class ClaimModel:
    """A model that the claims can be asked of, and when the last of its runs began."""

    model_id: str
    model: str
    latest: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One number that a claim is about; interval in percent of the baseline, None where no error can be given."""

    claim: int
    model: str
    method: str
    conditions: str | None
    benchmark: str
    num_fewshot: int | None
    pruning_pct: float
    baseline: float
    value: float
    delta_pct: float
    ci_low_pct: float | None
    ci_high_pct: float | None
    p_holm: float | None
    verdict: Literal["gain", "loss", "noise"] | None
    stderr_kind: str | None


def read_claims(path: Path, models: Sequence[str] = ()) -> tuple[list[Claim], list[Change]]:
    """Every claim, and the numbers for them: of these models alone, as if the file held no others; of all, if none.

    Raises:
        UserError: no such model; or as `db.open_read`.
    """
    from warehouse.read.runs import find_models
    from warehouse.store import (
        db,  # the dashboard takes the rest of this module, and starts without duckdb
    )

    with db.open_read(path) as con:
        ids = list(dict.fromkeys(one.model_id for name in models for one in find_models(con, name)))
        names = ("claims", "claim_numbers")
        studies.make_for(con, "\n".join(map(statements.query, names)))
        claims, numbers = (answers.ask(con, name, {"models": ids or None}) for name in names)
    return [Claim.of(record) for record in claims], [Change(**record) for record in numbers]
