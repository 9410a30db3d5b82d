"""What the measurements in the file are of: which runs have one model, which were measured alike, and asked the same.

Events say it in columns, some of which nobody knows: of published and foreign results, and of runs from before a
column existed. `matching` groups what is alike column by column, and the result is kept in `run_identities`
and `task_identities`, derived tables on which the views build. They are made anew for all runs of a model's name in the
transaction that changes one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from warehouse.records.conditions import Conditions
from warehouse.records.questions import combined_hash
from warehouse.store import answers, statements
from warehouse.store.matching import Columns, Group, group
from warehouse.text import counted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = dict[str, Any]
T = TypeVar("T")
K = TypeVar("K")

_MODEL = ("weights_hash", "config_hash", "tokenizer_hash", "revision")
_CONDITIONS = (
    "dtype", "documents", "seeds", "chat_template", "chat_template_hash", "system_prompt", "fewshot_as_multiturn",
    "generation", "quantization", "adapter", "model_args",
)  # fmt: skip
_NAMES = {
    "weights_hash": "weights", "config_hash": "config.json", "tokenizer_hash": "tokenizer", "revision": "revision",
    "documents": "documents", "chat_template": "use of a chat template", "chat_template_hash": "chat template",
    "system_prompt": "system prompt", "fewshot_as_multiturn": "turns of few-shot examples",
    "generation": "generation settings", "model_args": "model arguments", "version": "task version",
    "n": "number of documents", "requests": "questions", "imported": "questions", "questions": "questions",
    "tokens": "tokens",
}  # fmt: skip
# Requests are hashed in one way for our own runs and were in another for imports: two columns.
_TASK = ("version", "n", "requests", "imported", "questions", "tokens")
_ASKED = ("questions", "requests", "imported", "tokens")
_IMPORTED = "lm-eval "


@dataclass(slots=True)
class RunIdentity:
    """The model and the conditions of one run, and what was taken to be equal without being known.

    `other_calibration` says what it was calibrated on where another run has the place of its method and repair.
    """

    run_id: str
    model_id: str
    conditions: str | None
    footnote: str | None
    other_calibration: str | None = None

    @property
    def row(self) -> tuple[Any, ...]:
        return self.run_id, self.model_id, self.conditions, self.footnote, self.other_calibration


def models_of(con: DuckDBPyConnection, run_id: str | None = None) -> list[str]:
    """The names of the models that a run's events tell of, or all runs'."""
    return [name for (name,) in con.execute(statements.query("identity_models"), {"run_id": run_id}).fetchall()]


def resolve(con: DuckDBPyConnection, models: Iterable[str]) -> None:
    """Make the identities of all runs of models of these names (`models_of`) anew, inside the caller's transaction.

    Where they come out otherwise than before, every comparison of the model is due again.
    """
    for name in models:
        _resolve(con, {"model": name})
    for query in ("identity_clear_versions", "identity_versions"):
        con.execute(statements.query(query))


def _resolve(con: DuckDBPyConnection, about: Row) -> None:
    runs = answers.ask(con, "identity_runs", about)
    identities = _run_identities(runs)
    tasks = _task_identities(answers.ask(con, "identity_tasks", about), identities)
    changed = _replace(con, "run", sorted(one.row for one in identities.values()), about)
    changed |= _replace(con, "task", tasks, about)
    if changed:
        con.execute(statements.query("identity_due"), about)


def _replace(con: DuckDBPyConnection, what: str, rows: Sequence[tuple[Any, ...]], about: Row) -> bool:
    """Whether rows that were there are others now; what is only new is noted with the cells that brought it."""
    before = con.execute(statements.query(f"identity_{what}_rows"), about).fetchall()
    if set(before) == set(rows):
        return False
    con.execute(statements.query(f"identity_clear_{what}s"), about)
    if rows:
        with con.appender(f"{what}_identities") as appender:
            appender.append_rows([list(row) for row in rows])
    return what == "task" or not set(before) <= set(rows)


# Runs


def _run_identities(runs: Sequence[Row]) -> dict[str, RunIdentity]:
    """By run_id, in order of age."""
    models = _models(runs)
    identities: dict[str, RunIdentity] = {}
    for model_id, members in _by(runs, lambda run: models[run["run_id"]][0]).items():
        for run, (conditions, note) in zip(members, _conditions(members), strict=True):
            run_id = run["run_id"]
            identities[run_id] = RunIdentity(run_id, model_id, conditions, _joined([models[run_id][1], note]))
    _tell_calibrations_apart(runs, identities)
    return {run["run_id"]: identities[run["run_id"]] for run in runs}


def _tell_calibrations_apart(runs: Sequence[Row], identities: Mapping[str, RunIdentity]) -> None:
    """The first text of a model, method and repair stands as it is; a run that does not say its own is taken for one
    of that.
    """
    calibrated = [run for run in runs if run["calibration_hash"] is not None]
    for same in _by(
        calibrated, lambda run: (*_of_run(identities[run["run_id"]]), run["method"], run["repair"])
    ).values():
        for run in same:
            if run["calibration_hash"] != same[0]["calibration_hash"]:
                identities[run["run_id"]].other_calibration = f"calibrated on {run['calibrated_on']}"


def _models(runs: Sequence[Row]) -> dict[str, tuple[str, str | None]]:
    """The model_id of each run, and a footnote. Published figures are what a paper measured: they join nothing."""
    identities: dict[str, tuple[str, str | None]] = {run["run_id"]: (run["recorded_id"], None) for run in runs}
    measured = [run for run in runs if not run["published"]]
    columns = _model_columns(measured)
    groups = group(columns)
    ids = _model_ids(measured, groups)
    distinct = list({id(one): one for one in groups}.values())
    for run, own, one in zip(measured, columns, groups, strict=True):
        identities[run["run_id"]] = (
            ids[id(one)],
            _model_note(own, one, [other for other in distinct if other is not one]),
        )
    return identities


def _model_columns(runs: Sequence[Row]) -> list[Columns]:
    """Weights tell revisions apart: those with equal ones are one, under the name of the first."""
    first: dict[str, str] = {}  # by weights
    same: dict[str, str] = {}
    for run in runs:
        if run["weights_hash"] and run["revision"]:
            same.setdefault(run["revision"], first.setdefault(run["weights_hash"], run["revision"]))
    return [
        (
            run["weights_hash"], run["config_hash"], run["tokenizer_hash"],
            first.get(run["weights_hash"]) if run["weights_hash"] else same.get(run["revision"], run["revision"]),
        )
        for run in runs
    ]  # fmt: skip


def _model_ids(runs: Sequence[Row], groups: Sequence[Group]) -> dict[int, str]:
    """By group, the id that its runs were recorded with, those of known weights first.

    Of several groups one keeps it, and that is the one whose runs say least of config and tokenizer.
    """
    recorded: dict[int, str] = {}
    pairs = list(zip(runs, groups, strict=True))
    for run, one in sorted(pairs, key=lambda pair: pair[0]["weights_hash"] is None):
        recorded.setdefault(id(one), run["recorded_id"])
    ids: dict[int, str] = {}
    distinct = {id(one): one for one in groups}.values()
    for recorded_id, alike in _by(distinct, lambda one: recorded[id(one)]).items():
        oldest, *_ = [*sorted((one for one in alike if one.fits), key=lambda one: one.first), *alike]
        for one in alike:
            other = sha256(repr((recorded_id, one.columns)).encode()).hexdigest()[:12]
            ids[id(one)] = recorded_id if one is oldest else other
    return ids


def _model_note(own: Columns, model: Group, others: Sequence[Group]) -> str | None:
    if model.fits:
        return f"{_list(_MODEL, model.undecided)} not known, and {model.fits} models of this name fit"
    if assumed := model.assumed(own):
        return f"taken to have the {_list(_MODEL, assumed)} of other runs, which it does not say"
    if any(other.columns[0] == own[0] for other in others):
        return "this name and these weights were also measured with another config.json or tokenizer"
    if own[0] is None and others:
        return "of a revision that is not known to be the one whose weights are known"
    return None


def _conditions(runs: Sequence[Row]) -> list[tuple[str | None, str | None]]:
    """The label of each run's conditions, one label for what was measured alike, and a footnote."""
    results: list[tuple[str | None, str | None]] = [(None, None)] * len(runs)
    taken: set[str | None] = set()
    for sentence, at in _by(range(len(runs)), lambda i: _sentence(runs[i])).items():
        if sentence is not None:
            for i in at:
                results[i] = (sentence[0], None)
            taken.add(sentence[0])
    at = [i for i, run in enumerate(runs) if _sentence(run) is None]
    columns = [_columns(runs[i], _CONDITIONS) for i in at]
    groups = group(columns)
    labels = _labels(groups, taken)
    for i, own, one in zip(at, columns, groups, strict=True):
        note = None
        if one.fits:
            note = f"{_list(_CONDITIONS, one.undecided)} not known, and {one.fits} sets of conditions fit"
        elif assumed := one.assumed(own):
            note = f"the same {_list(_CONDITIONS, assumed)} assumed as in other runs, since it is not known"
        results[i] = (labels[id(one)], note)
    return results


