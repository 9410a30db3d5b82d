import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from warehouse.records.level import parse_levels


def plan(**changes) -> RunPlan:
    given = {"name": "p", "model": "m", "levels": tuple(parse_levels("0,40")), "tasks": (TaskSpec("piqa", 0),)}
    return RunPlan(**given | changes)


def test_a_plan_survives_json():
    written = plan(
        levels=tuple(parse_levels("0,12.5,2.4x,w4096")),
        tasks=(TaskSpec("gsm8k", 5), TaskSpec("wikitext")),
        limit=0.25,
        include_paths=("/tasks",),
        system_instruction="Be brief.",
        divisor=64,
        batch_tokens=4096,
    )
    assert RunPlan.from_dict(json.loads(json.dumps(written.to_dict()))) == written


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"method": "magic"}, "magic"),
        ({"dtype": "int4"}, "int4"),
        ({"limit": 0}, "--limit 0"),
        ({"limit": -3}, "--limit -3"),
        ({"limit": math.nan}, "--limit nan"),
        ({"limit": math.inf}, "--limit inf"),
        ({"divisor": 0}, "divisor"),
        ({"batch_tokens": 0}, "token"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(change, word):
    with pytest.raises(UserError, match=word):
        plan(**change)


def test_conditions_tell_apart_what_must_not_be_compared():
    changes = [
        {},
        {"limit": 100},
        {"seeds": (1, 1, 1, 1)},
        {"seeds": (0, 1234, 1234, 1)},
        {"apply_chat_template": True},
        {"fewshot_as_multiturn": True},
        {"system_instruction": "Be brief."},
    ]
    conditions = [plan(**change).conditions(dtype) for change in changes for dtype in ("float32", "bfloat16")]
    assert len(set(conditions)) == len({told.label() for told in conditions}) == len(conditions)
    assert plan(name="other", batch_tokens=512, device="cuda").conditions("float32") == conditions[0]


def test_relative_folders_are_resolved_and_hub_names_kept(tmp_path: Path):
    (tmp_path / "checkpoint").mkdir()
    local = plan(model="checkpoint", include_paths=("my-tasks",)).resolved(tmp_path)
    assert local.model == str(tmp_path / "checkpoint")
    assert local.include_paths == (str(tmp_path / "my-tasks"),)
    assert plan(model="org/model").resolved(tmp_path).model == "org/model"


def test_a_plan_of_an_earlier_version_draws_what_it_drew_then():
    """Its one seed was added to each of lm-eval's, and the random method had it alone."""
    old = plan().to_dict()
    del old["seeds"]
    assert RunPlan.from_dict(old | {"seed": 0}).seeds == (0, 1234, 1234, 1234)
    assert RunPlan.from_dict(old | {"seed": 42}).seeds == (42, 1276, 1276, 1276)


def test_conditions_say_what_is_known_in_columns():
    told = plan(limit=100, apply_chat_template=True, system_instruction="Hi").conditions("float32", "{{ messages }}")
    assert told.documents == "100"
    assert told.seeds == "0,1234,1234,1234"
    assert told.chat_template_hash == hashlib.sha256(b"{{ messages }}").hexdigest()
    assert (told.system_prompt, told.generation, told.quantization, told.adapter) == ("Hi", "", "", "")
    assert (told.repair, told.calibration, told.published) == ("none", "", False)
    assert plan().conditions("float32").chat_template_hash == ""


def test_a_limit_that_leaves_nothing_out_is_all_documents():
    assert plan(limit=1_000_000).conditions("float32", whole=True) == plan().conditions("float32")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "demo"}, "llama.cpp reads GGUF files, and demo is none"),
        ({"device": "cuda"}, "llama.cpp works on the CPU here, and --device says cuda"),
        ({"levels": tuple(parse_levels("0,40"))}, "--levels 0, without repair"),
        ({"repair": "lsq"}, "--levels 0, without repair"),
        ({"damage": True}, "leave --damage, --profile and --cards out"),
        ({"engine": "mlx"}, "There is no engine 'mlx': choose one of transformers, llama.cpp"),
    ],
)
def test_llama_cpp_answers_with_a_file_as_it_is(changes: dict[str, Any], words: str) -> None:
    plan = RunPlan(name="x", model="x.gguf", levels=tuple(parse_levels("0")), tasks=(), engine="llama.cpp")
    assert plan.conditions("float32").model_args == "engine=llama.cpp"
    assert replace(plan, engine="transformers").conditions("float32").model_args == ""
    assert RunPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    with pytest.raises(UserError, match=words):
        replace(plan, **changes)
