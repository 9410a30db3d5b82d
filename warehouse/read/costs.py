"""What a width costs on one machine: the best of the ways to answer with it, each held to its slowest workload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from warehouse.errors import UserError

Width = tuple[str, str, str, float, int | None]
"""Model, method, repair (none and none of the unpruned model), percent removed, and neurons left."""
Way = tuple[str, str, str]
"""Engine, mode, and exact or padded; engine and mode are empty for imports."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of `choose_figures`."""

    model_id: str
    method: str
    repair: str
    pruning_pct: float
    intermediate_size: int | None
    device: str | None
    workload: str
    prompt_tokens: int | None
    new_tokens: int | None
    engine: str
    mode: str
    width: str
    padded_size: int | None
    phase: str | None
    quantity: str
    mean: float | None
    half_width: float | None
    drift_pct: float | None
    note: str | None
    recorded_at: datetime

    @property
    def of(self) -> Width:
        return self.model_id, self.method, self.repair, self.pruning_pct, self.intermediate_size

    @property
    def way(self) -> Way:
        return self.engine, self.mode, self.width

    @property
    def noise(self) -> float | None:
        """Half of the interval, or half of what the rounds drifted apart, whichever is more; in the unit."""
        known = [self.half_width] if self.half_width is not None else []
        if self.drift_pct is not None and self.mean is not None:
            known.append(abs(self.mean) * self.drift_pct / 200)
        return max(known, default=None)


@dataclass(frozen=True, slots=True)
class Cost:
    """`ms` is per token of one request, `first_ms` to the first token, both of the slowest workload; `memory` in bytes
    is the peak of the largest, or that of the weights alone where `memory_is` says so; `joules` a token of the dearest.
    None where nobody measured it.
    """

    ms: float | None = None
    ms_noise: float | None = None
    first_ms: float | None = None
    joules: float | None = None
    joules_noise: float | None = None
    memory: float | None = None
    memory_is: str = "weights"
    way: str = ""
    workload: str = ""
    why_unknown: str = ""
    why_no_joules: str = ""


def chosen_device(figures: Sequence[Figure], named: str | None) -> str | None:
    """The machine whose name has this in it, or the one measured last.

    Raises:
        UserError: there is no such one.
    """
    devices = list(dict.fromkeys(figure.device for figure in figures if figure.device is not None))
    if named is None:
        return devices[-1] if devices else None
    fits = [device for device in devices if named.lower() in device.lower()]
    if not fits:
        there = f": there is {', '.join(devices)}" if devices else ": nothing was profiled"
        raise UserError(f"Nothing was measured on a machine '{named}'{there}.")
    return fits[-1]


def costs(
    figures: Iterable[Figure], batch: int, sizes: Mapping[Width, int | None], *, workload: str | None = None
) -> dict[Width, Cost]:
    """The cost of every width of which there are figures, or a size; of one machine."""
    wanted = [one for one in figures if workload in (None, one.workload) or one.quantity == "weights"]
    times = [one for one in wanted if _is_time(one)]
    needed: dict[Way, set[str]] = defaultdict(set)
    for one in times:
        if one.mean is not None:
            needed[one.way].add(one.workload)
    of: dict[Width, list[Figure]] = defaultdict(list)
    for one in wanted:
        of[one.of].append(one)
    found = {width: _best(rows, needed, batch) for width, rows in of.items()}
    for width, size in sizes.items():
        if size is not None and (width not in found or found[width].memory is None):
            before = found.get(width, Cost(why_unknown="it was not profiled"))
            found[width] = replace(before, memory=float(size), memory_is="weights")
    return found


def _is_time(one: Figure) -> bool:
    """Per token written: a profile's steps of decoding, or an import's whole requests over their new tokens."""
    return one.quantity == "time_per_output_token" or (one.quantity == "throughput" and one.phase is None)


def _best(rows: Sequence[Figure], needed: Mapping[Way, set[str]], batch: int) -> Cost:
    """The fastest way that was measured under all workloads that other widths were."""
    usable: list[tuple[float, float | None, Way, str]] = []
    lacking = ""
    for way, workloads in needed.items():
        times = {one.workload: one for one in rows if one.way == way and _is_time(one)}
        missing = [name for name in sorted(workloads) if name not in times or times[name].mean is None]
        if missing:
            row = times.get(missing[0])
            lacking = lacking or f"{missing[0]} was not measured" + (f" ({row.note})" if row and row.note else "")
            continue
        worst = max((_ms(times[name], batch) for name in workloads), key=lambda one: one[0])
        usable.append((*worst[:2], way, worst[2]))
    weights = [one.mean for one in rows if one.quantity == "weights" and one.mean is not None]
    if not usable:
        return Cost(memory=min(weights, default=None), why_unknown=lacking or "its time was not measured")
    ms, noise, way, slowest = min(usable, key=lambda one: one[0])
    own = [one for one in rows if one.way == way and one.mean is not None]
    peaks = [one.mean for one in own if one.quantity == "peak_memory" and one.mean is not None]
    first = [one.mean for one in own if one.quantity == "time_to_first_token" and one.mean is not None]
    energies = [
        (one.mean, one.noise) for one in own
        if one.quantity == "joules_per_token" and one.phase in (None, "decode") and one.mean is not None
    ]  # fmt: skip
    joules, joules_noise = max(energies, key=lambda one: one[0], default=(None, None))
    no_joules = [one.note for one in rows if one.quantity == "joules_per_token" and one.mean is None and one.note]
    of_width = [one.mean for one in rows if one.quantity == "weights" and one.width == way[2] and one.mean is not None]
    return Cost(
        ms=ms,
        ms_noise=noise,
        first_ms=max(first, default=None),
        joules=joules,
        joules_noise=joules_noise,
        why_no_joules="" if energies else next(iter(no_joules), ""),
        memory=max(peaks, default=None) or max(of_width, default=None),
        memory_is="peak" if peaks else "weights",
        way=", ".join(way) if way[0] else "",
        workload=slowest,
    )


def _ms(one: Figure, batch: int) -> tuple[float, float | None, str]:
    """Milliseconds a token of one request, and their noise."""
    assert one.mean is not None
    if one.quantity == "time_per_output_token":
        return one.mean, one.noise, one.workload
    ms = 1000 * batch / one.mean
    return ms, None if one.noise is None else ms * one.noise / one.mean, one.workload