def _sentence(run: Row) -> tuple[str | None] | None:
    """The only thing known of published figures, and of runs whose conditions nobody put into columns."""
    undescribed = all(run[name] is None for name in _CONDITIONS if name != "dtype")
    return (run["conditions"],) if run["published"] or undescribed else None


def _labels(groups: Sequence[Group], taken: set[str | None]) -> dict[int, str]:
    """What a group's columns say in words; where two would say the same, that in which they differ is added."""
    distinct = sorted({id(one): one for one in groups}.values(), key=lambda one: (bool(one.fits), one.first))
    labels: dict[int, str] = {}
    for one in distinct:
        plain = label = Conditions(**dict(zip(_CONDITIONS, one.columns, strict=True))).label()
        if one.fits:
            label = f"{plain}, {_list(_CONDITIONS, one.undecided)} not known".removeprefix(", ")
        elif label in taken:
            values = [f"{_NAMES.get(name, name)} {_short(value)}" for name, value in _differing(one, distinct)]
            label = ", ".join([plain, *values]).removeprefix(", ")
        labels[id(one)] = _unique(label, taken)
        taken.add(labels[id(one)])
    return labels


def _differing(one: Group, others: Iterable[Group]) -> list[tuple[str, Any]]:
    """The columns of a group that are known to be others than those of another group."""
    return [
        (name, value)
        for name, value, *rest in zip(_CONDITIONS, one.columns, *(other.columns for other in others), strict=True)
        if value is not None and any(value != other for other in rest if other is not None)
    ]


