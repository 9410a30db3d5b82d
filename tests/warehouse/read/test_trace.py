"""From a number back to what it came from."""

from __future__ import annotations

import json
import math
from pathlib import Path

import polars as pl
import pytest
from template import copied

from warehouse.errors import UserError
from warehouse.importers import import_path
from warehouse.merging import merge
from warehouse.read.metric_lookup import MetricQuery
from warehouse.read.trace import Provenance, trace
from warehouse.stats.aggregates import recompute
from warehouse.stats.metric import SampleSums

LM_EVAL = Path(__file__).parents[1].joinpath("lm_eval_output")
SCORES = {"0": [1, 1, 1, 0], "40": [1, 0, 0, 0]}


def write_samples(run, level: str, task: str, scores: list, metric: str = "acc", weights: list | None = None) -> str:
    name = f"samples/{level}-{task}-1.parquet"
    pl.DataFrame(
        {
            "doc_id": range(len(scores)),
            "filter": "none",
            "metric": metric,
            "value": [float(score) for score in scores],
            "weight": weights,
            "response": [str(index % 2) for index in range(len(scores))],
        },
        schema={"doc_id": pl.Int32, "filter": pl.String, "metric": pl.String, "value": pl.Float64,
                "weight": pl.Float64, "response": pl.String},
    ).write_parquet(run.folder / name)  # fmt: skip
    return name


@pytest.fixture
def run(new_run):
    """PIQA at 0 and 40 % with its samples, not merged yet."""
    run = new_run("r1")
    run.start(widths={"0": 100, "40": 60})
    for level, scores in SCORES.items():
        run.cell(level, "piqa", sum(scores) / 4, n=4, samples=write_samples(run, level, "piqa", scores))
    return run


@pytest.fixture
def asked(database):
    def why(level: str = "40", task: str = "piqa", model: str = "Tiny", **more):
        return trace(database, MetricQuery(model=model, level=level, task=task, **more), database.with_suffix(".runs"))

    return why


def checks(origin: Provenance) -> dict[str, bool | None]:
    return {check.what: check.holds for check in origin.checks}


def test_a_number_leads_to_its_line_its_samples_and_its_baseline(run, merged, asked):
    merged(run)
    found = asked()
    assert found.holds
    assert (found.origin.number.value, found.delta, found.delta_pct) == (
        0.25,
        -0.5,
        pytest.approx(-66.667, abs=1e-3),
    )
    for origin, level in ((found.origin, "40"), (found.baseline, "0")):
        assert origin is not None
        assert checks(origin) == {"journal": True, "samples": True, "samples file": True}
        line = origin.line
        assert line is not None
        content = run.path.read_bytes()
        assert content[line.offset :].split(b"\n")[0].decode() == line.text
        assert content[: line.offset].count(b"\n") + 1 == line.number
        assert json.loads(line.text)["level"] == level


def test_it_names_run_attempt_versions_and_model(run, merged, asked):
    merged(run)
    origin = asked().origin
    assert (origin.run.name, origin.run.attempt, origin.run.host) == ("r1", 1, "here")
    assert origin.run.weights_hash == "w1"
    assert origin.provenance == {"versions": {"torch": "2.13"}}
    assert origin.cell.intermediate_size == 60


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('"value": 0.25', '"value": 0.75'), "says value 0.75, the database 0.25"),
        (
            lambda text: text.replace(
                '"value": 0.25, "filter": "none", "stderr": null, "n": 10',
                '"value": 0.25, "filter": "none", "stderr": null, "n": 9',
            ),
            "says n 9, the database 10",
        ),
        (lambda text: "\n".join(text.split("\n")[:-2]) + "\n", "has no event"),
        (
            lambda text: text.replace('"level": "40", "task": "piqa"', '"level": "40", "task": "boolq"'),
            "something else",
        ),
    ],
    ids=["another number", "another n", "line cut off", "another cell"],
)
def test_a_journal_that_says_otherwise_is_found_out(run, merged, asked, change, said):
    merged(run)
    run.path.write_text(change(run.path.read_text()))
    found = asked()
    assert not found.holds
    assert checks(found.origin)["journal"] is False
    assert said in found.origin.checks[0].said


def test_a_journal_that_is_gone_verifies_nothing_and_breaks_nothing(run, merged, asked):
    merged(run)
    run.path.unlink()
    found = asked()
    assert found.holds
    assert checks(found.origin) == {"journal": None, "samples": True, "samples file": True}


def test_samples_that_give_another_number_are_found_out(run, merged, asked):
    merged(run)
    write_samples(run, "40", "piqa", [1, 1, 1, 1])
    found = asked()
    assert checks(found.origin) == {"journal": True, "samples": True, "samples file": False}
    assert "is 1.0, not 0.25" in found.origin.checks[-1].said


