"""Access tokens and passwords do not reach what is written down, wherever they come from."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.rundir import RunDir, runs_root
from warehouse.errors import UserError
from warehouse.importers import import_paths
from warehouse.records.events import Attempt, Crashed, Log
from warehouse.records.facts import FailureFacts
from warehouse.records.level import parse_levels
from warehouse.redaction import RedactingStream, redact_file, redacted
from warehouse.store import db
from warehouse.store.journal import Journal

HUB = "hf_" + "aB3dE6gH9j" * 4
VALUE = "Zq8-correct-horse-7"
PLAN = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPORATE_MIRROR_PASSWORD", VALUE)


@pytest.mark.parametrize(
    "text",
    [
        f"Invalid user token {HUB}.",
        f"Authorization: Bearer {'x1' * 20}",
        f"https://me:{VALUE}@mirror.example/models",
        f"pretrained=x,token={VALUE},dtype=float16",
        f"pretrained=x,use_auth_token={VALUE}",
        f'{{"api_key": "{VALUE}"}}',
        f"OPENAI_API_KEY='{VALUE}'",
        "ghp_" + "a1B2" * 9,
        "sk-" + "a1B2" * 9,
        "AKIA" + "ABCD1234" * 2,
    ],
)
def test_a_secret_is_known_by_its_form_or_its_name(text: str):
    hidden = redacted(text)
    assert "***" in hidden
    for secret in (HUB, VALUE, "x1x1", "a1B2", "ABCD1234"):
        assert secret not in hidden


def test_a_secret_of_the_environment_is_known_wherever_it_stands(environment: None):
    assert redacted({"error": f"401 for {VALUE}!", "deep": [(f"{VALUE}",)]}) == {
        "error": "401 for ***!", "deep": [("***",)],
    }  # fmt: skip


def test_what_is_called_a_secret_is_hidden_whatever_it_is():
    assert redacted({"token": "short", "model": {"api_key": "x", "name": "org/m"}}) == {
        "token": "***", "model": {"api_key": "***", "name": "org/m"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "add_bos_token=True,max_length=512", "prefix_token_id=50256000000", "max_gen_toks: 100000000",
        "sha256 " + "0a" * 32, "hf_leaderboard_of_a_long_name_that_goes_on", "org/Llama-3.2-1B", "tokens: 123456789012",
        "https://huggingface.co/org/model", "the tokenizer's eos_token: '<|endoftext|>'", "task-sk-learn", "",
    ],
)  # fmt: skip
def test_other_texts_stay_as_they_are(text: str):
    assert redacted(text) == text


def test_a_journal_holds_none(tmp_path: Path, environment: None):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(Attempt(attempt=1, pid=1, host="h", provenance={"url": f"https://me:{HUB}@x.example", "token": HUB}))
    journal.append(Log(message=f"asked with {HUB}"))
    journal.append(
        FailureFacts(level="0", task="piqa", error=f"403: {VALUE}", detail=f"headers = 'Bearer {'q9' * 20}'")
    )
    journal.append(Crashed(error=HUB, detail=VALUE))
    journal.close()
    text = (tmp_path / "journal.jsonl").read_text()
    assert text.count("***") == 7
    assert not [secret for secret in (HUB, VALUE, "q9q9") if secret in text]


def test_a_log_holds_none(environment: None):
    log = io.StringIO()
    stream: Any = RedactingStream(log)
    print("asked with", HUB, file=stream)
    stream.writelines([f"and {VALUE}\n"])
    assert log.getvalue() == "asked with ***\nand ***\n"


def test_an_import_holds_none(tmp_path: Path):
    result = {
        "results": {"piqa": {"acc,none": 0.5}}, "n-shot": {"piqa": 0}, "date": 1.7e9, "lm_eval_version": "0.4.9",
        "model_name": "org/small", "pretty_env_info": f"HF_TOKEN={HUB}",
        "config": {"model": "hf", "model_args": f"pretrained=org/small,hub_api_key={VALUE},add_bos_token=True"},
    }  # fmt: skip
    (tmp_path / "results_2026-01-02T03-04-05.000006.json").write_text(json.dumps(result))
    database = tmp_path / "r.duckdb"
    import_paths(database, [tmp_path / "results_2026-01-02T03-04-05.000006.json"])
    with db.open_read(database) as con:
        told = con.execute("select model_args, conditions from runs").fetchall()
    assert told == [("add_bos_token=True,hub_api_key=***", told[0][1])]
    assert not [secret for secret in (HUB, VALUE) if secret.encode() in database.read_bytes()]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"system_instruction": f"Use {HUB}"}, "system_instruction"),
        ({"model": f"https://me:{VALUE}@x.example/m"}, "model"),
        ({"revision": HUB}, "revision"),
        ({"name": VALUE}, "name"),
    ],
)
def test_a_run_is_not_begun_with_one_among_its_settings(
    tmp_path: Path, environment: None, changes: dict[str, Any], name: str
):
    database = tmp_path / "r.duckdb"
    plan = RunPlan.from_dict(PLAN.to_dict() | changes)
    with pytest.raises(UserError, match=f"What is given as {name} holds something like an access token") as refused:
        RunDir.create(runs_root(database), plan, database)
    assert not [secret for secret in (HUB, VALUE) if secret in str(refused.value)]
    assert list(tmp_path.iterdir()) == []


def test_a_json_file_is_rewritten_only_where_it_holds_a_secret(tmp_path):
    config = tmp_path / "config.json"
    plain = '{"bos_token": "<s>",  "rope_theta": 1e6, "_name_or_path": "org/tiny"}'
    config.write_text(plain)
    redact_file(config)
    assert config.read_text() == plain
    config.write_text(json.dumps({"api_key": VALUE, "auto_map": {"from": f"https://me:{VALUE}@mirror"}, "eps": 1e-05}))
    redact_file(config)
    assert json.loads(config.read_text()) == {
        "api_key": "***",
        "auto_map": {"from": "https://***@mirror"},
        "eps": 1e-05,
    }