# Tasks


def _task_identities(tasks: Sequence[Row], runs: Mapping[str, RunIdentity]) -> list[tuple[Any, ...]]:
    """The rows of task_identities: tasks that are not just what their run's events say."""
    for run_tasks in _by(tasks, lambda task: task["run_id"]).values():
        _complete_groups(run_tasks)
    order = {run_id: age for age, run_id in enumerate(runs)}
    in_order = sorted((task for task in tasks if task["run_id"] in runs), key=lambda task: order[task["run_id"]])
    rows = []
    for same in _by(in_order, lambda task: (*_of_run(runs[task["run_id"]]), task["task"], task["shots"])).values():
        columns = [_task_columns(task) for task in same]
        groups = group(columns)
        labels = _task_labels(groups)
        for task, own, one in zip(same, columns, groups, strict=True):
            identity = runs[task["run_id"]]
            version, label = one.columns[0], labels[id(one)]
            conditions = ", ".join(part for part in (identity.conditions, label) if part) or None
            note = _task_note(task["task"], own, one, first=label is None)
            if (version, task["shots"], label, note) != (task["version"], task["num_fewshot"], None, None):
                footnote = _joined([identity.footnote, note])
                rows.append((
                    task["run_id"], task["task"], task["num_fewshot"], task["version"],
                    task["shots"], version, conditions, footnote,
                ))  # fmt: skip
    return rows


