"""What Compare says in words: which of two loses more, the best level of each model, what improves everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from rich.text import Text

from tui.format import change, interval, p_value, value
from tui.results.matrix import beyond_noise
from warehouse.read.grid import UNPRUNED
from warehouse.read.side_by_side import BestLevel, Improvement, Matched, PairTest
from warehouse.records.names import pruned_with, short_name
from warehouse.text import counted

_Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two subjects at one width in common, with the tests of `matrix_tests`, a row for each benchmark.

    `first` and `second` are what tells their names apart; `name` has them whole.
    """

    first: str
    second: str
    name: str
    rows: tuple[PairTest, ...]


def pairs(rows: Sequence[PairTest], basis_value: float | None) -> list[Pair]:
    """The pairs that were measured at one percentage or expansion ratio, those with most benchmarks in common first."""
    found: dict[tuple[str, str], list[PairTest]] = {}
    for row in rows:
        if row.basis_value == basis_value:
            found.setdefault((row.first_subject, row.second_subject), []).append(row)
    return sorted((_pair(tests) for tests in found.values()), key=lambda pair: (-len(pair.rows), pair.name))


def _pair(tests: list[PairTest]) -> Pair:
    row = tests[0]
    models = short_name(row.first_model), short_name(row.second_model)
    if row.first_id == row.second_id:
        first = pruned_with(row.first_method, row.first_repair).upper()
        second = pruned_with(row.second_method, row.second_repair).upper()
        return Pair(first, second, f"{models[0]}: {first} and {second}", tuple(tests))
    first, second = _apart(models)
    return Pair(first, second, f"{models[0]} and {models[1]}", tuple(tests))


def _apart(names: Sequence[str]) -> list[str]:
    """The names without the words that all of them begin with."""
    words = [name.split("-") for name in names]
    most = min(len(one) for one in words) - 1
    same = next((i for i in range(most) if len({one[i] for one in words}) > 1), most)
    return ["-".join(one[same:]) for one in words]


def loser(row: PairTest, pair: Pair) -> str:
    """Who loses more on one benchmark, in a word."""
    match row.loses_more:
        case "first":
            return pair.first
        case "second":
            return pair.second
        case "noise":
            return "≈ noise"
        case _:
            return "untested"


def tally(pair: Pair) -> Text:
    """Which of the two loses more, over all benchmarks, and which did more damage."""
    scores = [row for row in pair.rows if row.measure == "percent"]
    said = [_scores_tally(pair, scores)] if scores else []
    return Text("\n").join([*said, *(_damage_tally(pair, row) for row in pair.rows if row.measure == "value")])


def _scores_tally(pair: Pair, rows: Sequence[PairTest]) -> Text:
    verdicts = [row.loses_more for row in rows]
    tested = sum(verdict is not None for verdict in verdicts)
    if not tested:
        return Text(f"{pair.name} cannot be tested here: no standard errors are known for their scores.")
    first, second, noise = (verdicts.count(word) for word in ("first", "second", "noise"))
    text = Text()
    text.append(f"{pair.first} loses more on {first}, {pair.second} on {second}", "bold")
    text.append(f" of {tested} tested; {noise} within noise")
    if tested < len(verdicts):
        text.append(f"; {len(verdicts) - tested} untested, without standard errors")
    paired = sum(_is_paired(row) for row in rows)
    if paired:
        text.append(f"; {'all' if paired == len(verdicts) else paired} on the same questions")
    return text.append(".")


def _damage_tally(pair: Pair, row: PairTest) -> Text:
    """The difference with its interval, in the metric's own unit, which the table has to round."""
    text = Text(f"{row.metric} {pair.first} {value(row.first_amount)}, {pair.second} {value(row.second_amount)}")
    if row.ci_low is None or row.ci_high is None or row.p_holm is None:
        return text.append(f": not compared{f', {row.unpaired_because}' if row.unpaired_because else ''}.")
    difference = f"{row.difference:+.4f} [{row.ci_low:+.4f}…{row.ci_high:+.4f}], Holm p {p_value(row.p_holm)}"
    on = " on the same texts" if _is_paired(row) else ""
    return text.append(f": {difference}{on}; {'within noise' if row.loses_more == 'noise' else 'beyond noise'}.")


def _is_paired(row: PairTest) -> bool:
    return row.p_kind not in (None, "z, independent")


