"""What Results and Compare show of measurements that are alike in some things and not in others.

Each test is a kind of wrong number that was once seen; tests/warehouse/store/test_identity.py has more of each in the
views.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import one_in
from run_writer import RunWriter, metric

from tui.compare.grids import SidesModel
from tui.compare.wording import subject_names
from tui.results.matrix import cell_text, subject_name
from tui.shell.queries import Question, Reader, chosen
from tui.shell.queries import choices as what_there_is
from tui.widgets.palette import Palette
from warehouse.merging import merge
from warehouse.read import grid
from warehouse.store import db

KNOWN = {
    "documents": "all", "dtype": "float32", "seeds": "0,1234,1234,1234", "chat_template": False, "system_prompt": "",
    "fewshot_as_multiturn": False, "generation": "", "quantization": "", "adapter": "", "model_args": "",
}  # fmt: skip
PLAIN = "all documents, float32"
PALETTE = Palette("#00ff00", "#ff0000", "#888888", "#000000", "#ffffff")


class Screens:
    """What the two screens have of a database: each cell as its text."""

    def __init__(self, database: Path) -> None:
        self._reader = Reader(database)
        self.choices = self._ask(what_there_is())
        self.subjects = [row.key for row in self.choices]

    def _ask(self, question: Question) -> list[Any]:
        [rows] = self._reader.ask("test", self._reader.turn("test"), question)
        return list(rows)

    def results(self) -> dict[tuple[str, str, str], str]:
        """By benchmark, name above the columns, and width."""
        matrix = grid.results(self._ask(chosen("matrix_rows", self.subjects)))
        return {
            (benchmark.name, subject_name(width, matrix.columns), width.label): " ".join(
                cell_text(cell, "relative", unpruned=width.unpruned).split()
            )
            for (benchmark, width), cell in matrix.cells.items()
        }

    def names_compared(self, percentage: float) -> list[str]:
        """What Compare calls its subjects."""
        rows = self._ask(chosen("matrix_matched", self.subjects, basis="percentage"))
        return list(subject_names([row for row in rows if row.basis_value == percentage]).values())

    def compared(self, basis: str = "percentage") -> dict[tuple[float, str], list[str]]:
        """By percentage or ratio and benchmark: score and change of each subject, dashes where it has none."""
        rows = self._ask(chosen("matrix_matched", self.subjects, basis=basis))
        found: dict[tuple[float, str], list[str]] = {}
        for value in sorted({row.basis_value for row in rows}):
            sides = SidesModel([row for row in rows if row.basis_value == value], PALETTE, "scores")
            for line in range(len(sides)):
                name, *cells = [" ".join(sides.cell(line, column)[0].split()) for column in range(len(sides.columns))]
                assert (value, name) not in found, "a benchmark stands in one line"
                found[value, name] = cells
        return found


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., Screens]:
    """Measure scores by level in a run of its own, later than those before, and look at the screens."""
    database = tmp_path / "results.duckdb"

    def measure(
        run_id: str,
        scores: dict[str, float],
        *,
        task: str = "arc",
        n: int = 10,
        questions: str | None = None,
        conditions: dict[str, Any] = KNOWN,
        group: bool = False,
        version: str | None = "1",
        num_fewshot: int | None = 0,
        **model: Any,
    ) -> Screens:
        run = RunWriter(tmp_path / "results.runs" / run_id)
        t = 10.0 * len(list(run.folder.parent.iterdir()))
        run.start(conditions=conditions, dtype=conditions.get("dtype"), t=t, **model)
        if questions:
            run.line(
                "task", t, task=task, part_of=None, version="1", output_type="multiple_choice", num_fewshot=0,
                n_docs=10, n_requests=40, dataset=task, dataset_fingerprint="f", requests_hash=None, tokens_hash=None,
                questions_hash=questions,
            )  # fmt: skip
        for level, score in scores.items():
            found = [metric("acc", score, n=n)]
            if group:
                run.cell(level, f"{task}_part", metrics=found, part_of=task, num_fewshot=num_fewshot, t=t)
            shots = None if group else num_fewshot  # lm-eval's file says nothing of a group's
            run.cell(level, task, metrics=found, is_group=group, version=version, num_fewshot=shots, t=t)
        merge.merge_run(database, run.folder)
        return Screens(database)

    return measure


@pytest.mark.slow
def test_other_questions_of_a_later_run_stand_in_a_column_of_their_own(measured):
    measured("r1", {"0": 0.6, "20": 0.56}, questions="aaaa")
    screens = measured("r2", {"0": 0.5, "20": 0.6}, questions="bbbb")
    other = f"Tiny · {PLAIN}, other questions (bbbb)"
    assert screens.results() == {
        ("arc", f"Tiny · {PLAIN}", "unpruned"): "0.6000", ("arc", f"Tiny · {PLAIN}", "20%"): "≈ -6.7%",
        ("arc", other, "unpruned"): "0.5000", ("arc", other, "20%"): "≈ +20.0%",
    }  # fmt: skip
    assert screens.compared()[20, "arc"] == ["0.5600", "≈ -6.7%", "★ 0.6000", "≈ +20.0%"]


@pytest.mark.slow
@pytest.mark.parametrize("edited", ["config", "tokenizer"])
def test_an_edited_config_or_tokenizer_has_no_change_from_the_other_models_score(measured, edited):
    measured("r1", {"0": 0.6, "40": 0.5}, config="c1", tokenizer="t1")
    screens = measured("r2", {"40": 0.4}, **{"config": "c1", "tokenizer": "t1"} | {edited: "other"})
    assert sorted(screens.results().values()) == ["0.6000", "n/a", "≈ -16.7%"]
    [(_, line)] = [(at, line) for at, line in screens.compared().items() if at[0] == 40]
    assert sorted(line) == ["0.4000", "n/a", "≈ -16.7%", "★ 0.5000"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "differs",
    one_in(5, [
        {"adapter": "org/lora"}, {"quantization": "load_in_4bit=True"}, {"generation": '{"temperature":1}'},
        {"seeds": "0,1234,1234,7"}, {"seeds": "42,42,42,42"},
    ]),
    ids=["adapter", "4 bit", "sampling", "few-shot seed", "--seed 42"],
)  # fmt: skip
def test_a_score_under_other_conditions_is_nobodys_baseline(measured, differs):
    measured("r1", {"0": 0.55, "40": 0.5})
    screens = measured("r2", {"0": 0.4}, conditions=KNOWN | differs)
    shown = screens.results()
    assert shown["arc", f"Tiny · {PLAIN}", "40%"] == "≈ -9.1%"
    assert [text for (_, name, _), text in shown.items() if name != f"Tiny · {PLAIN}"] == ["0.4000"]


@pytest.mark.slow
def test_a_few_documents_do_not_take_the_place_of_many(measured):
    without_limit = KNOWN | {"documents": None}
    measured("r1", {"0": 0.6, "20": 0.54}, n=100, conditions=without_limit)
    screens = measured("r2", {"0": 0.14, "20": 0.6}, n=7, conditions=without_limit)
    shown = screens.results()
    assert shown["arc", "Tiny · float32", "20%"].endswith("-10.0%")
    assert shown["arc", "Tiny · float32, 7 documents", "unpruned"] == "0.1400"


@pytest.mark.slow
def test_a_group_is_compared_at_the_shots_of_its_parts(measured):
    measured("base", {"0": 0.5}, task="stem", group=True)
    screens = measured("pruned", {"40": 0.55}, task="stem", group=True, num_fewshot=5)
    assert sorted(screens.results().values()) == ["0.5000", "n/a"]


@pytest.mark.slow
def test_own_and_published_scores_of_a_benchmark_stand_in_one_line_and_share_no_change(measured):
    measured("paper", {"0": 0.9, "20": 0.8}, conditions={"published": True}, weights=None, version=None)
    screens = measured("ours", {"0": 0.6, "20": 0.54})
    assert {name for name, *_ in screens.results()} == {"arc"}
    assert sorted(screens.compared()[20, "arc"]) == ["0.5400", "≈ -10.0%", "≈ -11.1%", "★ 0.8000"]


@pytest.mark.slow
def test_a_result_that_knows_no_weights_has_its_change_from_those_that_are_known(measured):
    measured("ours", {"0": 0.6})
    screens = measured("theirs", {"40": 0.5}, weights=None)
    assert screens.results() == {("arc", "Tiny", "unpruned"): "0.6000", ("arc", "Tiny", "40%"): "≈ -16.7%"}


@pytest.mark.slow
def test_two_models_of_one_name_are_told_apart_by_their_ids(measured):
    measured("r1", {"0": 0.6, "40": 0.5})
    screens = measured("r2", {"0": 0.7, "40": 0.6}, weights="w2")
    names = {f"Tiny · {PLAIN} · {row.model_id}" for row in screens.choices}
    assert {name for _, name, _ in screens.results()} == names
    assert len(names) == 2


@pytest.mark.slow
def test_compare_names_the_conditions_that_are_not_shared(measured):
    measured("r1", {"20": 0.5})
    screens = measured("r2", {"20": 0.4}, conditions=KNOWN | {"adapter": "org/lora"})
    assert sorted(screens.names_compared(20)) == ["Tiny", "Tiny adapter org/lora"]


def test_a_level_that_was_not_reached_is_called_by_what_it_removes(measured):
    screens = measured("r1", {"0": 0.6, "10": 0.5}, widths={"0": 100, "10": 75})
    assert ("arc", "Tiny", "25%") in screens.results()


@pytest.mark.slow
def test_a_baseline_of_another_run_is_used_only_where_the_run_has_none(measured):
    measured("r1", {"0": 0.6, "20": 0.54})
    measured("r2", {"0": 0.5})
    screens = measured("r3", {"40": 0.4})
    shown = screens.results()
    assert (shown["arc", "Tiny", "20%"], shown["arc", "Tiny", "40%"]) == ("≈ -10.0%", "≈ -20.0%")


def test_what_a_run_has_scores_of_is_named_as_the_choices_are(study: Path):
    with db.open_read(study) as con:
        runs = [run_id for (run_id,) in con.execute("select distinct run_id from current_metrics").fetchall()]
    reader = Reader(study)
    asked = [Question("run_subjects", {"run_ids": [run_id]}) for run_id in runs]
    answers = reader.ask("test", reader.turn("test"), *asked)
    assert {row["subject"] for rows in answers for row in rows} == set(Screens(study).subjects)
