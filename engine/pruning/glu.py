"""Finds the GLU MLPs of a causal language model, and says why a model has none that can be pruned.

A GLU MLP computes down(act(gate(x)) · up(x)). transformers builds it at `….layers.N.mlp` from three linear
layers `gate_proj`, `up_proj`, `down_proj` (Llama, Mistral, Qwen2, Qwen3, Gemma, SmolLM, …), or from
`gate_up_proj`, whose rows are gate's and then up's, and `down_proj` (Phi-3, GLM).
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from engine.errors import UserError
from engine.pruning.layer import Activations, MlpLayer

_GLU_PATH = re.compile(r"(?P<stack>(?:.*\.)?layers)\.(?P<layer>\d+)\.mlp")
_NOT_LANGUAGE = re.compile(r"vision|visual|image|audio|speech")
_EXPERTS = re.compile(r"(Experts|MoE|SparseMoeBlock)$")
_WEIGHT_DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)


@dataclass(frozen=True, slots=True)
class GluMlp:
    """The MLP of decoder layer `layer`. Its tensors are views of the module's own weights."""

    layer: int
    module: nn.Module

    @property
    def fused(self) -> bool:
        return hasattr(self.module, "gate_up_proj")

    @property
    def linears(self) -> dict[str, nn.Linear]:
        """The linear layers by name: gate_proj and up_proj, or gate_up_proj, and down_proj."""
        names = ("gate_up_proj", "down_proj") if self.fused else ("gate_proj", "up_proj", "down_proj")
        return {name: getattr(self.module, name) for name in names}

    @property
    def down(self) -> nn.Linear:
        return self.linears["down_proj"]

    @property
    def intermediate_size(self) -> int:
        return self.down.in_features

    @property
    def gate_and_up(self) -> tuple[Tensor, Tensor]:
        """Gate and up weights, each [intermediate_size, hidden_size]."""
        if self.fused:
            gate, up = self.linears["gate_up_proj"].weight.data.chunk(2)
            return gate, up
        return self.linears["gate_proj"].weight.data, self.linears["up_proj"].weight.data

    def layer_for(self, seed: int, activations: Activations | None = None) -> MlpLayer:
        """What a pruning method sees of it."""
        gate, up = self.gate_and_up
        bias = None if self.down.bias is None else self.down.bias.data
        return MlpLayer(
            index=self.layer,
            gate=gate,
            up=up,
            down=self.down.weight.data,
            seed=seed,
            down_bias=bias,
            activations=activations,
        )

    @property
    def parameters_per_neuron(self) -> int:
        """Weights and biases that go away with one neuron."""
        hidden = self.down.out_features
        rows = [linear for name, linear in self.linears.items() if name != "down_proj"]
        biases = sum(linear.bias is not None for linear in rows) * (2 if self.fused else 1)
        return 2 * rows[0].in_features + hidden + biases


def skeleton(config: PretrainedConfig, *, trust_remote_code: bool = False) -> PreTrainedModel:
    """The model of this config on the meta device: every module and shape, no weights.

    Raises:
        UserError: transformers knows no causal language model for this config.
    """
    try:
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(copy.deepcopy(config), trust_remote_code=trust_remote_code)
    except ValueError as error:
        if "Unrecognized configuration class" not in str(error):
            raise
        raise UserError(
            f"{_name(config)} is not a causal language model in transformers: choose a decoder such as Llama, "
            "Mistral, Qwen or Gemma."
        ) from error