def test_a_samples_file_that_is_no_parquet_is_named(run, merged, asked):
    merged(run)
    (run.folder / "samples" / "40-piqa-1.parquet").write_text("nothing")
    assert checks(asked().origin)["samples file"] is False


@pytest.mark.slow
def test_other_runs_that_measured_it_are_named_the_current_one_first(run, new_run, merged, asked):
    later = new_run("r2")
    later.start(widths={"0": 100, "w60": 60}, t=100)
    later.cell("w60", "piqa", 0.5, t=200)
    merged(run, later)
    origin = asked().origin
    assert [(one.run_id, one.level, one.value) for one in origin.measured] == [
        ("r2", "w60", 0.5),
        ("r1", "40", 0.25),
    ]
    assert origin.number.level == "40"
    assert checks(origin) == {"journal": True, "samples": None}


def test_it_says_in_what_a_level_and_its_baseline_were_not_measured_alike(new_run, merged, asked):
    for run_id, level, tokenizer, harness, gpu, t in (
        ("r1", "0", None, "0.4.9", "A100", 0),
        ("r2", "40", "t2", "0.4.10", "H200", 9),
    ):
        run = new_run(run_id)
        run.start(widths={"0": 100, "40": 60}, tokenizer=tokenizer, config="c1", t=t)
        run.line("attempt", t, attempt=2, pid=2, host="here", provenance={"gpu": {"name": gpu}})
        run.cell(level, "piqa", 0.5, t=t, harness_version=harness)
        merged(run)
    assert asked().differences == [("harness", "0.4.10", "0.4.9"), ("hardware", "H200", "A100")]


def test_a_groups_number_leads_to_its_parts(new_run, merged, asked, metric):
    run = new_run("r1")
    run.start(widths={"0": 100})
    for part, value, n in (("mmlu_law", 0.5, 10), ("mmlu_art", 0.2, 30)):
        run.cell("0", part, metrics=[metric("acc", value, n=n)], part_of="mmlu")
    run.cell("0", "mmlu", metrics=[metric("acc", 0.275, n=40)], is_group=True)
    merged(run)
    origin = asked("0", "MMLU").origin
    assert [part.number.task for part in origin.parts] == ["mmlu_art", "mmlu_law"]
    assert checks(origin) == {"journal": True, "parts": True}
    assert "weighted by documents" in origin.checks[-1].said


@pytest.fixture
def nested(new_run, metric):
    """A group of a group of PIQA and of a task without samples; the first averages over the last parts."""
    run = new_run("r1")
    run.start(widths={"0": 100})
    samples = write_samples(run, "0", "piqa", SCORES["0"])
    run.cell("0", "piqa", metrics=[metric("acc", 0.75, n=4)], part_of="stem", samples=samples)
    run.cell("0", "maths", metrics=[metric("acc", 0.15, n=4)], part_of="stem")
    run.cell("0", "stem", metrics=[metric("acc", 0.45, n=8)], part_of="all", is_group=True)
    run.cell("0", "law", metrics=[metric("acc", 0.3, n=4)], part_of="all")
    run.cell("0", "all", metrics=[metric("acc", 0.4, n=12)], is_group=True)
    return run


def test_a_group_is_followed_to_its_last_part(nested, merged, asked):
    merged(nested)
    origin = asked("0", "all").origin
    below = {part.number.task: checks(part) for part in origin.below}
    assert below == {
        "law": {"journal": True, "samples": None},
        "stem": {"journal": True, "parts": True},
        "maths": {"journal": True, "samples": None},
        "piqa": {"journal": True, "samples": True, "samples file": True},
    }
    assert "weighted by documents, of its 2 parts" in origin.checks[-1].said


def test_a_group_may_be_the_mean_of_its_last_parts(nested, merged, asked, metric):
    nested.cell("0", "stem", metrics=[metric("acc", 0.45, n=None)], part_of="all", is_group=True)
    nested.cell("0", "all", metrics=[metric("acc", 0.4, n=12)], is_group=True)
    merged(nested)
    assert asked("0", "all").origin.checks[-1].said == "the mean of its 3 last parts is the same number"


@pytest.mark.parametrize("of", ["journal", "samples file"])
def test_what_no_longer_holds_of_a_groups_last_part_is_found_out(nested, merged, asked, of):
    merged(nested)
    if of == "journal":
        nested.path.write_text(nested.path.read_text().replace('"value": 0.75', '"value": 0.5'))
    else:
        write_samples(nested, "0", "piqa", [0, 0, 0, 0])
    found = asked("0", "all")
    assert not found.holds
    piqa = next(part for part in found.origin.below if part.number.task == "piqa")
    assert checks(piqa)[of] is False


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_are_traced_too(new_run, merged, asked, value):
    run = new_run("r1")
    run.start(widths={"0": 100})
    run.cell("0", "piqa", value)
    merged(run)
    assert checks(asked("0").origin)["journal"] is True


