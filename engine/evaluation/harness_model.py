"""Our model as lm-eval's own programs make one: from `model_args`, a batch size and a device."""

from __future__ import annotations

import logging
from typing import Any

import torch
from lm_eval.api.registry import model_registry

from engine.errors import UserError
from engine.evaluation.lm import PrunedLM
from engine.pruning import checkpoint, loading
from engine.pruning.accounting import ModelShape
from warehouse.records.level import Level

logger = logging.getLogger(__name__)

NAME = "prune-tui"
_UNASKED = "cuda:0"  # what lm-eval's command line says where nobody named a device, and hf then takes what there is
# Of hf's arguments those that say how to be fast there: rows are packed by tokens here, whatever their number.
_NEEDLESS = ("batch_size", "max_batch_size", "softmax_dtype")


class HarnessModel(PrunedLM):
    """`--model prune-tui` of lm-eval: hf's scores, by prefix trees, of a model at any width.

    Args:
        pretrained: a name on the hub, a folder, or "demo".
        level: percent of the neurons to remove ("40"), an expansion ratio ("2.4x") or a width ("w4096").
        method: what orders the neurons; `seed` is for methods that draw at random, and of sampled texts.
        dtype: float32, bfloat16, float16, or "auto": the checkpoint's own, float32 on a CPU.
        device: cpu, cuda, cuda:1, mps, or "auto" for the best there is. lm-eval's default, cuda:0, is not insisted on.
        batch_tokens: tokens of one forward pass; follows the memory unless given.
        plain: only plain torch computes, on a GPU as well.
        others: hf's batch sizes and softmax_dtype, which have nothing to say here.

    Raises:
        UserError: there is no such argument, or the model cannot be had or pruned; says which.
    """

    def __init__(
        self,
        pretrained: str = "",
        *,
        level: str | float = "0",
        method: str = "maw",
        divisor: int | None = None,
        seed: int = 0,
        dtype: str = "auto",
        device: str = "auto",
        revision: str | None = None,
        trust_remote_code: bool = False,
        batch_tokens: int | None = None,
        plain: bool = False,
        **others: Any,
    ) -> None:
        unknown = sorted(set(others) - set(_NEEDLESS))
        if unknown:
            raise UserError(
                f"Model prune-tui has no argument {unknown[0]}: it takes pretrained, level, method, divisor, seed, "
                "dtype, device, revision, trust_remote_code, batch_tokens and plain."
            )
        if not pretrained:
            raise UserError("No model was given: write --model_args pretrained=NAME, a folder, or demo.")
        model_found = loading.inspect(pretrained, revision=revision, trust_remote_code=trust_remote_code)
        where = loading.resolve_device("auto" if device == _UNASKED and not torch.cuda.is_available() else device)
        logger.info("Using device %s", where)
        model, tokenizer = loading.load_model(
            model_found.source,
            revision=model_found.revision,
            dtype=loading.resolve_dtype(dtype, model_found.config, where),
            device=where,
            trust_remote_code=trust_remote_code,
        )
        shape = ModelShape.of(model.config)
        kept = shape.width(Level.parse(str(level)), divisor)
        if kept < shape.intermediate_size:
            checkpoint.prune(model, kept, method=method, seed=seed)
        super().__init__(model, tokenizer, batch_tokens=batch_tokens, seed=seed, plain=plain)
        self._facts = {
            "model_dtype": str(model.dtype),
            "model_revision": model_found.revision,
            "model_num_parameters": model.num_parameters(),
            "intermediate_size": kept,
        }

    def get_model_info(self) -> dict[str, Any]:
        """What lm-eval writes down of the model beside its arguments."""
        return dict(self._facts)


def register() -> None:
    """Let lm-eval of this process find the model under its name."""
    import lm_eval.models  # noqa: F401  # its own models are registered by this, and only where none is yet

    if NAME not in model_registry:
        model_registry.register(NAME, target=HarnessModel)
