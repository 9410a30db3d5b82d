"""What do I lose, and gain, when I make this LLM's MLPs narrower: the same from Python as from the command line.

    from prune_tui import Warehouse, plan_run, start_run

    plan = plan_run("demo", levels="0,20,40", suite="demo")
    start_run(plan, "results.duckdb").wait()
    Warehouse("results.duckdb").deltas("demo")

`docs/python-api.md` goes through all of it. Importing this module loads none of what it offers: a name is looked up
when it is first asked for, and only `PrunedLM`, `Ladder`, `load_model`, `prune`, `save` and work in this process load
torch.

What a person can mend is a `UserError`, one sentence that says what is wrong and what to do:

    UserError
    ├── AlteredError         the database's tables were changed by other hands
    ├── CancelledError       a query was not wanted any more
    ├── DatabaseBusyError    another process, or another connection of this one, holds the database
    ├── JournalError         a run's journal is damaged before its last line
    ├── JournalFullError     there is no room for another event of a run
    ├── RunBusyError         another process works on the run
    ├── TakenError           a file that was to be written exists
    └── WouldReplaceError    an import has other numbers for what is there

Anything else (a RuntimeError where a worker died, whatever torch or DuckDB raise) is a defect, or the machine's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prune_tui import ours

if TYPE_CHECKING:
    from engine.demo.paths import TASKS_DIR as DEMO_TASKS
    from engine.errors import RunBusyError
    from engine.evaluation.lm import PrunedLM
    from engine.planning.plan import RunPlan
    from engine.planning.profiling import ProfilePlan
    from engine.planning.suites import SUITES, TaskSpec
    from engine.pruning.checkpoint import SavedLevel
    from engine.pruning.ladder import Ladder
    from engine.pruning.layer import MlpLayer
    from prune_tui.methods import METHODS
    from prune_tui.models import load_model, prune, save
    from prune_tui.results import Warehouse
    from prune_tui.running import Run, find_run, plan_run, plan_sweep, start_run
    from warehouse.console.console import CancelledError
    from warehouse.errors import AlteredError, DatabaseBusyError, UserError
    from warehouse.exporters.outfile import TakenError
    from warehouse.importers.batch import ImportedRun
    from warehouse.importers.importer import Importer
    from warehouse.importers.replaced import WouldReplaceError
    from warehouse.records.level import Level
    from warehouse.records.run_state import RunState
    from warehouse.store.journal import JournalError, JournalFullError

__all__ = [
    "DEMO_TASKS", "METHODS", "SUITES", "AlteredError", "CancelledError", "DatabaseBusyError", "ImportedRun", "Importer",
    "JournalError", "JournalFullError", "Ladder", "Level", "MlpLayer", "ProfilePlan", "PrunedLM", "Run", "RunBusyError",
    "RunPlan", "RunState", "SavedLevel", "TakenError", "TaskSpec", "UserError", "Warehouse", "WouldReplaceError",
    "find_run", "load_model", "plan_run", "plan_sweep", "prune", "save", "start_run",
]  # fmt: skip

# Where each name lives, as above for whoever reads types.
_HOMES = {
    "DEMO_TASKS": "engine.demo.paths:TASKS_DIR",
    "METHODS": "prune_tui.methods",
    "SUITES": "engine.planning.suites",
    "AlteredError": "warehouse.errors",
    "CancelledError": "warehouse.console.console",
    "DatabaseBusyError": "warehouse.errors",
    "ImportedRun": "warehouse.importers.batch",
    "Importer": "warehouse.importers.importer",
    "JournalError": "warehouse.store.journal",
    "JournalFullError": "warehouse.store.journal",
    "Ladder": "engine.pruning.ladder",
    "Level": "warehouse.records.level",
    "MlpLayer": "engine.pruning.layer",
    "ProfilePlan": "engine.planning.profiling",
    "PrunedLM": "engine.evaluation.lm",
    "Run": "prune_tui.running",
    "RunBusyError": "engine.errors",
    "RunPlan": "engine.planning.plan",
    "RunState": "warehouse.records.run_state",
    "SavedLevel": "engine.pruning.checkpoint",
    "TakenError": "warehouse.exporters.outfile",
    "TaskSpec": "engine.planning.suites",
    "UserError": "warehouse.errors",
    "Warehouse": "prune_tui.results",
    "WouldReplaceError": "warehouse.importers.replaced",
    "find_run": "prune_tui.running",
    "load_model": "prune_tui.models",
    "plan_run": "prune_tui.running",
    "plan_sweep": "prune_tui.running",
    "prune": "prune_tui.models",
    "save": "prune_tui.models",
    "start_run": "prune_tui.running",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'prune_tui' has no attribute '{name}'")
    ours.come_first()
    module, _, own_name = _HOMES[name].partition(":")
    value = globals()[name] = getattr(import_module(module), own_name or name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
