"""Where an attempt at a run is made, in a word or two."""

from __future__ import annotations

from typing import Any

from warehouse.records.events import Attempt


def device_of(attempt: Attempt | None) -> str:
    """`gpu 1` by the driver's number, `gpu 0,1`, `cpu`, `mps`; empty where it was not recorded."""
    provenance: dict[str, Any] = (attempt.provenance if attempt is not None else None) or {}
    device = str(provenance.get("device") or "")
    if device.partition(":")[0] != "cuda":
        return device
    visible = (provenance.get("gpu") or {}).get("visible")
    if visible:
        return f"gpu {visible}"
    return f"gpu {device.partition(':')[2] or '0'}"


def visible_cards(device: str) -> list[int]:
    """The numbers in what `device_of` says; none where it is no GPU's, or named otherwise."""
    names = device.removeprefix("gpu ").split(",") if device[:4] == "gpu " else []
    return [int(name) for name in names] if all(name.strip().isdecimal() for name in names) else []