def find_glu_mlps(model: PreTrainedModel) -> list[GluMlp]:
    """The GLU MLPs of the model's language layers, in order; works on a skeleton as well.

    Raises:
        UserError: the model's MLPs cannot be pruned; names the model type and the reason.
    """
    config = model.config
    _refuse_quantised(config)
    _refuse_experts(model)
    stacks: dict[str, list[GluMlp]] = {}
    for path, module in model.named_modules():
        match = _GLU_PATH.fullmatch(path)
        if match and not _NOT_LANGUAGE.search(path) and _is_glu(module):
            stacks.setdefault(match["stack"], []).append(GluMlp(int(match["layer"]), module))
    if not stacks:
        raise UserError(
            f"{_name(config)} has no GLU MLPs to prune: its layers hold no mlp with gate_proj, up_proj and "
            "down_proj (or a fused gate_up_proj), as those of Llama, Mistral, Qwen, Gemma or Phi-3 do."
        )
    if len(stacks) > 1:
        raise UserError(
            f"{_name(config)} cannot be pruned: it has several stacks of layers ({', '.join(stacks)}), "
            "and only models with a single one are supported."
        )
    [(stack, mlps)] = stacks.items()
    if len(mlps) < (layers := len(model.get_submodule(stack))):  # type: ignore[arg-type]
        raise UserError(
            f"{_name(config)} cannot be pruned: only {len(mlps)} of its {layers} layers have a GLU MLP, "
            "and all of them must be narrowed alike."
        )
    for mlp in mlps:
        _refuse_unfit(mlp, config)
    _refuse_uneven(mlps, config)
    return mlps


def refuse_nan(model: PreTrainedModel) -> None:
    """Raises:
    UserError: a weight is NaN or infinite; names the tensor, hence the layer.
    """
    extremes = {name: torch.aminmax(tensor.data) for name, tensor in model.named_parameters() if tensor.numel()}
    finite = torch.stack([(low.isfinite() & high.isfinite()).cpu() for low, high in extremes.values()])
    broken = [name for name, good in zip(extremes, finite.tolist(), strict=True) if not good]
    if broken:
        more = f" and {len(broken) - 1} more tensors" if len(broken) > 1 else ""
        raise UserError(
            f"The model's weights are broken: {broken[0]}{more} contain NaN or infinity; "
            "download or export the checkpoint again."
        )


def _is_glu(module: nn.Module) -> bool:
    if not isinstance(getattr(module, "down_proj", None), nn.Module):
        return False
    return hasattr(module, "gate_up_proj") or (hasattr(module, "gate_proj") and hasattr(module, "up_proj"))


def _name(config: PretrainedConfig) -> str:
    return f"Model type '{config.model_type}'"


def _refuse_quantised(config: PretrainedConfig) -> None:
    if (quantisation := getattr(config, "quantization_config", None)) is not None:
        entries = quantisation if isinstance(quantisation, dict) else quantisation.to_dict()
        method = entries.get("quant_method", "an unnamed method")
        raise UserError(
            f"{_name(config)} cannot be pruned here: its weights are quantised ({getattr(method, 'value', method)}); "
            "give the unquantised checkpoint."
        )


def _refuse_experts(model: PreTrainedModel) -> None:
    for path, module in model.named_modules():
        if path.rpartition(".")[2] == "experts" or _EXPERTS.search(type(module).__name__):
            raise UserError(
                f"{_name(model.config)} cannot be pruned: it is a mixture of experts ({path}), "
                "and only dense GLU MLPs are supported."
            )


def _refuse_unfit(mlp: GluMlp, config: PretrainedConfig) -> None:
    for name, linear in mlp.linears.items():
        if not isinstance(linear, nn.Linear) or linear.weight.dtype not in _WEIGHT_DTYPES:
            raise UserError(
                f"{_name(config)} cannot be pruned: {name} of layer {mlp.layer} is not a plain linear layer "
                f"but {type(linear).__name__}, packed or quantised; give the unquantised checkpoint."
            )
    own = {id(parameter) for linear in mlp.linears.values() for parameter in linear.parameters()}
    for name, parameter in mlp.module.named_parameters():
        if id(parameter) not in own:
            raise UserError(
                f"{_name(config)} cannot be pruned: its MLP also holds {name}, which is not part of a plain GLU."
            )


def _refuse_uneven(mlps: list[GluMlp], config: PretrainedConfig) -> None:
    stated = getattr(config.get_text_config(), "intermediate_size", None)
    widths = sorted({mlp.intermediate_size for mlp in mlps})
    if len(widths) > 1 or isinstance(stated, list | tuple):
        raise UserError(
            f"{_name(config)} cannot be pruned: its config gives layers widths of their own "
            f"({', '.join(map(str, widths))}), and only models with one width are supported."
        )
    if stated != widths[0]:
        raise UserError(
            f"{_name(config)} cannot be pruned: its MLPs are {widths[0]} neurons wide but its "
            f"config.intermediate_size says {stated}, so a narrower one could not be loaded again."
        )
