"""How the study's claims are told: the same words on the command line, in Markdown and in the dashboard."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from warehouse.exporters.markdown import escape, table_lines
from warehouse.numbers import format_change
from warehouse.read.claims import Change, Claim, Finding
from warehouse.records.names import short_name

GLYPHS = {"supported": "✓", "not supported": "✗", "mixed": "±", "cannot tell": "?"}
MARKS = {"gain": "▲", "loss": "▼", "noise": "≈", None: "?"}
LEGEND = "▲ gain, ▼ loss beyond noise; ≈ within noise; ? no error is known"
NO_NUMBERS = "Nothing that this claim is about was measured."

Line = tuple[str, str, dict[float, Change]]
"""A model, a benchmark, and its change at each level."""


def verdict(claim: Claim) -> str:
    """`± mixed: 2 of 3 support it`."""
    decided = len(claim.findings) - claim.cannot_tell
    return f"{GLYPHS[claim.verdict]} {claim.verdict}" + (
        f": {claim.supporting} of {decided} support it" if decided else ""
    )


def summary(claims: Sequence[Claim]) -> str:
    """`2 supported, 7 mixed, 2 not supported`."""
    counts = Counter(claim.verdict for claim in claims)
    return ", ".join(f"{counts[name]} {name}" for name in GLYPHS if counts[name]) or "no claims"


def who(finding: Finding, findings: Iterable[Finding]) -> str:
    """The model or the two of them; method and conditions where they tell findings apart."""
    findings = list(findings)
    names = short_name(finding.model) + (f" → {short_name(finding.larger)}" if finding.larger else "")
    more = [
        text
        for text, others in (
            (finding.method, {one.method for one in findings}),
            (finding.conditions or "conditions not known", {one.conditions for one in findings}),
        )
        if len(others) > 1
    ]
    return f"{names} ({', '.join(more)})" if more else names


def why(finding: Finding) -> str:
    """The numbers that decide, and what is missing."""
    missing = f"Missing: {finding.missing}." if finding.missing else ""
    return " ".join(part for part in (f"{finding.says}." if finding.says else "", missing) if part)


def lines(changes: Iterable[Change], number: int) -> tuple[list[float], list[Line]]:
    """The levels of a claim's numbers, and a line for each model and benchmark."""
    mine = [change for change in changes if change.claim == number]
    many = {name: len({getattr(one, name) for one in mine}) > 1 for name in ("method", "conditions")}
    shots: defaultdict[tuple[Any, ...], set[int | None]] = defaultdict(set)
    for change in mine:
        shots[change.model, change.method, change.conditions, change.benchmark].add(change.num_fewshot)
    by_key: dict[tuple[Any, ...], Line] = {}
    for change in mine:
        key = (change.model, change.method, change.conditions, change.benchmark, change.num_fewshot)
        apart = [str(getattr(change, name)) for name in many if many[name]]
        model = short_name(change.model) + (f" ({', '.join(apart)})" if apart else "")
        name = change.benchmark if len(shots[key[:-1]]) == 1 else f"{change.benchmark} {_shots(change)}"
        by_key.setdefault(key, (model, name, {}))[2][change.pruning_pct] = change
    return sorted({change.pruning_pct for change in mine}), list(by_key.values())


def _shots(change: Change) -> str:
    if change.num_fewshot is None:
        return "(shots not known)"
    return "(various shots)" if change.num_fewshot < 0 else f"({change.num_fewshot}-shot)"


def cell(change: Change | None) -> str:
    """`▲ +75.0%`."""
    return "–" if change is None else f"{MARKS[change.verdict]} {format_change(change.delta_pct)}"


def document(claims: Sequence[Claim], changes: Sequence[Change]) -> str:
    """The page in Markdown."""
    parts = [
        "# The study's claims",
        'What the "Key Observations" of Martra 2025 (arXiv 2512.22671, versions 1 and 2) say, held against what this '
        "database holds: "
        f"{summary(claims)}. `prune-tui claims --format markdown` writes this page from the results in any database; "
        "the views `claims`, `claim_findings` and `claim_numbers` are behind it.",
        "Version 3 (12 June 2026) calls the criterion that the study prunes by PPM, peak-to-peak magnitude, where the "
        "earlier ones say MAW; it no longer claims the correlation of −0.864 between knowledge and truthfulness, "
        "nor that up to 23 % of the energy is saved (which none of these claims is about), and of IFEval it names "
        "+4.8 and +3.7 points at the expansion ratio 2.4. Where that bears on a claim, the claim says so.",
        table_lines(
            ["#", "Claim", "Verdict", "Support it", "Mixed", "Do not", "Cannot tell"],
            [
                [str(one.number), escape(one.title), f"{GLYPHS[one.verdict]} {one.verdict}"]
                + [str(count) for count in (one.supporting, one.mixed, one.opposing, one.cannot_tell)]
                for one in claims
            ],
            right=(0, 3, 4, 5, 6),
        ),
        "The last columns count models, or pairs of sizes of one family: whichever the database holds, though the "
        "study speaks of Llama-3.2-1B and 3B, not of their Instruct versions. "
        f"In the tables of changes: {LEGEND}, after Holm's correction over the benchmarks of one level. What a claim "
        "counts over levels is corrected over all benchmarks and levels of the model together. Where a score "
        "came without an error, it is binomial (an upper bound, for the number of questions that lm-eval scores); "
        "perplexities without one have none. Means over levels take the mean of the levels' errors, an upper bound. "
        "Intervals are of 95 %. One run of each level: what another seed, prompt or harness would change is in none of "
        "these errors.",
    ]
    for claim in claims:
        parts += [f"## {claim.number}. {escape(claim.title)}", f"**{verdict(claim)}.**"]
        parts += [f"The study – {escape(claim.study_says)}", f"The test – {escape(claim.test)}"]
        if claim.v3_says:
            parts.append(f"Version 3 – {escape(claim.v3_says)}")
        if claim.findings:
            rows = [
                [escape(who(one, claim.findings)), f"{GLYPHS[one.verdict]} {one.verdict}", escape(why(one))]
                for one in claim.findings
            ]
            parts.append(table_lines(["Model", "Verdict", "Numbers"], rows))
        elif claim.missing:
            parts.append(f"Missing: {escape(claim.missing)}.")
        levels, of_claim = lines(changes, claim.number)
        if of_claim:
            header = ["Model", "Benchmark", *(f"{level:g}%" for level in levels)]
            rows = [
                [escape(model), escape(name), *(cell(at.get(level)) for level in levels)]
                for model, name, at in of_claim
            ]
            parts.append(table_lines(header, rows, right=range(2, len(header))))
    return "\n\n".join(parts) + "\n"