def line_in_words(line: dict[str, Matched], names: dict[str, str]) -> str:
    """A benchmark of all models side by side: each one's change, its interval and whether it is beyond noise."""
    told = []
    for subject, name in zip(names, _apart(list(names.values())), strict=True):
        row = line.get(subject)
        if row is not None and row.kind == "damage":
            around = 0 if row.stderr is None else _Z95 * row.stderr
            between = f" [{value(max(0.0, row.value - around))}…{value(row.value + around)}]" if around else ""
            told.append(f"{name} {row.metric} {value(row.value)}{between}")
            continue
        if row is None or row.unpruned or row.delta_pct is None:
            continue
        between = interval(row.ci_low_pct, row.ci_high_pct)
        sure = beyond_noise(row)
        word = "untested" if sure is None else "beyond noise" if sure else "within noise"
        told.append(f"{name} {change(row.delta_pct)}{f' [{between}]' if between else ''} {word}")
    return " · ".join(told)


def subject_names(rows: Sequence[Matched | BestLevel]) -> dict[str, str]:
    """Each subject's short name, its method and repair where several are shown, and what tells it from its like.

    There is room for few words: of the conditions only those that not all of them have.
    """
    ways = {(row.method, row.repair) for row in rows}
    subjects = {row.subject: row for row in rows}
    names = {}
    for subject, row in subjects.items():
        words = [short_name(row.model), *([pruned_with(row.method, row.repair)] if len(ways) > 1 else [])]
        others = [
            other
            for other in subjects.values()
            if other is not row and (other.model, other.method, other.repair) == (row.model, row.method, row.repair)
        ]
        words += _own_conditions(row, others)
        if any(other.conditions == row.conditions for other in others):
            words.append(row.model_id)
        names[subject] = " ".join(words)
    return names


def column_names(rows: Sequence[Matched], room: int) -> list[str]:
    """The subjects' names over columns of so many characters; too long, of one model what was done to it."""
    names = list(subject_names(rows).values())
    if len({row.model for row in rows}) != 1 or len(rows) < 2 or all(len(name) <= room for name in names):
        return names
    return [name.removeprefix(f"{short_name(row.model)} ") for name, row in zip(names, rows, strict=True)]


def _own_conditions(row: Matched | BestLevel, others: Sequence[Matched | BestLevel]) -> list[str]:
    shared = [set((other.conditions or "").split(", ")) for other in others]
    parts = (row.conditions or "").split(", ") if others else []
    return [part for part in parts if not all(part in one for one in shared)]


def level_name(row: Matched) -> str:
    return UNPRUNED if row.unpruned else f"{row.pruning_pct:g}%"


def best_levels(rows: Sequence[BestLevel], quiet: str) -> Text:
    """For each subject of `matrix_best`: the best level by the rule in use, its price, and why it is that one."""
    text = Text()
    names = subject_names(rows)
    for row in rows:
        if row.pruning_pct is None:
            text.append(f"{names[row.subject]}: none\n", "bold").append(f"{row.why}\n\n")
            continue
        text.append(f"{names[row.subject]}: {_level(row)}\n", "bold")
        text.append(
            f"keeps {row.retained_pct:.1f}% of the unpruned scores on average over "
            f"{counted(row.benchmarks or 0, 'benchmark')}{_parameters(row)}; "
            f"{row.improved} improve{'s' * (row.improved == 1)}. "
            f"Worst: {row.worst_benchmark}, {row.worst_retained_pct:.0f}% kept.\n"
        )
        text.append(f"{row.why}\n\n", quiet)
    if not text.plain:
        return Text("No pruned level was measured together with the unpruned model yet.")
    return text.append(f"By the rule {rows[0].rule}: u chooses another, or changes it.", quiet)


def _level(row: BestLevel) -> str:
    neurons = "" if row.intermediate_size is None else f" ({row.intermediate_size} neurons"
    ratio = "" if row.expansion_ratio is None else f", {row.expansion_ratio:.2f}×"
    return f"{row.pruning_pct:g}%{neurons}{ratio}{')' if neurons else ''}"


def _parameters(row: BestLevel) -> str:
    return "" if row.parameters_pct is None else f", with {row.parameters_pct:.0f}% of the parameters"


def improving(rows: Sequence[Improvement]) -> str:
    if not rows:
        return "No benchmark is better than the unpruned model at every level measured."
    return "Beyond noise after Holm's correction over all benchmarks and levels: how many of the levels are."
