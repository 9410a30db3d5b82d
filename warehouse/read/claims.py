"""The study's claims, and what the warehouse says of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from warehouse.store import answers

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
    from warehouse.store import db  # the dashboard takes the rest of this module, and starts without duckdb

    with db.open_read(path) as con:
        ids = list(dict.fromkeys(one.model_id for name in models for one in find_models(con, name)))
        claims, numbers = (answers.ask(con, name, {"models": ids or None}) for name in ("claims", "claim_numbers"))
    return claims_of(claims), changes_of(numbers)


def claims_of(rows: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Rows of the query `claims`."""
    return [
        Claim(
            number=row["claim"],
            findings=tuple(Finding(**one) for one in row["findings"] or ()),
            **{name: row[name] for name in Claim.__dataclass_fields__ if name not in ("number", "findings")},
        )
        for row in rows
    ]


def changes_of(rows: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Rows of the query `claim_numbers`."""
    return [Change(**row) for row in rows]
