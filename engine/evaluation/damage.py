"""How far a pruned model's next-token distributions are from the unpruned model's, on text that is given.

Pruning changes MLPs, and leaves the output layer as it was: so of the unpruned model it is enough to keep the last
hidden states, some thousand numbers a token, and to read both models' whole distributions from theirs. Nothing is left
out of the sums, and nothing of the vocabulary's size is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.evaluation.samples import Sample
from engine.inference.lm_head import LMHead
from engine.planning.memory import LOGITS
from engine.pruning.activations import as_written, batches, pass_tokens
from engine.pruning.calibration import Calibration
from warehouse.records.facts import MetricFacts
from warehouse.stats.metrics.damage import METRICS

FILTER = "none"
_AT_ONCE = 8  # what is held of a row, as a multiple of float32 logits


class Damage:
    """Holds a model whose width changes against what it was at full width, which it has when this is made.

    Args:
        text: on which; sequences of two tokens or more count, each token but the first.
        check: called between passes; may raise to stop.
    """

    def __init__(self, model: PreTrainedModel, text: Calibration, check: Callable[[], None] = lambda: None) -> None:
        self._model: Any = model
        self._check = check
        # Of each pass the tokens, and how many of a sequence are predicted; one of a single token has none.
        self._passes: list[tuple[Tensor, Tensor]] = []
        for tokens, real in batches(text, pass_tokens(model)):
            predicted = torch.from_numpy(real[:, 1:]).sum(1)
            self._passes.append((torch.from_numpy(tokens)[predicted > 0], predicted[predicted > 0]))
        with as_written(model):
            self._head = LMHead(model)
        self._unpruned = [hidden.cpu() for hidden in self._hidden()]

    @torch.inference_mode()
    def measure(self, *, is_unpruned: bool = False) -> tuple[list[MetricFacts], list[Sample]]:
        """KL(unpruned ‖ pruned) in nats a token and the share of tokens whose likeliest is the same, and of each
        sequence the sums of both.

        Args:
            is_unpruned: nothing is removed at the model's width: it is held against itself, which gives 0 and 1.
        """
        divergences: list[float] = []
        agreements: list[float] = []
        counts: list[int] = []
        pruned = iter(self._unpruned) if is_unpruned else self._hidden()
        for (_, lengths), before, after in zip(self._passes, self._unpruned, pruned, strict=True):
            divergence, agrees = self._compare(before, after)
            sizes: list[int] = lengths.tolist()
            divergences += [float(part.sum()) for part in divergence.split(sizes)]
            agreements += [float(part.sum()) for part in agrees.double().split(sizes)]
            counts += sizes
        found = {metric.name: sums for metric, sums in zip(METRICS, (divergences, agreements), strict=True)}
        return (
            [_metric(name, sums, counts) for name, sums in found.items()],
            [
                Sample(doc_id=at, filter=FILTER, metric=name, value=value, weight=float(count), response=None)
                for name, sums in found.items()
                for at, (value, count) in enumerate(zip(sums, counts, strict=True))
            ],
        )

    def _hidden(self) -> Iterator[Tensor]:
        """Of each pass the hidden states that predict a token of the text: [tokens, hidden_size]."""
        for tokens, lengths in self._passes:
            self._check()
            with torch.inference_mode(), as_written(self._model):
                hidden = self._model.base_model(tokens.to(self._model.device), use_cache=False).last_hidden_state
                predicts = torch.arange(tokens.shape[1])[None] < lengths[:, None]
                hidden = hidden[predicts.to(hidden.device)]
            yield hidden

    def _compare(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Of hidden states [tokens, hidden_size] the divergence, float64 [tokens], and whether the likeliest token is
        the same, bool [tokens]; on the CPU.
        """
        device = self._model.device
        exact = torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no float64
        rows = max(1, LOGITS // (_AT_ONCE * self._model.get_output_embeddings().weight.shape[0]))
        divergences, agreements = [torch.empty(0, dtype=torch.float64)], [torch.empty(0, dtype=torch.bool)]
        for one, other in zip(before.split(rows), after.split(rows), strict=True):
            self._check()
            logits = [self._head(hidden.to(device)) for hidden in (one, other)]
            agreements.append((logits[0].argmax(1) == logits[1].argmax(1)).cpu())
            true, pruned = (some.to(exact).log_softmax(1) for some in logits)
            terms = true.exp() * (true - pruned)
            terms.masked_fill_(true == -math.inf, 0)  # a token that cannot come adds nothing
            divergences.append(terms.sum(1).cpu().double())
        return torch.cat(divergences), torch.cat(agreements)


def _metric(name: str, sums: Sequence[float], counts: Sequence[int]) -> MetricFacts:
    """The mean over all tokens. Tokens of one sequence go together: its standard error is that of a ratio of sums over
    sequences, as if these were drawn (W. G. Cochran, Sampling Techniques, 6.4).
    """
    tokens, sequences = sum(counts), len(counts)
    mean = math.fsum(sums) / tokens
    spread = math.fsum((one - mean * count) ** 2 for one, count in zip(sums, counts, strict=True))
    stderr = math.sqrt(sequences / (sequences - 1) * spread) / tokens if sequences > 1 else None
    better = next(metric.higher_is_better for metric in METRICS if metric.name == name)
    return MetricFacts(metric=name, filter=FILTER, value=mean, stderr=stderr, n=sequences, higher_is_better=better)
