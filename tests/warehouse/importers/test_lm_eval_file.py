"""What a result file of lm-eval says of itself, and the events that it becomes."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from warehouse.importers import lm_eval
from warehouse.importers.lm_eval import ResultFile, count_of, is_results, read_results
from warehouse.importers.subject import Subject
from warehouse.records.events import Attempt, of_kind
from warehouse.records.facts import CellFacts, MetricFacts, ModelFacts, VariantFacts


def of(name: str = "results_x.json", **data: Any) -> ResultFile:
    return ResultFile(Path(name), data)


@pytest.mark.parametrize(
    ("data", "told"),
    [({"results": {"piqa": {}}}, True), ({"results": {}}, True), ({"results": {"piqa": 1}}, False),
     ({"results": {"piqa": {}, "boolq": 1}}, False), ({"results": []}, False), ({}, False), ([], False)],
)  # fmt: skip
def test_results_are_a_mapping_of_mappings(data: Any, told: bool) -> None:
    assert is_results(data) is told


@pytest.mark.parametrize(
    ("value", "count"),
    [(0, 0), (1, 1), (2.0, 2), (2**63 - 1, 2**63 - 1), (2**63, None), (-1, None), (0.5, None), (True, None),
     ("5", None), (None, None), (math.nan, None), (math.inf, None)],
)  # fmt: skip
def test_a_count_is_a_whole_number_from_zero_on(value: Any, count: int | None) -> None:
    assert count_of(value) == count


def test_shots_are_a_count_below_two_to_the_31st() -> None:
    assert [lm_eval._shots(told) for told in (None, 0, 5.0, 2**31 - 1)] == [None, 0, 5, 2**31 - 1]
    for told, said in ((2**31, "2147483648"), (-1, "-1"), ("a" * 50, "a" * 40), (0.5, "0.5")):
        with pytest.raises(ValueError, match=f"^{said} is no number of shots$"):
            lm_eval._shots(told)


@pytest.mark.parametrize("seconds", [0, 1.5, 253402300799])
def test_a_date_is_unix_seconds_up_to_the_year_9999(seconds: float) -> None:
    assert of(date=seconds).measured_at == seconds


@pytest.mark.parametrize(
    ("date", "said"), [(-1, "-1"), (253402300800, "253402300800"), (math.nan, "nan"), ("9" * 50, "9" * 40)]
)
def test_a_date_beyond_that_is_none(date: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"^its date, {said}, is none$"):
        _ = of(date=date).measured_at


def test_without_a_date_the_files_name_tells_and_else_its_own_time(tmp_path: Path) -> None:
    seconds = datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC).timestamp()
    assert of("results_2026-01-02T03-04-05.5.json").measured_at == seconds
    assert of("results_2026-01-02T03:04:05.500000.json").measured_at == seconds
    path = tmp_path / "results_mine.json"
    path.touch()
    os.utime(path, (1000, 2000))
    assert ResultFile(path, {}).measured_at == 2000


def test_what_samples_end_in_is_the_time_in_the_name_or_what_follows_results() -> None:
    stems = ("results_2026-01-02T03-04-05.5", "x_2026-01-02T03-04-05", "results_mine", "mine")
    told = ["2026-01-02T03-04-05.5", "2026-01-02T03-04-05", "mine", "mine"]
    assert [of(f"{stem}.json").written_at for stem in stems] == told


@pytest.mark.parametrize(
    ("data", "model"),
    [
        ({"model_name": "org/named", "config": {"model_args": "pretrained=org/base"}}, "org/named"),
        ({"config": {"model_args": "pretrained=org/base"}}, "org/base"),
        ({"model_name": "org/lora", "config": {"model_args": "pretrained=org/base,peft=org/lora"}}, "org/base"),
        ({"config": {"model_args": "model=served"}}, "served"),
        ({"config": {"model_args": "pretrained=org/base,model=served"}}, "org/base"),
        ({"model_name": "made up", "config": {"model": "org/own"}}, "org/own"),
        ({"model_name": "org/named", "config": {"model": "hf"}}, "org/named"),
        ({"model_name": "made up", "model_source": "CUSTOM", "config": {"model": "HFLM"}}, None),
        ({"model_name": "org/named", "model_source": "CUSTOM", "config": {"model_args": "dtype=float"}}, "org/named"),
        ({}, None),
    ],
)
def test_the_model_is_what_was_measured_but_for_an_adapter(data: dict[str, Any], model: str | None) -> None:
    assert of(**data).model == model


def test_what_was_measured_is_told_as_far_as_it_is_known() -> None:
    told = of(config={"model_args": "pretrained=org/base", "model_num_parameters": 1000, "model_sha": "abc"}).measured
    assert (told.model, told.pretrained, told.parameters, told.revision) == ("org/base", "org/base", 1000, "abc")
    told = of(model_name="org/x", config={"model_num_parameters": -1}).measured
    assert (told.model, told.pretrained, told.parameters, told.revision) == ("org/x", None, None, None)


@pytest.mark.parametrize(
    ("config", "revision"),
    [
        ({"model_sha": "abc", "model_revision": "v2"}, "abc"),
        ({"model_revision": "v2"}, "v2"),
        ({"model_args": "revision=v3", "model_revision": "v2"}, "v3"),
        ({"model_revision": "main"}, None),
        ({}, None),
    ],
)
def test_a_revision_is_the_commit_or_what_was_asked_for(config: dict[str, Any], revision: str | None) -> None:
    assert lm_eval._revision(of(config=config)) == revision


def test_metrics_are_numbers_under_a_name_and_a_filter() -> None:
    result = {
        "acc,none": 0.5, "acc_stderr,none": 0.05, "f1,strict": 1, "f1_stderr,strict": "N/A", "alias": "x", "bare": 0.5,
        "flag,none": True, "text,none": "x", "sample_len": 10,
    }  # fmt: skip
    unknown = dict.fromkeys(MetricFacts.__dataclass_fields__)
    assert lm_eval._metrics(result, {"acc": True}, 10) == [
        unknown | {"metric": "acc", "filter": "none", "value": 0.5, "n": 10, "stderr": 0.05, "higher_is_better": True},
        unknown | {"metric": "f1", "filter": "strict", "value": 1.0, "n": 10},
    ]  # fmt: skip


def test_documents_are_counted_by_the_result_before_the_files_own_count() -> None:
    def counted(effective: Any = None, **result: Any) -> int | None:
        return lm_eval._documents(
            {"results": {"piqa": result}, "n-samples": {"piqa": {"effective": effective}}}, "piqa"
        )

    assert [counted(10, sample_len=5), counted(10, sample_len=0), counted(10), counted(-1), counted()] == [
        5, 0, 10, None, None,
    ]  # fmt: skip
    assert lm_eval._documents({"results": {}}, "piqa") is None


@pytest.mark.parametrize(("told", "text"), [(None, None), ("N/A", None), (1.0, "1.0"), ("", ""), (0, "0")])
def test_a_version_is_a_text_and_not_applicable_is_none(told: Any, text: str | None) -> None:
    assert lm_eval._text(told) == text


FILE = {
    "results": {"piqa": {"acc,none": 0.5, "acc_stderr,none": 0.05}, "empty": {"alias": "e"}},
    "versions": {"piqa": 1.0}, "n-shot": {"piqa": 3}, "n-samples": {"piqa": {"original": 10, "effective": 10}},
    "higher_is_better": {"piqa": {"acc": True}}, "lm_eval_version": "0.4.9", "transformers_version": "4.5",
    "pretty_env_info": "Linux", "git_hash": "f00", "model_name": "org/tiny", "date": 1000,
    "config": {"model_args": "pretrained=org/tiny", "model_sha": "abc", "model_num_parameters": 500, "limit": None},
}  # fmt: skip


def test_a_file_becomes_a_run_of_one_level(tmp_path: Path) -> None:
    path = tmp_path / "results_x.json"
    subject = Subject("org/tiny", "20", 20.0, "maw", 80, {"intermediate_size": 100, "hidden_size": 25}, "taken as such")
    run = read_results(ResultFile(path, FILE), subject, "r1", tmp_path)
    assert (run.run_id, run.name, run.origin, run.source, run.recorded_at, run.method, run.reader) == (
        "r1", "lm-eval org/tiny 20%", "lm-eval", "results_x.json", 1000, "maw", 2,
    )  # fmt: skip
    assert (run.about, run.file, run.note, run.folder, run.metrics, run.samples) == (
        "org/tiny at 20%, pruned with MAW", path, "taken as such", tmp_path / "r1", 1, 0,
    )  # fmt: skip
    (attempt,), (model,) = of_kind(run.events, Attempt), of_kind(run.events, ModelFacts)
    (variant,), (cell,) = of_kind(run.events, VariantFacts), of_kind(run.events, CellFacts)
    assert attempt.attempt == 1
    assert attempt.provenance == {
        "versions": {"lm-eval": "0.4.9", "transformers": "4.5"}, "environment": "Linux", "git_revision": "f00",
        "model": {"name": "org/tiny", "revision": "abc"},
    }  # fmt: skip
    assert (model.model, model.source, model.intermediate_size, model.hidden_size) == ("org/tiny", "org/tiny", 100, 25)
    assert (model.revision, model.parameters) == (None, None)  # the file's are the pruned model's
    assert (variant.level, variant.pruning_pct, variant.method, variant.intermediate_size, variant.padded_size) == (
        "20", 20.0, "maw", 80, 80,
    )  # fmt: skip
    assert (variant.expansion_ratio, variant.parameters) == (3.2, 500)
    assert (cell.level, cell.task, cell.is_group, cell.part_of, cell.version, cell.num_fewshot, cell.samples) == (
        "20", "piqa", False, None, "1.0", 3, None,
    )  # fmt: skip
    (metric,) = cell.metrics
    assert (metric.metric, metric.filter, metric.value, metric.stderr, metric.n, metric.higher_is_better) == (
        "acc", "none", 0.5, 0.05, 10, True,
    )  # fmt: skip


def test_of_an_unpruned_model_the_file_tells_revision_and_size(tmp_path: Path) -> None:
    run = read_results(ResultFile(tmp_path / "x.json", FILE), Subject("org/tiny", "0", 0.0), "r1", tmp_path)
    (model,), (variant,) = of_kind(run.events, ModelFacts), of_kind(run.events, VariantFacts)
    assert (model.revision, model.parameters, variant.method) == ("abc", 500, "unknown")
    known = Subject("org/tiny", "0", 0.0, None, 100, {"intermediate_size": 100, "revision": "v9", "parameters": 7})
    (model,) = of_kind(read_results(ResultFile(tmp_path / "x.json", FILE), known, "r2", tmp_path).events, ModelFacts)
    assert (model.revision, model.parameters) == ("v9", 7)


def test_a_group_has_its_parts_documents_and_no_samples(tmp_path: Path) -> None:
    data = FILE | {
        "results": {"musr": {"acc,none": 0.4}, "a": {"acc,none": 0.5}, "b": {"acc,none": 0.3}},
        "groups": {"musr": {"acc,none": 0.4}}, "group_subtasks": {"musr": ["a", "b"]}, "n-shot": {"a": 0, "b": 0},
        "n-samples": {"a": {"effective": 10}, "b": {"effective": 5}}, "versions": {},
    }  # fmt: skip
    run = read_results(ResultFile(tmp_path / "x.json", data), Subject("org/tiny", "0", 0.0), "r1", tmp_path)
    assert [
        (cell.task, cell.is_group, cell.part_of, cell.num_fewshot, cell.metrics[0].n)
        for cell in of_kind(run.events, CellFacts)
    ] == [("a", False, "musr", 0, 10), ("b", False, "musr", 0, 5), ("musr", True, None, 0, 15)]
