"""Parameters and bytes of a model at any width, from its config alone: nothing is downloaded or allocated."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import PretrainedConfig

from engine.pruning.glu import find_glu_mlps, skeleton
from engine.pruning.ladder import padded_size
from warehouse.records.facts import ModelFacts, VariantFacts
from warehouse.records.level import Level
from warehouse.records.sizes import ModelSizes
from warehouse.records.tuned import tuned


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape(ModelSizes):
    """What a model's config says about its size. `fused` tells gate and up in one matrix."""

    model_type: str
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    tied_embeddings: bool
    fused: bool

    @classmethod
    def of(cls, config: PretrainedConfig, *, trust_remote_code: bool = False) -> ModelShape:
        """Raises:
        UserError: not a causal language model, or its MLPs cannot be pruned; says why.
        """
        model = skeleton(config, trust_remote_code=trust_remote_code)
        mlps = find_glu_mlps(model)
        text = config.get_text_config()
        output = model.get_output_embeddings()
        return cls(
            model_type=config.model_type,
            hidden_size=text.hidden_size,
            intermediate_size=mlps[0].intermediate_size,
            num_hidden_layers=len(mlps),
            num_attention_heads=text.num_attention_heads,
            num_key_value_heads=getattr(text, "num_key_value_heads", None) or text.num_attention_heads,
            vocab_size=text.vocab_size,
            tied_embeddings=output is not None and output.weight is model.get_input_embeddings().weight,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            parameters_per_neuron=sum(mlp.parameters_per_neuron for mlp in mlps),
            fused=mlps[0].fused,
        )

    def model_facts(
        self,
        *,
        model: str,
        source: str,
        revision: str | None,
        weights_hash: str | None,
        config_hash: str | None,
        tokenizer_hash: str | None,
        dtype: torch.dtype,
    ) -> ModelFacts:
        return ModelFacts(
            model=model,
            source=source,
            revision=revision,
            weights_hash=weights_hash,
            model_type=self.model_type,
            hidden_size=self.hidden_size,
            intermediate_size=self.intermediate_size,
            num_hidden_layers=self.num_hidden_layers,
            num_attention_heads=self.num_attention_heads,
            num_key_value_heads=self.num_key_value_heads,
            vocab_size=self.vocab_size,
            tied_embeddings=self.tied_embeddings,
            parameters=self.parameters,
            bytes=self.bytes_at(self.intermediate_size, dtype.itemsize),
            config_hash=config_hash,
            tokenizer_hash=tokenizer_hash,
            tuned=tuned(model),
        )

    def variant_facts(
        self,
        level: Level,
        *,
        method: str,
        divisor: int | None,
        pad_to: int,
        dtype: torch.dtype,
        repair: str = "none",
    ) -> VariantFacts:
        kept = self.width(level, divisor)
        return VariantFacts(
            level=str(level),
            method=method,
            pruning_pct=level.pruning_pct(self.intermediate_size, kept),
            intermediate_size=kept,
            padded_size=padded_size(kept, self.intermediate_size, pad_to),
            expansion_ratio=self.expansion_ratio(kept),
            parameters=self.parameters_at(kept),
            bytes=self.bytes_at(kept, dtype.itemsize),
            repair=repair,
        )
