"""The command that does from a shell what a form holds."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UserError
from engine.planning.choices import FIELDS, run_name
from engine.planning.draft import Draft
from engine.planning.plan import RunPlan
from engine.planning.profiling import ProfilePlan
from warehouse.commands import hint
from warehouse.records.conditions import short_seeds


def command(draft: Draft, database: Path) -> str:
    """The `prune-tui run …` that does the same from a shell.

    Raises:
        UserError: a field is wrong, or the models have settings of their own, which only a file can say.
    """
    if draft.own:
        raise UserError("Its models have settings of their own, which a file can say: f4 saves one.")
    if draft.own_profile is not None:
        like = hint("run", "--like", "RUN", db=database)
        raise UserError(f"Its profile has settings of its own: `{like}` keeps them.")
    asked = draft.asked()
    plans = draft.plans()
    first, one = plans[0], asked[0]
    words = ["run", *(other.plan(Path.cwd(), FIELDS).model for other in asked)]
    words += ["--levels", ",".join(str(level) for level in first.levels)]
    if first.suite is not None:
        words += ["--suite", first.suite]
    elif first.tasks:
        words += ["--tasks", ",".join(str(task) for task in first.tasks)]
    plain = RunPlan(name="", model="", levels=(), tasks=())
    for option, name in _OPTIONS.items():
        value = getattr(one if name in _OF_EACH_RUN else first, name)
        if value == getattr(plain, name):
            continue
        if isinstance(value, bool | ProfilePlan):
            words += [option]
        elif isinstance(value, tuple):
            words += [option, short_seeds(first.seeds)]
        else:
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    for path in first.include_paths:
        words += ["--include-path", path]
    name = draft.name.strip()
    if name and (len(plans) > 1 or name != run_name(first.model)):
        words += ["--name", name]
    return hint(*words, *draft.where().words, db=database)


_OF_EACH_RUN = (
    "method",
    "repair",
    "calibration",
    "calibration_tokens",
    "calibration_length",
)  # not as the first has it

_OPTIONS = {
    "--method": "method",
    "--repair": "repair",
    "--calibration": "calibration",
    "--calibration-tokens": "calibration_tokens",
    "--calibration-length": "calibration_length",
    "--damage": "damage",
    "--profile": "profile",
    "--limit": "limit",
    "--dtype": "dtype",
    "--device": "device",
    "--seed": "seeds",
    "--revision": "revision",
    "--divisor": "divisor",
    "--batch-tokens": "batch_tokens",
    "--compile": "compile_layers",
    "--trust-remote-code": "trust_remote_code",
    "--trust-task-code": "trust_task_code",
    "--skip-broken-tasks": "skip_broken_tasks",
    "--apply-chat-template": "apply_chat_template",
    "--system-instruction": "system_instruction",
    "--fewshot-as-multiturn": "fewshot_as_multiturn",
    "--no-cache": "use_cache",
    "--cards": "cards",
    "--engine": "engine",
}
