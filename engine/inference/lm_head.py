"""From hidden states to the log-likelihoods of chosen tokens, without a [batch, sequence, vocabulary] tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.errors import UserError
from engine.overrides.kernels import PLAIN, Overrides
from engine.planning.memory import LOGITS


class LMHead:
    """A model's output layer, applied only where a token is scored.

    `overrides` may read the logits once by a kernel instead of several times by library calls.

    Raises:
        UserError: the model computes its logits in a way that is not known here.
    """

    def __init__(self, model: PreTrainedModel, overrides: Overrides = PLAIN) -> None:
        self._projection: Any = model.get_output_embeddings()
        config = model.config.get_text_config()
        # Gemma 2 caps its logits, Granite divides them, Cohere multiplies them.
        self._softcap: float | None = getattr(config, "final_logit_softcapping", None)
        self._scale: float = getattr(config, "logit_scale", None) or 1 / (getattr(config, "logits_scaling", None) or 1)
        self._pick: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = overrides.compiled(self._pick_eagerly)
        self._argmax = overrides.argmax
        self._verify(model)

    def __call__(self, hidden: Tensor) -> Tensor:
        """[tokens, hidden_size] → float32 logits [tokens, vocab_size]."""
        return self._finish(self._projection(hidden))

    def most_likely(self, hidden: Tensor) -> Tensor:
        """[tokens, hidden_size] → int64 [tokens], the token with the largest logit."""
        logits = self._projection(hidden)
        if self._scale != 1 or self._softcap is not None:
            logits = self._finish(logits)  # rounded, they may tie where they did not
        return self._argmax(logits)

    def _finish(self, logits: Tensor) -> Tensor:
        if self._scale != 1:
            logits = logits * self._scale
        if self._softcap is not None:
            logits = torch.tanh(logits / self._softcap) * self._softcap
        return logits.float()

    def score(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probability of each target, and whether it is the most likely token.

        Args:
            hidden: [tokens, hidden_size], the hidden states that predict the targets.
            targets: [tokens], token ids.

        Returns:
            float32 [tokens] and bool [tokens].
        """
        rows = max(1, LOGITS // self._projection.weight.shape[0])
        log_probabilities, greedy = [], []
        for some_hidden, some_targets in zip(hidden.split(rows), targets.split(rows), strict=True):
            found, is_greedy = self._pick(self._projection(some_hidden), some_targets)
            log_probabilities.append(found)
            greedy.append(is_greedy)
        return torch.cat(log_probabilities), torch.cat(greedy)

    def _pick_eagerly(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logits = self._finish(logits)
        chosen = logits.gather(1, targets[:, None])[:, 0]
        return chosen - logits.logsumexp(1), logits.argmax(1) == targets

    def _verify(self, model: PreTrainedModel) -> None:
        probe = torch.arange(min(8, self._projection.weight.shape[0]), device=model.device)[None]
        with torch.inference_mode():
            expected = model(probe, use_cache=False).logits[0].float()
            ours = self(model.base_model(probe, use_cache=False).last_hidden_state[0])
        if not torch.allclose(ours, expected, rtol=1e-3, atol=1e-3, equal_nan=True):
            raise UserError(
                f"Models of type '{model.config.model_type}' compute their logits in a way prune-tui does not know: "
                "please report the model's name."
            )
