"""What `doctor` looks at, one function a subject."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from engine.errors import UserError
from engine.gpu import driver_version, machine
from engine.planning import model_stack
from engine.planning.methods import broken_methods, pruning_methods
from engine.runs import rundir
from warehouse.commands import hint
from warehouse.errors import DatabaseBusyError
from warehouse.records.events import of_kind
from warehouse.records.facts import CellFacts
from warehouse.records.reading import Reading
from warehouse.records.run_state import RunState

_CUT_SHORT = (RunState.INTERRUPTED, RunState.CRASHED, RunState.STOPPED, RunState.FINISHED_WITH_FAILURES)
_PACKAGES = ("torch", "transformers", "lm-eval", "duckdb")
_HUB_SECONDS = 3
_TORCH_SECONDS = 120
_GIB = 2**30

_ASK_TORCH = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "built_for": torch.version.cuda,
    "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else [],
    "mps": torch.backends.mps.is_available(),
}))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """`problem` would stop a run; `note` is worth knowing."""

    subject: str
    verdict: Literal["fine", "note", "problem"]
    text: str
    advice: str = ""


def checks(db: Path) -> Iterator[Finding]:
    """Every finding, as it comes; the slow ones are torch (seconds) and the hub (at most 3)."""
    yield from versions()
    yield from methods()
    gpu = driver()
    yield gpu
    if not model_stack.missing():
        yield torch(gpu)
        yield hub()
        yield token()
    yield from disk(db)
    yield database(db)
    yield from runs(db)


def versions() -> Iterator[Finding]:
    installed = [f"Python {platform.python_version()}", f"prune-tui {version('prune-tui')}"]
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            installed.append(f"{package} {version(package)}")
    yield Finding("versions", "fine", ", ".join(installed))
    if missing := model_stack.missing():
        yield Finding(
            "versions",
            "problem",
            f"not installed: {', '.join(missing)}; results are read, and nothing is measured",
            "`pip install prune-tui` brings them.",
        )


def methods() -> Iterator[Finding]:
    """Pruning methods that other packages bring."""
    others = [f"{method.name} of {method.package}" for method in pruning_methods() if method.package]
    if others:
        yield Finding("pruning methods", "fine", ", ".join(others))
    for problem in broken_methods():
        yield Finding("pruning methods", "note", problem)


def driver() -> Finding:
    *cards, host = machine()
    if not cards:
        return Finding(
            "GPU",
            "note",
            f"no NVIDIA GPU can be used: {host.problem}",
            "Runs use the CPU (or Apple's GPU): fine for the demo, slow for real models. "
            "With an NVIDIA card, install its driver.",
        )
    text = f"{', '.join(map(_card, cards))}; driver {driver_version() or 'of unknown version'}"
    if any(card.problem for card in cards):
        return Finding("GPU", "note", text, "Restart the machine or the driver, or choose another GPU.")
    return Finding("GPU", "fine", text)


def _card(card: Reading) -> str:
    name = card.name or card.device.upper()
    if card.problem:
        return f"{name} ({card.problem})"
    if card.memory_free is None or card.memory_total is None:
        return f"{name} (memory not reported)"
    return f"{name} ({card.memory_free / _GIB:.0f} of {card.memory_total / _GIB:.0f} GiB free)"


def torch(gpu: Finding) -> Finding:
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-c", _ASK_TORCH], capture_output=True, text=True, timeout=_TORCH_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Finding(
            "torch", "problem", f"importing it took more than {_TORCH_SECONDS} s", "Look for a stuck GPU or disk."
        )
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
        return Finding("torch", "problem", f"it cannot be imported: {last}", "Install torch again.")
    seen = json.loads(answer.stdout.splitlines()[-1])
    if seen["devices"]:
        return Finding("torch", "fine", f"CUDA {seen['built_for']} on {', '.join(seen['devices'])}")
    if gpu.verdict == "fine":
        build = f"built for CUDA {seen['built_for']}" if seen["built_for"] else "a build without CUDA"
        return Finding(
            "torch",
            "note",
            f"it does not see the GPU: it is {build}",
            "Install the build for your driver from pytorch.org, and look at CUDA_VISIBLE_DEVICES.",
        )
    return Finding("torch", "fine", "Apple's GPU (mps)" if seen["mps"] else "CPU only")


def hub() -> Finding:
    from huggingface_hub import constants

    advice = "Local folders, cached models and the demo work without it; HF_ENDPOINT names a mirror."
    if constants.HF_HUB_OFFLINE:
        return Finding("hub", "note", "HF_HUB_OFFLINE is set: only what is in the cache is used", advice)
    outcome = [f"no answer within {_HUB_SECONDS} s"]

    def ask() -> None:
        request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=_HUB_SECONDS):
                outcome[0] = ""
        except urllib.error.HTTPError:
            outcome[0] = ""  # an answer all the same
        except (OSError, ValueError) as error:
            outcome[0] = str(getattr(error, "reason", error))

    # Looking up the name has no time limit of its own.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_HUB_SECONDS)
    if outcome[0]:
        return Finding("hub", "note", f"{constants.ENDPOINT} cannot be reached: {outcome[0]}", advice)
    return Finding("hub", "fine", f"{constants.ENDPOINT} answers")


def token() -> Finding:
    from huggingface_hub import get_token

    if get_token():
        return Finding("token", "fine", "there is one, for gated models")
    return Finding(
        "token", "note", "there is none", "Gated models (Llama, Gemma) need one: `hf auth login`, or HF_TOKEN."
    )


def disk(db: Path) -> Iterator[Finding]:
    folder = _existing(db.resolve().parent)
    free = shutil.disk_usage(folder).free
    text = f"{free / _GIB:.1f} GiB free for results in {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("disk", "problem", f"{folder} cannot be written", "Choose another place with --db.")
    elif free < _GIB / 10:
        yield Finding("disk", "problem", text, "Free some space, or choose another place with --db.")
    elif free < _GIB:
        yield Finding("disk", "note", text, "Results with per-document samples can take this much: free some space.")
    else:
        yield Finding("disk", "fine", text)
    if not model_stack.missing():
        yield _disk_for_models()


def _disk_for_models() -> Finding:
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    free = shutil.disk_usage(_existing(cache)).free
    text = f"{free / _GIB:.1f} GiB free for models in {cache}"
    if free < 10 * _GIB:
        return Finding("disk", "note", text, "Larger models will not fit: free some space, or set HF_HOME.")
    return Finding("disk", "fine", text)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def database(db: Path) -> Finding:
    from warehouse.store.db import open_read
    from warehouse.store.schema import standing

    if not db.exists():
        return Finding("database", "fine", f"{db} is not there yet: the first run creates it")
    try:
        with open_read(db, wait=0) as con:
            size = db.stat().st_size / 2**20
            own = standing(con, db).differences.own
            views = f", and {', '.join(own)} are views of your own, which `sql` and the Query screen run" if own else ""
            return Finding("database", "fine", f"{db} opens, {size:.1f} MiB, its tables are up to date{views}")
    except DatabaseBusyError as error:
        return Finding(
            "database",
            "note",
            str(error),
            f"Runs go on and keep their results until it is free: `{hint('merge', db=db)}`.",
        )
    except UserError as error:
        return Finding("database", "problem", str(error))


def runs(db: Path) -> Iterator[Finding]:
    root = rundir.runs_root(db)
    dirs = rundir.all_runs(db)
    merged = _merged_cells(db)
    fine = True
    for run in dirs:
        try:
            state = run.state()
            recorded = {(cell.level, cell.task) for cell in of_kind(run.events(), CellFacts)}
        except UserError as error:
            fine = False
            yield Finding("runs", "note", str(error))
            continue
        name = f"{run.run_id} ({run.name})"
        if state in _CUT_SHORT:
            fine = False
            yield Finding(
                "runs", "note", f"{name} is {state}", f"`{hint('resume', run.run_id, db=db)}` goes on with it."
            )
        if merged is not None and len(recorded) > merged.get(run.run_id, 0) and state != RunState.RUNNING:
            fine = False
            brings = f"`{hint('merge', db=db)}` brings them."
            yield Finding("runs", "note", f"{name} has results that are not in {db}", brings)
    if fine:
        yield Finding("runs", "fine", f"{len(dirs)} in {root}, nothing left to do" if dirs else f"none in {root} yet")


def _merged_cells(db: Path) -> dict[str, int] | None:
    """How many cells of each run the database has; None if that cannot be told now, which `database` has said."""
    from warehouse.read.runs import list_runs

    if not db.exists():
        return {}
    try:
        return {run.run_id: run.cells_done for run in list_runs(db, wait=0)}
    except UserError:
        return None
