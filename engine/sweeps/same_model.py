"""Whether a run that is started now would ask the model that an earlier one asked, told without loading it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine.demo.paths import MODEL_DIR
from engine.planning.methods import find_method
from engine.planning.model_files import local_folder
from engine.planning.plan import RunPlan
from engine.planning.suites import DEMO_MODEL
from engine.runs.rundir import RunDir
from engine.sweeps import cards
from warehouse.records.run_state import RunHistory

_MEASURING = ("prune-tui", "lm-eval")  # packages whose other version may measure otherwise


def asks_the_same(plan: RunPlan, run: RunDir, history: RunHistory) -> bool:
    """Same weights, dtype, task files and versions. What cannot be told is taken for another.

    Files count as the same if nothing in their folder has changed since the run was made; of a model on the hub the
    commit has to be the one that is in the cache.
    """
    provenance = (history.attempt.provenance if history.attempt is not None else None) or {}
    versions = provenance.get("versions") or {}
    package = find_method(plan.method).package
    packages = [*_MEASURING, *([package] if package else [])]
    if history.model is None or any(versions.get(name) != _version(name) for name in packages):
        return False
    if plan.dtype == "auto" and _kind(str(provenance.get("device"))) != _kind_now(plan.device):
        return False
    source = plan.calibration_source.file if plan.is_calibrated else None
    folders = [Path(path) for path in plan.include_paths] + ([Path(source)] if source is not None else [])
    if (folder := str(MODEL_DIR) if plan.model == DEMO_MODEL else local_folder(plan.model)) is not None:
        folders.append(Path(folder))
    elif not _is_commit(history.model.revision, plan):
        return False
    return _unchanged_since(run.created_at, folders)


def _unchanged_since(when: datetime, paths: Iterable[Path]) -> bool:
    limit = when.timestamp()
    try:
        for path in paths:
            for one in [path, *path.rglob("*")]:
                if "__pycache__" in one.parts:
                    continue
                status = one.stat()
                # A file that was moved here keeps the time of its content.
                if one.is_file() and max(status.st_mtime, status.st_ctime) >= limit:
                    return False
    except OSError:
        return False
    return True


def _is_commit(commit: str | None, plan: RunPlan) -> bool:
    return commit is not None and commit in (plan.revision, _cached_commit(plan.model, plan.revision))


def _cached_commit(model: str, revision: str | None) -> str | None:
    """The commit that a revision of a hub model means in the cache; None where nothing of it is here."""
    from huggingface_hub import try_to_load_from_cache  # only where a model of the hub was measured before

    found = try_to_load_from_cache(model, "config.json", revision=revision)
    return Path(found).parent.name if isinstance(found, str) else None


def _kind(device: str) -> str:
    return device.partition(":")[0]


def _kind_now(device: str) -> str:
    """What `auto` would be, as the driver tells it."""
    if device != "auto":
        return _kind(device)
    return "cuda" if cards.host_cards() else "unknown" if sys.platform == "darwin" else "cpu"


@cache
def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