@pytest.mark.parametrize(
    ("metric", "sums", "value"),
    [
        ("acc", SampleSums(4, 4, 0.25, 1.0, None), 0.25),
        ("perplexity", SampleSums(2, 2, -1.0, -2.0, None), math.e),
        ("word_perplexity", SampleSums(2, 2, -6.0, -12.0, 6.0), math.exp(2)),
        ("bits_per_byte", SampleSums(2, 2, -6.0, -12.0, 6.0), 2 / math.log(2)),
        ("perplexity", SampleSums(1, 1, -1e6, -1e6, None), math.inf),
    ],
)
def test_documents_give_the_number_as_lm_eval_aggregates_them(metric, sums, value):
    found = recompute(metric, sums)
    assert found is not None
    assert found[0] == pytest.approx(value)


def test_a_metric_that_is_no_function_of_single_documents_is_not_recomputed():
    assert recompute("f1", SampleSums(4, 4, 0.5, 2.0, None)) is None
    assert recompute("acc", SampleSums(4, 3, 0.5, 1.5, None)) is None


def test_a_published_number_leads_to_its_line_in_the_data(database, asked, study):
    copied(study, database)
    found = asked("40", "MuSR", "Llama-3.2-1B")
    place = found.origin.place
    assert place is not None
    assert place.text == "meta-llama/Llama-3.2-1B,40,leaderboard_musr,0,acc_norm,none,0.4286,0.0174,true"
    assert place.line is not None
    data = Path(__file__).parents[3] / place.file
    assert data.read_text(encoding="utf-8").splitlines()[place.line - 1] == place.text
    assert checks(found.origin) == {"file": True, "samples": None}


@pytest.mark.slow
def test_every_published_number_is_found_again(database, ask, study):
    copied(study, database)
    for model in ("Llama-3.2-1B", "Llama-3.2-3B"):
        for level in ("0", "10", "60"):
            for task in ("mmlu", "wikitext", "lambada_openai", "gsm8k"):
                wanted = MetricQuery(model=model, level=level, task=task)
                assert checks(trace(database, wanted, Path("none")).origin)["file"] is True


def test_a_number_of_lm_eval_leads_to_its_file_and_its_samples(database, asked):
    import_path(database, LM_EVAL)
    origin = asked("0", "piqa", "stories260K").origin
    assert origin.place is not None
    assert origin.place.file == "results_2026-11-24T03-35-04.477376.json"
    assert "piqa" in origin.place.place
    assert checks(origin) == {"file": None, "samples": True}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"task": "piqqa"}, "no results of 'piqqa': there is piqa"),
        ({"level": "50"}, "was not measured at 50: there is 0, 40"),
        ({"level": "much"}, "'much' is not a pruning level"),
        ({"metric": "f1"}, "--metric f1: there is acc"),
        ({"method": "vow"}, "--method vow: there is maw"),
        ({"shots": 5}, "--shots 5: there is 0"),
        ({"model": "Tinny"}, "did you mean org/Tiny"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(run, merged, asked, wanted, said):
    merged(run)
    with pytest.raises(UserError, match=said):
        asked(**wanted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"conditions": "limit 5"}, {"conditions": "limit"}),
        ({"method": "vow"}, {"method": "vow"}),
        ({"shots": 5}, {"shots": 5}),
        ({"version": "2"}, {"version": "2"}),
    ],
)
def test_what_fits_several_numbers_lists_the_choices(run, new_run, merged, asked, fields, wanted):
    other = new_run("r2")
    start = {name: fields[name] for name in ("conditions", "method") if name in fields}
    other.start(widths={"0": 100, "40": 60}, **start)
    cell = {"num_fewshot": fields["shots"]} if "shots" in fields else {}
    cell |= {"version": fields["version"]} if "version" in fields else {}
    other.cell("40", "piqa", 0.75, **cell)
    merged(run, other)
    with pytest.raises(UserError, match=f"2 numbers fit.*{next(iter(fields.values()))}.*Choose with"):
        asked()
    assert asked(**wanted).origin.number.run_id == "r2"


def test_a_level_goes_by_percentage_ratio_or_width(run, merged, asked):
    merged(run)
    for level in ("40%", "2.4x", "w60", " 40 "):
        assert asked(level).origin.number.value == 0.25


def test_the_unpruned_number_is_one_whatever_the_methods(run, new_run, merged, asked):
    other = new_run("r2")
    other.start(method="vow", widths={"40": 60}, t=10)
    other.cell("40", "piqa", 0.75, t=10)
    merged(run, other)
    found = asked("0")
    assert found.baseline is None
    assert found.origin.number.run_id == "r1"


def test_a_number_that_was_merged_while_its_journal_grew_is_still_found(run, database, asked):
    merge.merge_run(database, run.folder)
    run.line("log", level_name="info", message='a line that says "seq": 5, too')
    assert asked().holds
