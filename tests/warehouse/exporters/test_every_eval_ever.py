"""Every Eval Ever's JSON of a run, held to its schema (version 0.3.0, MIT, © 2026 EvalEval; from its package)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tui.cli.app import app
from tui.cli.guard import guarded
from warehouse.errors import UserError
from warehouse.exporters.every_eval_ever import every_eval_records

SCHEMA = json.loads((Path(__file__).parents[2] / "data/every_eval_ever/eval.schema.json").read_text(encoding="utf-8"))


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
    run.cell("0", "wikitext", metrics=[score("word_perplexity", 12.0, higher=False, stderr=None)])
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
    perplexity = next(one for name, one in scores.items() if name.startswith("wikitext/"))
    assert perplexity["metric_config"]["lower_is_better"]
    assert perplexity["metric_config"]["max_score"] == "Infinity"


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
