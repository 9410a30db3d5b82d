"""Which models have GLU MLPs that can be pruned, and what the others are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from engine.errors import UserError
from engine.pruning.glu import find_glu_mlps, refuse_nan, skeleton

FAMILIES = ["llama", "llama-biases", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "smollm3", "phi3"]
MakeConfig = Callable[[str], PretrainedConfig]
MakeModel = Callable[..., PreTrainedModel]


@pytest.mark.parametrize("family", FAMILIES)
def test_mlps_are_found_without_weights(make_config: MakeConfig, family: str) -> None:
    model = skeleton(make_config(family))
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}
    mlps = find_glu_mlps(model)
    assert [mlp.layer for mlp in mlps] == [0, 1, 2]
    assert {mlp.intermediate_size for mlp in mlps} == {88}
    assert {tuple(weight.shape) for mlp in mlps for weight in mlp.gate_and_up} == {(88, 32)}
    assert mlps[0].fused == (family == "phi3")


def test_of_a_multimodal_model_only_the_language_layers_are_taken(make_config: MakeConfig) -> None:
    model = skeleton(make_config("gemma3-multimodal"))
    language = model.get_submodule("model.language_model.layers")
    assert [mlp.module for mlp in find_glu_mlps(model)] == [layer.mlp for layer in language.children()]


def test_the_fused_projection_is_gate_then_up(make_model: MakeModel) -> None:
    [mlp, *_] = find_glu_mlps(make_model("phi3"))
    x = torch.randn(5, 32)
    gate, up = mlp.gate_and_up
    torch.testing.assert_close(mlp.module(x), mlp.down(nn.functional.silu(x @ gate.T) * (x @ up.T)))


SMALL: dict[str, Any] = {"num_hidden_layers": 2}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "mixtral": (SMALL, "Model type 'mixtral' cannot be pruned: it is a mixture of experts"),
    "qwen2_moe": (SMALL, "Model type 'qwen2_moe' cannot be pruned: it is a mixture of experts"),
    "qwen3_moe": (SMALL, "Model type 'qwen3_moe' cannot be pruned: it is a mixture of experts"),
    "deepseek_v3": ({"num_hidden_layers": 4}, "Model type 'deepseek_v3' cannot be pruned: it is a mixture of experts"),
    "gpt_oss": (SMALL, "Model type 'gpt_oss' cannot be pruned: it is a mixture of experts"),
    "olmoe": (SMALL, "Model type 'olmoe' cannot be pruned: it is a mixture of experts"),
    "llama4_text": (SMALL, "Model type 'llama4_text' cannot be pruned: it is a mixture of experts"),
    "jetmoe": (SMALL, "Model type 'jetmoe' cannot be pruned: it is a mixture of experts"),
    "gpt2": ({"n_layer": 2}, "Model type 'gpt2' has no GLU MLPs to prune"),
    "gpt_neox": (SMALL, "Model type 'gpt_neox' has no GLU MLPs to prune"),
    "opt": (SMALL, "Model type 'opt' has no GLU MLPs to prune"),
    "phi": (SMALL, "Model type 'phi' has no GLU MLPs to prune"),
    "falcon": (SMALL, "Model type 'falcon' has no GLU MLPs to prune"),
    "mamba": (SMALL, "Model type 'mamba' has no GLU MLPs to prune"),
    "blt": ({}, "Model type 'blt' cannot be pruned: it has several stacks of layers"),
    "bitnet": (SMALL, "Model type 'bitnet' cannot be pruned: its MLP also holds ffn_sub_norm.weight"),
    "gemma3n_text": ({}, "Model type 'gemma3n_text' cannot be pruned: its config gives layers widths of their own"),
    "t5": ({}, "Model type 't5' is not a causal language model in transformers"),
}


@pytest.mark.parametrize("model_type", REFUSED)
def test_other_families_are_refused_by_name_and_reason(model_type: str) -> None:
    changes, sentence = REFUSED[model_type]
    config = AutoConfig.for_model(model_type, **changes)
    with pytest.raises(UserError) as refused:
        find_glu_mlps(skeleton(config))
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes", "fp8"])
def test_quantised_checkpoints_are_refused(make_config: MakeConfig, method: str) -> None:
    config = make_config("llama")
    config.quantization_config = {"quant_method": method, "bits": 4}
    with pytest.raises(UserError, match=rf"'llama' cannot be pruned here: its weights are quantised \({method}\)"):
        find_glu_mlps(skeleton(config))


def test_packed_weights_are_refused(make_model: MakeModel) -> None:
    model = make_model("llama")
    packed = torch.zeros(88, 16, dtype=torch.uint8)
    model.get_submodule("model.layers.1.mlp.up_proj").weight = nn.Parameter(packed, requires_grad=False)
    with pytest.raises(UserError, match="up_proj of layer 1 is not a plain linear layer"):
        find_glu_mlps(model)


def test_layers_of_unlike_width_are_refused(make_model: MakeModel) -> None:
    model = make_model("llama")
    mlp = model.get_submodule("model.layers.2.mlp")
    mlp.gate_proj, mlp.up_proj, mlp.down_proj = nn.Linear(32, 40), nn.Linear(32, 40), nn.Linear(40, 32)
    with pytest.raises(UserError, match=r"widths of their own \(40, 88\)"):
        find_glu_mlps(model)


def test_layers_without_a_glu_are_refused(make_model: MakeModel) -> None:
    model = make_model("llama")
    model.get_submodule("model.layers.2").mlp = nn.Linear(32, 32)
    with pytest.raises(UserError, match="only 2 of its 3 layers have a GLU MLP"):
        find_glu_mlps(model)


def test_a_config_that_does_not_state_the_width_is_refused(make_model: MakeModel) -> None:
    model = make_model("llama")
    model.config.intermediate_size = 120
    with pytest.raises(UserError, match=r"88 neurons wide but its config\.intermediate_size says 120"):
        find_glu_mlps(model)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["model.layers.1.mlp.down_proj.weight", "model.embed_tokens.weight"])
def test_broken_weights_are_refused_by_name(make_model: MakeModel, name: str, value: float) -> None:
    model = make_model("qwen2", torch.bfloat16)
    refuse_nan(model)
    model.get_parameter(name)[3, 4] = value
    with pytest.raises(UserError, match=f"broken: {name} contain"):
        refuse_nan(model)
