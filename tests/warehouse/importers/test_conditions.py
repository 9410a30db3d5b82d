"""What a result file says of the circumstances, in the columns that keep unlike things apart."""

from __future__ import annotations

import pytest

from warehouse.importers.conditions import conditions_of
from warehouse.records.conditions import Conditions

PLAIN = {"model": "hf", "model_args": "pretrained=org/small", "limit": None, "gen_kwargs": None}


def of(config=None, **fields) -> Conditions:
    return conditions_of({"config": PLAIN | (config or {})} | fields)


def test_a_plain_evaluation_has_nothing_out_of_the_ordinary():
    seeds = {"random_seed": 0, "numpy_seed": 1234, "torch_seed": 1234, "fewshot_seed": 1234}
    found = of(seeds | {"model_dtype": "torch.bfloat16"}, system_instruction=None, chat_template=None)
    assert found == Conditions(
        documents="all", dtype="bfloat16", seeds="0,1234,1234,1234", chat_template=False, chat_template_hash="",
        system_prompt="", fewshot_as_multiturn=False, generation="", quantization="", adapter="", model_args="",
    )  # fmt: skip
    assert found.label() == "all documents, bfloat16"


@pytest.mark.parametrize(
    ("arguments", "column", "value"),
    [
        ("pretrained=x,peft=./adapters/medical", "adapter", "adapters/medical"),
        ("pretrained=x,delta=org/delta", "adapter", "org/delta"),
        ({"pretrained": "x", "lora_local_path": "/lora"}, "adapter", "/lora"),
        ("pretrained=x,load_in_4bit=True", "quantization", "load_in_4bit=True"),
        ({"pretrained": "x", "load_in_8bit": True}, "quantization", "load_in_8bit=True"),
        ("pretrained=x,autogptq=model.safetensors", "quantization", "autogptq=model.safetensors"),
        ("pretrained=x,load_in_4bit=True,bnb_4bit_quant_type=nf4", "quantization",
         "bnb_4bit_quant_type=nf4,load_in_4bit=True"),
        ("pretrained=x,load_in_4bit=False", "quantization", ""),
        ("pretrained=x,max_length=512,add_bos_token=True", "model_args", "add_bos_token=True,max_length=512"),
        ({"pretrained": "x", "prefix_token_id": 5}, "model_args", "prefix_token_id=5"),
        ("pretrained=x,enable_thinking=False", "model_args", "enable_thinking=False"),
        ("pretrained=x,dtype=float16,parallelize=True,trust_remote_code=True,revision=v2", "model_args", ""),
    ],
)  # fmt: skip
def test_what_the_model_was_loaded_with_is_a_condition(arguments, column, value):
    assert getattr(of({"model_args": arguments}), column) == value


def test_another_program_that_computes_the_model_is_a_condition():
    assert of({"model": "vllm"}).model_args == "model=vllm"
    assert of({"model": "hf-causal-experimental"}).model_args == ""


@pytest.mark.parametrize(
    ("given", "generation"),
    [
        (None, ""),
        ({}, ""),
        ({"temperature": 1.0, "do_sample": True}, '{"do_sample": true, "temperature": 1}'),
        ("temperature=1,do_sample=True", '{"do_sample": true, "temperature": 1}'),
        ("max_gen_toks=512", '{"max_gen_toks": 512}'),
    ],
)
def test_generation_settings_are_one_text_however_they_were_given(given, generation):
    assert of({"gen_kwargs": given}).generation == generation


def test_a_task_that_draws_by_its_own_settings_is_told():
    drawing = {"gsm8k": {"generation_kwargs": {"until": ["\n"], "do_sample": True, "temperature": 0.7}}}
    greedy = {"gsm8k": {"generation_kwargs": {"until": ["\n"], "do_sample": False, "temperature": 0.0}}}
    assert of(configs=drawing).generation == '{"tasks": {"gsm8k": {"do_sample": true, "temperature": 0.7}}}'
    assert of(configs=greedy).generation == ""


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        ({}, None),
        ({"random_seed": 0, "fewshot_seed": 7}, "0,1234,1234,7"),
        ({"random_seed": 0, "numpy_seed": None, "torch_seed": 8, "fewshot_seed": 52}, "0,none,8,52"),
    ],
)
def test_seeds_that_an_older_version_did_not_write_were_its_own(seeds, told):
    assert of(seeds).seeds == told


@pytest.mark.parametrize(("limit", "documents"), [(None, "all"), (100, "100"), (100.0, "100"), (0.1, "0.1")])
def test_the_limit_is_written_in_one_way(limit, documents):
    assert of({"limit": limit}).documents == documents


def test_documents_that_were_picked_out_are_not_all_of_them():
    assert of(**{"n-samples": {"piqa": {"original": 1838, "effective": 3}}}).documents == "chosen"


def test_a_chat_template_is_told_by_its_hash():
    applied = of(chat_template="{{ messages }}", chat_template_sha="f00", fewshot_as_multiturn=True)
    assert (applied.chat_template, applied.chat_template_hash, applied.fewshot_as_multiturn) == (True, "f00", True)
    without_hash = of(chat_template="x")
    assert without_hash.chat_template_hash == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert without_hash.fewshot_as_multiturn is None


def test_turns_without_a_chat_template_are_none():
    assert of(chat_template=None, fewshot_as_multiturn=True).fewshot_as_multiturn is False


def test_what_a_file_does_not_say_is_unknown():
    found = conditions_of({"config": {}})
    assert found == Conditions()


def test_a_model_handed_over_in_python_may_have_been_loaded_in_any_way():
    found = of({"model": "HFLM", "model_args": None})
    assert (found.quantization, found.adapter, found.model_args) == (None, None, None)
