"""Every Eval Ever's JSON of a run, held to its schema (version 0.3.0, MIT, © 2026 EvalEval; from its package)."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from documents import answered, documented

from tui.cli.app import app
from tui.cli.guard import guarded
from warehouse.errors import UserError
from warehouse.exporters.every_eval_ever import _source, every_eval_records
from warehouse.exporters.every_eval_samples import _reference, _said
from warehouse.read.documents import Document, Score

SCHEMA = json.loads((Path(__file__).parents[2] / "data/every_eval_ever/eval.schema.json").read_text(encoding="utf-8"))


INSTANCES = json.loads(
    (Path(__file__).parents[2] / "data/every_eval_ever/instance_level_eval.schema.json").read_text(encoding="utf-8")
)


def valid(record: dict[str, Any]) -> dict[str, Any]:
    jsonschema.Draft7Validator(SCHEMA).validate(record)
    return record


def score(metric: str, value: float | None, *, higher: bool | None = True, **more: Any) -> dict[str, Any]:
    told = {"metric": metric, "filter": "none", "value": value, "stderr": 0.01, "n": 1838, "higher_is_better": higher}
    return told | more


@pytest.fixture
def measured(new_run, merged, database: Path) -> Path:
    run = new_run("r1")
    run.start()
    run.cell("0", "piqa", metrics=[score("acc", 0.75), score("acc_norm", 0.76)])
    perplexities = (score(name, 12.0, higher=False, stderr=None) for name in ("word_perplexity", "bits_per_byte"))
    run.cell("0", "wikitext", metrics=list(perplexities))
    run.cell("40", "piqa", metrics=[score("acc", 0.6), score("odd", 0.1, higher=None)])
    run.cell("40", "wikitext", metrics=[score("word_perplexity", float("inf"), higher=False)])
    merged(run)
    return database


def test_each_width_is_a_model_with_its_scores(measured: Path) -> None:
    found = every_eval_records(measured, "r1", organization="Somebody")
    records = {name: valid(json.loads(text)) for name, text in found.files.items()}
    assert sorted(records) == ["Tiny-maw-40pct.json", "org-Tiny.json"]
    whole, pruned = records["org-Tiny.json"], records["Tiny-maw-40pct.json"]
    assert (whole["model_info"]["id"], whole["model_info"]["developer"]) == ("org/Tiny", "org")
    assert "developer" not in pruned["model_info"]  # nobody's on the hub
    assert pruned["model_info"]["additional_details"]["base_model"] == "org/Tiny"
    assert pruned["model_info"]["additional_details"]["method"] == "maw"
    assert whole["source_metadata"]["source_organization_name"] == "Somebody"
    scores = {one["evaluation_result_id"]: one for one in whole["evaluation_results"]}
    acc = next(one for name, one in scores.items() if name.startswith("piqa/acc/none"))
    assert acc["score_details"] == {
        "score": 0.75,
        "uncertainty": {"standard_error": {"value": 0.01}, "num_samples": 1838},
    }
    assert (acc["metric_config"]["min_score"], acc["metric_config"]["max_score"]) == (0, 1)
    bits = next(one for name, one in scores.items() if name.startswith("wikitext/bits"))
    assert (bits["metric_config"]["min_score"], bits["metric_config"]["max_score"]) == (None, None)
    perplexity = next(one for name, one in scores.items() if name.startswith("wikitext/word"))
    assert perplexity["metric_config"]["lower_is_better"]
    assert perplexity["metric_config"]["max_score"] == "Infinity"


def test_a_data_set_is_on_the_hub_where_its_owner_is_known() -> None:
    known = {"task": "piqa", "dataset": "baber/piqa/plain", "n": 1838}
    assert _source(known) == {
        "dataset_name": "plain", "source_type": "hf_dataset", "hf_repo": "baber/piqa", "samples_number": 1838,
    }  # fmt: skip
    assert _source(known | {"n": None}) == {
        "dataset_name": "plain", "source_type": "hf_dataset", "hf_repo": "baber/piqa",
    }  # fmt: skip
    assert _source(known | {"dataset": "piqa"}) == {"dataset_name": "piqa", "source_type": "other"}


def test_what_the_schema_has_no_place_for_is_told(measured: Path) -> None:
    assert every_eval_records(measured, "r1").left_out == (
        "piqa, odd, level 40: it is not known whether more is better",
        "wikitext, word_perplexity, level 40: it is no finite number",
    )
    with pytest.raises(UserError, match="There are no scores of a run r9"):
        every_eval_records(measured, "r9")


def test_the_command_writes_a_file_for_each_level_and_names_no_machine(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "records"
    words = ["export", "every-eval-ever", "--run", "r1", "-o", str(folder), "--db", str(measured)]
    assert guarded(app, words) == 0
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())]
    assert len(texts) == 2
    assert not any("secret-host" in text or str(tmp_path) in text for text in texts)
    assert "Left out: piqa, odd" in capsys.readouterr().err
    assert guarded(app, words) == 2  # they are there already
    assert guarded(app, [*words, "--force"]) == 0
    assert guarded(app, ["export", "every-eval-ever", "--db", str(measured)]) == 2
    assert "export every-eval-ever --run RUN -o FOLDER" in capsys.readouterr().err


@pytest.fixture
def answered_run(new_run, merged, database: Path) -> Path:
    """Two documents of piqa at each of two levels, and a score that is no share of them."""
    run = new_run("r1")
    run.start()
    documented(run)
    for level in ("0", "40"):
        answered(run, level)
    run.cell("0", "wikitext", metrics=[score("word_perplexity", 12.0, higher=False, stderr=None)])
    merged(run)
    return database


def test_documents_stand_in_files_that_the_records_name(answered_run: Path) -> None:
    found = every_eval_records(answered_run, "r1", samples=True)
    records = [valid(json.loads(text)) for name, text in found.files.items() if name.endswith(".json")]
    record = next(one for one in records if one["model_info"]["id"] == "org/Tiny")
    told = record["detailed_evaluation_results"]
    text = found.files[told["file_path"]]
    assert told["checksum"] == sha256(text.encode()).hexdigest()
    rows = [json.loads(line) for line in text.splitlines()]
    assert told["total_rows"] == len(rows) == 2  # of acc; acc_norm has no number of the run's here
    for row in rows:
        jsonschema.Draft7Validator(INSTANCES).validate(row)
        assert row["evaluation_id"] == record["evaluation_id"]
        assert row["model_id"] == record["model_info"]["id"]
        assert row["evaluation_result_id"] in {one["evaluation_result_id"] for one in record["evaluation_results"]}
    first = rows[0]
    assert first["input"] == {"raw": "Q0: Bär?", "reference": [" yes"], "choices": [" yes", " no"]}
    assert first["sample_hash"] == sha256("Q0: Bär? yes".encode()).hexdigest()
    assert first["output"] == {"raw": [" yes"]}
    assert first["answer_attribution"][0]["extracted_value"] == " yes"
    assert first["evaluation"] == {"score": 0.0, "is_correct": False}
    assert json.loads(first["metadata"]["log_likelihoods"]) == [-1.0, -1 / 3]
    assert told["file_path"].replace("_samples.jsonl", ".json") in found.files
    assert len(found.files) == 4  # each level is a model, with documents of its own
    assert any(why.startswith("documents of wikitext, level 0: Run r1") for why in found.left_out)


def test_texts_are_what_was_said_and_what_a_filter_left() -> None:
    document = Document("r", "gsm8k", 3, "ff", ("1 + 1?",), (), "2", ())
    score = Score("exact_match", "strict-match", 1.0, '"2"')
    said, [taken] = _said(document, score, ("It is 2.",))
    assert said == ["It is 2."]
    assert (taken["extracted_value"], taken["extraction_method"]) == ("2", "strict-match")
    assert _reference(document) == ["2"]


@pytest.mark.slow
def test_answers_to_documents_are_written_where_they_are_wanted(
    answered_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "records"
    words = ["export", "every-eval-ever", "--run", "r1", "-o", str(folder), "--db", str(answered_run), "--samples"]
    assert guarded(app, words) == 0
    [one, other] = folder.glob("data/prune-tui/*/*/*_samples.jsonl")
    assert {one.parent.parent.name, other.parent.parent.name} == {"org", "unknown"}
    assert "Left out: documents of wikitext" in capsys.readouterr().err
