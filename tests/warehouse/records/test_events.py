"""What a journal's lines may say, and how damage in one is named."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from cases import one_in

from warehouse.records.conditions import Conditions
from warehouse.records.events import (
    Attempt,
    CellProgress,
    CellStarted,
    Crashed,
    Data,
    Event,
    Finished,
    GpuSamples,
    Log,
    Measured,
    Planned,
    Refused,
    Stage,
    Stopped,
    Unknown,
    of_kind,
    parse_event,
    parse_line,
    write_line,
)
from warehouse.records.facts import (
    CalibrationFacts,
    CellFacts,
    DocumentsFacts,
    FailureFacts,
    MetricFacts,
    ModelFacts,
    TaskFacts,
    VariantFacts,
)
from warehouse.records.measurements import MachineFacts, MeasurementFacts
from warehouse.records.reading import Reading
from warehouse.store import journal
from warehouse.store.journal import Journal, JournalError

MODEL = ModelFacts(
    model="org/tiny", source="org/tiny", revision=None, weights_hash="abc", model_type="llama", hidden_size=8,
    intermediate_size=100, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1, vocab_size=16,
    tied_embeddings=True, parameters=1000, bytes=4000, config_hash="c", tokenizer_hash="t", tuned=False,
)  # fmt: skip
VARIANT = VariantFacts(
    level="2.4x", method="maw", pruning_pct=40.0, intermediate_size=60, padded_size=64, expansion_ratio=2.4,
    parameters=600, bytes=2400,
)  # fmt: skip
TASK = TaskFacts(
    task="piqa", part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=10, n_requests=20,
    dataset="d", dataset_fingerprint=None, requests_hash="r", questions_hash="q", tokens_hash="t",
)  # fmt: skip
ACC = MetricFacts(metric="acc", filter="none", value=0.5, stderr=0.1, n=10, higher_is_better=True, chance=0.5)
CELL = CellFacts(
    level="40", task="piqa", part_of="group", is_group=False, version="1", num_fewshot=-1, seconds=1.5,
    metrics=[ACC, MetricFacts(metric="ppl", filter="none", value=math.inf, stderr=None, n=1, higher_is_better=False)],
    samples="samples/x.parquet", harness_version="0.4.13", samples_hash="0a" * 32,
)  # fmt: skip
PLANNED = Planned(
    plan={"name": "p", "limit": None}, dtype="float32", conditions=Conditions(documents="all", chat_template=True)
)
ALL: list[Data] = [
    PLANNED,
    Attempt(attempt=1, pid=7, host="h", provenance={"versions": {"torch": "2"}}),
    MODEL,
    VARIANT,
    TASK,
    Stage(stage="prune", level="40", seconds=0.5),
    CellStarted(level="w60", task="piqa"),
    CellProgress(level="40", task="piqa", done=1, total=2, tokens=30),
    CELL,
    FailureFacts(level="40", task="piqa", error="E: no", detail="Traceback"),
    GpuSamples(samples=[Reading(t=1.0, device="gpu 0", utilisation=50.0, memory_used=1)]),
    Measured(
        level="40",
        measurements=[
            MeasurementFacts(
                workload="w", batch_size=1, quantity="ttft", unit="ms", mean=1.0, std=None, min=None, max=None, n=3
            )
        ],
    ),
    Log(message="careful", level_name="warning"),
    Stopped(reason="SIGINT"),
    Finished(failed=0),
    Refused(error="no"),
    Crashed(error="E", detail="Traceback"),
    DocumentsFacts(task="piqa", path="documents/piqa-1.parquet", hash="0a" * 32, count=10),
    CalibrationFacts(source="self", tokens=4096, length=128, seed=0, hash="0a" * 32, path="calibration.parquet"),
    Measured(
        level="40",
        measurements=[
            MeasurementFacts(
                workload="128 in, 64 out",
                batch_size=8,
                quantity="time_per_output_token",
                unit="ms",
                mean=None,
                round=2,
                phase="decode",
                engine="ours",
                mode="graphs",
                width="padded",
                padded_size=4928,
                prompt_tokens=128,
                new_tokens=64,
                source="CUDA events",
                note="it does not fit into the memory",
            )
        ],
    ),
    MachineFacts(
        device="NVIDIA H200",
        dtype="bfloat16",
        timer="CUDA events",
        copy_rate=4e12,
        matrix_rate=7e14,
        idle_power=75.5,
        power_limit=700.0,
        temperature=31.0,
        clock=1980.0,
        clock_max=1980.0,
        throttled=None,
        energy_source=None,
        energy_missing="no driver",
        rates_missing=None,
    ),
]


def record(data: Data) -> dict[str, Any]:
    return json.loads(write_line(Event(3, 1.75e9, data)))


@pytest.mark.parametrize("data", ALL, ids=lambda data: type(data).__name__)
def test_every_kind_comes_back_as_it_was_written(data: Data) -> None:
    event = Event(3, 1.75e9, data)
    assert parse_line(write_line(event)) == event


@pytest.mark.parametrize(
    "data", [data for data in ALL if not isinstance(data, Unknown)], ids=lambda data: type(data).__name__
)
def test_what_an_event_says_is_named_where_it_is_made(data: Data) -> None:
    kind: Any = type(data)
    with pytest.raises(TypeError, match="positional"):
        kind(*(getattr(data, field.name) for field in fields(kind)))


def test_nan_may_be_a_score_and_nothing_else() -> None:
    wild = CellFacts(
        level="0", task="t", part_of=None, is_group=False, version=None, num_fewshot=None, seconds=0,
        metrics=[MetricFacts(metric="m", filter="f", value=math.nan, stderr=math.nan, n=1, higher_is_better=None)],
    )  # fmt: skip
    told = parse_line(write_line(Event(0, 0.0, wild))).data
    assert isinstance(told, CellFacts)
    assert math.isnan(told.metrics[0].value)


@pytest.mark.parametrize(
    ("data", "wrong", "named"),
    [
        (CELL, {"level": None}, "level is None, not a text"),
        (CELL, {"level": "forty"}, "level is 'forty', not a level"),
        (CELL, {"seconds": math.nan}, "seconds is nan, not within"),
        (CELL, {"seconds": -1.0}, "seconds is -1.0"),
        (CELL, {"is_group": 0}, "is_group is 0, not true or false"),
        (CELL, {"num_fewshot": -2}, "num_fewshot is -2"),
        (CELL, {"metrics": {}}, "metrics is {}, not a list"),
        (CELL, {"metrics": [{"metric": "acc"}]}, "metrics filter is missing"),
        (CELL, {"metrics": [record(CELL)["metrics"][0] | {"n": -3}]}, "metrics n is -3"),
        (CELL, {"metrics": [record(CELL)["metrics"][0] | {"n": 2**62}]}, "metrics n is"),
        (CELL, {"metrics": [record(CELL)["metrics"][0] | {"value": "0.5"}]}, "metrics value is '0.5', not a number"),
        (CELL, {"metrics": [record(CELL)["metrics"][0] | {"value": 10**400}]}, "too large a number"),
        (VARIANT, {"intermediate_size": -5}, "intermediate_size is -5"),
        (VARIANT, {"intermediate_size": 0}, "intermediate_size is 0"),
        (VARIANT, {"pruning_pct": 101}, "pruning_pct is 101"),
        (VARIANT, {"parameters": 1.5}, "parameters is 1.5"),
        (MODEL, {"hidden_size": True}, "hidden_size is True"),
        (TASK, {"n_docs": "ten"}, "n_docs is 'ten'"),
        (PLANNED, {"plan": None}, "plan is missing"),
        (PLANNED, {"conditions": {"seeds": "1"}}, "seeds must be four numbers"),
        (PLANNED, {"conditions": 3}, "conditions are neither"),
        (PLANNED, {"dtype": 32}, "dtype is 32"),
        (ALL[10], {"samples": [{"utilisation": "half"}]}, "samples utilisation is 'half'"),
        (ALL[10], {"samples": 3}, "samples is 3, not a list"),
        (CELL, {"samples_hash": "0A" * 32}, "samples_hash is '0A0A"),
        (ALL[17], {"hash": "0a" * 31}, "hash is '0a0a"),
        (ALL[17], {"count": -1}, "count is -1"),
        (ALL[14], {"failed": -1}, "failed is -1"),
        (ALL[14], {"t": math.inf}, "t is inf"),
        (ALL[14], {"seq": -1}, "seq is -1"),
        (ALL[14], {"kind": 1}, "kind is 1"),
    ],
)
def test_a_value_that_cannot_be_is_named(data: Data, wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named.replace("(", r"\(")):
        parse_event(record(data) | wrong)


@pytest.mark.parametrize(("length", "shown"), [(40, "{}, not"), (41, "{:.40}…, not")])
def test_a_wrong_value_is_shown_up_to_forty_characters(length: int, shown: str) -> None:
    text = "x" * (length - 2)  # without its quotes
    with pytest.raises(ValueError, match=f"num_fewshot is {shown.format(repr(text))}"):
        parse_event(record(CELL) | {"num_fewshot": text})


@pytest.mark.parametrize("data", ALL, ids=lambda data: type(data).__name__)
def test_a_changed_key_is_damage(data: Data) -> None:
    optional = {"crc", "origin", "dtype", "level_name", "conditions", "chance", "repair"} | {
        name for kind in (ModelFacts, TaskFacts, CellFacts) for name in ("config_hash", "tokenizer_hash", "tuned",
        "questions_hash", "tokens_hash", "harness_version", "samples", "samples_hash", "metrics") if kind
    }  # fmt: skip
    for name in set(record(data)) - (optional - ({"samples"} if isinstance(data, GpuSamples) else set())):
        told = record(data)
        told[f"{name[:-1]}#"] = told.pop(name)
        with pytest.raises(ValueError, match=f"{name} is missing"):
            parse_event(told)


@pytest.mark.parametrize("line", [b"[]", b"3", b"{", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"seq":0}', b"{}"])
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_line(line)


def test_a_newer_programs_kinds_and_fields_are_passed_over() -> None:
    assert parse_event({"seq": 0, "t": 1.0, "kind": "repaired", "what": 1}).data == Unknown("repaired")
    assert parse_event(record(CELL) | {"quality": "high"}).data == CELL


@pytest.mark.parametrize("number", [0xD800, 0xDCFF, 0xDFFF])
def test_half_a_character_in_a_text_does_not_cost_the_event(number: int) -> None:
    half = chr(number)
    told = parse_line(write_line(Event(0, 1.0, Crashed(error=f"no file 'a{half}'", detail=f"{half}é"))))
    assert told.data == Crashed(error="no file 'a\N{REPLACEMENT CHARACTER}'", detail="\N{REPLACEMENT CHARACTER}é")


def test_half_a_character_that_others_wrote_is_damage_and_a_whole_one_is_not() -> None:
    line = rb'{"seq":0,"t":1,"kind":"log","message":"%s"}'
    assert parse_line(line % rb"\ud83d\ude00").data == Log(message="\N{GRINNING FACE}")
    with pytest.raises(ValueError, match="half a character"):
        parse_line(line % rb"\ud83d")


def test_what_cannot_be_read_back_is_not_written(tmp_path: Path) -> None:
    writer = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(ValueError, match="failed is -1"):
        writer.append(Finished(failed=-1))
    assert writer.append(Finished(failed=0)) == 0


def test_a_damaged_line_is_named_by_file_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = json.dumps({"seq": 0, "t": 1.0, "kind": "log", "message": "m"}).encode() + b"\n"
    second = json.dumps({"seq": 1, "t": 1.0, "kind": "log", "massage": "m"}).encode() + b"\n"
    path.write_bytes(first + second + first)
    with pytest.raises(JournalError, match=r"line 2 \(message is missing\)") as caught:
        journal.read(path, len(first), after=0)
    assert (caught.value.line, caught.value.offset, caught.value.path) == (2, len(first), path)


def test_an_old_plan_has_its_sentence_turned_into_columns() -> None:
    plan = {"name": "p", "limit": 6.0, "seed": 3, "apply_chat_template": False}
    told = parse_event({"seq": 0, "t": 0, "kind": "plan", "plan": plan, "dtype": "float32", "conditions": "limit 6, …"})
    assert isinstance(told.data, Planned)
    assert told.data.conditions.documents == "6"
    assert told.data.label == "limit 6, float32, seeds 3,1237,1237,1237"


def test_an_old_imports_sentence_stays_what_it_was() -> None:
    told = parse_event({"seq": 0, "t": 0, "kind": "plan", "plan": {"name": "p"}, "conditions": "all documents, L4"})
    assert isinstance(told.data, Planned)
    assert (told.data.label, told.data.conditions) == ("all documents, L4", Conditions())


OLD_RUN = Path(__file__).parents[2] / "data" / "old_run"


def test_a_journal_from_before_there_were_types_is_read() -> None:
    events, end = journal.read(OLD_RUN / "journal.jsonl")
    assert end == (OLD_RUN / "journal.jsonl").stat().st_size
    assert not of_kind(events, Unknown)
    assert [cell.task for cell in of_kind(events, CellFacts)][-2:] == ["demo_facts", "demo_sums"]
    (task, *_), (model,) = of_kind(events, TaskFacts), of_kind(events, ModelFacts)
    assert (task.questions_hash, task.tokens_hash, model.config_hash, model.tuned) == (None, None, None, None)


@pytest.mark.parametrize("bits", one_in(2, [1, 8]), ids=["one of each byte", "all"])
def test_any_flipped_bit_is_damage_or_changes_nothing(tmp_path: Path, bits: int) -> None:
    """But for the last newline, without which the last line is taken for one that a crash cut off."""
    path = tmp_path / "journal.jsonl"
    events = [Event(seq, 1.75e9 + seq, data) for seq, data in enumerate((PLANNED, VARIANT, CELL, ALL[14]))]
    whole = b"".join(map(write_line, events))
    unnoticed = []
    for place in range(len(whole) - 1):
        for bit in range(8) if bits == 8 else [place % 8]:
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            path.write_bytes(flipped)
            try:
                if journal.read(path)[0] != events:
                    unnoticed.append((place, bit))
            except JournalError:
                pass
    assert unnoticed == []


@pytest.mark.parametrize("gone", range(5))
def test_a_line_that_is_missing_is_damage(tmp_path: Path, gone: int) -> None:
    path = tmp_path / "journal.jsonl"
    lines = [write_line(Event(seq, 1.0, Log(message=str(seq)))) for seq in range(6)]
    path.write_bytes(b"".join(line for seq, line in enumerate(lines) if seq != gone))
    with pytest.raises(JournalError, match=rf"line {gone + 1} \(event {gone + 1} stands where {gone} should\)"):
        journal.read(path)


def test_a_line_without_a_checksum_after_one_that_has_it_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    old, new = (json.dumps({"seq": seq, "t": 1, "kind": "log", "message": "m"}).encode() + b"\n" for seq in (0, 2))
    path.write_bytes(old + write_line(Event(1, 1.0, Log(message="m"))))
    assert len(journal.read(path)[0]) == 2
    path.write_bytes(path.read_bytes() + new)
    with pytest.raises(JournalError, match="it has no checksum, which the line before it has"):
        journal.read(path)


def test_what_follows_is_read_from_where_one_left_off(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = [write_line(Event(seq, 1.0, Log(message=str(seq)))) for seq in range(3)]
    path.write_bytes(b"".join(lines))
    assert [event.seq for event in journal.read(path, len(lines[0]), after=0)[0]] == [1, 2]
    with pytest.raises(JournalError, match=r"line 3 \(event 2 stands where 1 should\)"):
        journal.read(path, len(lines[0] + lines[1]), after=0)