def _of_run(identity: RunIdentity) -> tuple[str, str | None]:
    return identity.model_id, identity.conditions


def _complete_groups(tasks: Sequence[Row]) -> None:
    """Give the groups of one run the shots and the hashes of their parts, where these are there: `shots` is added."""
    parts = _by(tasks, lambda task: task["part_of"])

    def leaves(name: str, above: frozenset[str] = frozenset()) -> list[Row]:
        tasks = []
        for part in parts.get(name, ()) if name not in above else ():
            tasks += leaves(part["task"], above | {name}) if part["is_group"] else [part]
        return tasks

    for task in tasks:
        task["shots"] = task["num_fewshot"]
        if not task["is_group"] or not (below := leaves(task["task"])):
            continue
        shots = {part["num_fewshot"] for part in below}
        if None not in shots:
            task["shots"] = shots.pop() if len(shots) == 1 else -1
        for name in ("requests_hash", "questions_hash", "tokens_hash"):
            if task[name] is None:
                task[name] = combined_hash({part["task"]: part[name] for part in below})
        # Imports hash in their own way, and so do groups of them.
        if task["requests_hash"] and any(part["requests_hash"].startswith(_IMPORTED) for part in below):
            task["requests_hash"] = _IMPORTED + task["requests_hash"]


def _task_columns(task: Row) -> Columns:
    requests = task["requests_hash"]
    imported = requests is not None and requests.startswith(_IMPORTED)
    return (
        task["version"], task["n"], None if imported else requests, requests if imported else None,
        task["questions_hash"], task["tokens_hash"],
    )  # fmt: skip


def _task_labels(groups: Sequence[Group]) -> dict[int, str | None]:
    """What tells a group from those of the same version; None for the earliest of these, which stands as it is."""
    labels: dict[int, str | None] = {}
    distinct = {id(one): one for one in groups}.values()
    for alike in _by(distinct, lambda one: one.columns[0]).values():
        first, *others = sorted(alike, key=lambda one: (bool(one.fits), one.first))
        labels[id(first)] = None
        taken: set[str | None] = {None}
        for one in others:
            labels[id(one)] = _unique(_difference(one, first), taken)
            taken.add(labels[id(one)])
    return labels


def _difference(one: Group, first: Group) -> str:
    values = dict(zip(_TASK, one.columns, strict=True))
    usual = dict(zip(_TASK, first.columns, strict=True))
    if one.fits:
        return "questions not known"
    if None not in (values["n"], usual["n"]) and values["n"] != usual["n"]:
        return counted(values["n"], "document")
    for name in _ASKED:
        if None not in (values[name], usual[name]) and values[name] != usual[name]:
            return f"other {'tokens' if name == 'tokens' else 'questions'} ({_short(values[name])})"
    return "other questions"


def _task_note(task: str, own: Columns, one: Group, *, first: bool) -> str | None:
    if one.fits:
        return f"{task}: {_list(_TASK, one.undecided)} not known, and {one.fits} sets of questions fit"
    if not first:
        return f"{task} was asked otherwise than in the first run of this model: not compared with it"
    if 0 in one.assumed(own):
        return f"{task}: version not known, taken to be {one.columns[0]}"
    return None


# Words


def _list(names: Sequence[str], at: Iterable[int]) -> str:
    *others, last = dict.fromkeys(_NAMES.get(names[i], names[i]) for i in at)
    return f"{', '.join(others)} and {last}" if others else last


def _short(value: Any) -> str:
    text = str(value).removeprefix(_IMPORTED)
    return text[:8] if len(text) > 24 else text


def _unique(label: str, taken: set[str | None]) -> str:
    number, unique = 1, label
    while unique in taken:
        number += 1
        unique = f"{label} ({number})"
    return unique


def _joined(notes: Iterable[str | None]) -> str | None:
    return "; ".join(note for note in notes if note) or None


def _columns(row: Row, names: Sequence[str]) -> Columns:
    return tuple(row[name] for name in names)


def _by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)
