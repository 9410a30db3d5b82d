"""The model's shape and its training loop."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.demo_model.tokenizer import BOS_ID, EOS_ID, PAD_ID

CONTEXT = 256
VOCAB = 1024


def new_model(seed: int) -> LlamaForCausalLM:
    """A Llama of 1.6 million parameters: six layers, grouped-query attention, expansion ratio 4."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=8,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=BOS_ID,
        eos_token_id=EOS_ID,
        pad_token_id=PAD_ID,
    )
    return LlamaForCausalLM(config)


def _learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1)))


def fit(
    model: LlamaForCausalLM,
    rows: np.ndarray,
    *,
    steps: int,
    batch_rows: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    log_every: int = 250,
) -> None:
    """Trains in place with AdamW, linear warm-up and a cosine down to zero; epochs are shuffled anew.

    Weight decay is what makes the curve of pruning gradual: with three factors to a GLU neuron it drives
    neurons that are not needed to nothing, as a group.
    """
    device = next(model.parameters()).device
    cuda = device.type == "cuda"
    data = torch.from_numpy(rows.astype(np.int16)).to(device)
    decayed = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=learning_rate,
        betas=(0.9, 0.95),
        fused=cuda,
    )

    def loss_of(tokens: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=cuda):
            logits = model(input_ids=tokens, use_cache=False).logits
        return cross_entropy(logits[:, :-1].flatten(0, 1).float(), tokens[:, 1:].flatten())

    step_loss = torch.compile(loss_of) if cuda else loss_of
    generator = torch.Generator().manual_seed(seed)
    order, at = torch.randperm(len(data), generator=generator), 0
    started, model_was_training = time.perf_counter(), model.training
    model.train()
    for step in range(steps):
        if at + batch_rows > len(order):
            order, at = torch.randperm(len(data), generator=generator), 0
        tokens = data[order[at : at + batch_rows].to(device)].long()
        at += batch_rows
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(step, steps, learning_rate, warmup=min(200, steps // 10 + 1))
        loss = step_loss(tokens)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % log_every == 0 or step == steps - 1:
            seconds = time.perf_counter() - started
            print(f"step {step} loss {loss.item():.4f} {seconds:.0f} s", flush=True)
    model.train(model_was_training)
