"""torch.compile for the layers of a model whose MLPs change their width."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

from engine.pruning.glu import find_glu_mlps


def compile_layers(model: PreTrainedModel) -> None:
    """From now on, fuse what surrounds the matrix products of each layer: norms, rotary embeddings, residuals.

    The MLPs stay as they are, so that a new width compiles nothing anew. Intermediate results are rounded to the
    model's dtype where they were before. Compiling takes seconds at the first pass over prompts and at the first step
    of decoding; a whole sweep may win them back.
    """
    mlps = {id(mlp.module) for mlp in find_glu_mlps(model)}
    for module in list(model.modules()):
        children: list[Any] = list(module.children())
        if any(id(child) in mlps for child in children):
            for child in children:
                if id(child) in mlps:
                    child.forward = torch.compiler.disable(child.forward)
            module.compile(dynamic=True, options={"emulate_precision_casts": True})
