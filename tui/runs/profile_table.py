"""A profile as rows of text: the command line and the dashboard show the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from engine.planning.profiling import OPEN
from warehouse.numbers import decimal_bytes
from warehouse.read.profile import Profile, ProfileRow
from warehouse.records.measurements import MachineFacts
from warehouse.text import one_line

HEADER = ("level", "width", "first token", "ms/token", "drift", "tokens/s", "of limit", "J/token", "peak", "weights")
NUMBERS = HEADER[2:]


def tables(profile: Profile) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """A table for each workload and way to answer: its title, and a row for each width."""
    for (workload, engine, mode), rows in groupby(profile.rows, key=lambda row: (row.workload, row.engine, row.mode)):
        yield ", ".join(filter(None, (workload, engine, mode))), [cells(row) for row in rows]


def cells(row: ProfileRow) -> tuple[str, ...]:
    """As HEADER has them; what is missing says why in the place of the time."""
    width = "" if row.width is None else f"{row.padded_size} {row.width}" if row.padded_size else row.width
    if row.batch_size is not None and OPEN in row.workload:
        width += f", {row.batch_size} at a time"
    half = "" if row.token_half_width is None else f" ±{row.token_half_width:.2g}"
    limit = "" if row.token_limit_share is None else f"{row.token_limit_share:.0%} {row.token_limited_by}"
    return (
        f"{row.pruning_pct:.4g}%",
        width,
        one_line(row.missing) if row.missing and row.token_ms is None else _ms(row.first_ms),
        "" if row.token_ms is None else f"{row.token_ms:.3g}{half}",
        "" if row.drift_pct is None else f"{row.drift_pct:.1f}%",
        "" if row.tokens_per_s is None else f"{row.tokens_per_s:,.0f}",
        limit,
        "" if row.decode_joules is None else f"{row.decode_joules:.3g}",
        "" if row.peak_bytes is None else decimal_bytes(row.peak_bytes),
        "" if row.weights_bytes is None else decimal_bytes(row.weights_bytes),
    )


def machine_line(machine: MachineFacts) -> str:
    """What the figures are held against."""
    parts = [machine.device]
    if machine.copy_rate is not None and machine.matrix_rate is not None:
        parts.append(
            f"copies {machine.copy_rate / 1e9:,.0f} GB/s, multiplies {machine.matrix_rate / 1e12:,.2f} TFLOP/s"
        )
    if machine.idle_power is not None:
        parts.append(f"{machine.idle_power:.0f} W idle by {machine.energy_source}")
    if machine.power_limit is not None:
        parts.append(f"{machine.power_limit:.0f} W at most")
    parts += filter(None, (machine.rates_missing, machine.energy_missing and f"no energy: {machine.energy_missing}"))
    return one_line("; ".join(parts))


def drift_line(profile: Profile) -> str | None:
    """How far rounds are apart at most, and whether intervals show it; None of a single round."""
    drifted = [row for row in profile.rows if row.drift_pct is not None]
    if not drifted:
        return None
    most = max(drifted, key=lambda row: row.drift_pct or 0.0)
    hidden = sum(_is_hidden(row) for row in drifted)
    which = ", ".join(filter(None, (f"level {most.level}", most.width, most.workload, most.engine, most.mode)))
    told = f"rounds are up to {most.drift_pct:.1f}% apart ({which})"
    return one_line(f"{told}; of {hidden} of {len(drifted)} figures that is more than their ±" if hidden else told)


def _is_hidden(row: ProfileRow) -> bool:
    """Whether the rounds' means are further apart than the interval is wide."""
    if row.drift_pct is None or row.token_ms is None or row.token_half_width is None:
        return False
    return row.drift_pct / 100 * row.token_ms > 2 * row.token_half_width


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.3g} ms" if value < 1000 else f"{value:,.0f} ms"
