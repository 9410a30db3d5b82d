"""What there is to know of a metric, as data and functions: `warehouse/stats/metrics` has a file for each family."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

Scale = Literal["difference", "ln"]


@dataclass(frozen=True, slots=True)
class PerDocument:
    """What one document adds: `value` where it is a number, with `weight` where that is divided by, or `terms`, whose
    sums over documents the metric is made of (as samples.terms has them).
    """

    value: float | None = None
    weight: float | None = None
    terms: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One width's documents: `value` and `weight` of shape [documents], NaN where there is none; `terms` of shape
    [documents, terms], None where there are none.
    """

    value: Values
    weight: Values
    terms: Values | None
    recorded: float


@dataclass(frozen=True, slots=True)
class CorpusStatistic:
    """A metric of all documents at once, from sums over them.

    `terms` gives what is summed, of shape [documents, terms] for either side, or None where these documents are of
    another kind. `of_sums` takes sums of shape [..., terms] to the statistic, of shape [...]. On the scale "ln" that
    is the logarithm of the metric.
    """

    name: str
    terms: Callable[[Side, Side], tuple[Values, Values] | None]
    of_sums: Callable[[Values], Values]
    scale: Scale = "difference"


@dataclass(frozen=True, slots=True)
class SampleSums:
    """Rows of one metric of one cell: how many, how many with a score, and sums over those."""

    rows: int
    scored: int
    mean: float | None
    total: float | None
    weight: float | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the model says of a document's choices, all in one order.

    `texts` are without the delimiter before them; `unconditional` are the log-likelihoods without the question. None
    where they are not known.
    """

    log_likelihoods: Sequence[float]
    texts: Sequence[str] | None = None
    unconditional: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """The answer is the choice with the highest of `scores`, which is called where `needs` is known."""

    scores: Callable[[Choices], Sequence[float]]
    needs: Literal["texts", "unconditional"] | None = None


LIKELIEST = AnswerRule(lambda choices: choices.log_likelihoods)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One of lm-eval's metrics, by its name there.

    preference: its rank as the headline of a task that nothing else is settled for; None where others are shown first.
    kind: perplexities have tables of their own; damage is the distance to the unpruned model, which no mean counts.
    factor: whether a change of it is a factor, compared on the log scale.
    share: whether it is the share of questions that are answered rightly.
    chance: where guessing has a known score: among "choices" one over their number, of "open" answers 0.
    answer: which choice it takes for the model's; None where it compares no choices with each other.
    per_document: what one document adds, from the item that lm-eval hands to the metric's aggregation; None where the
        item is no such thing. Without it the item's own shape tells (`per_document.of_shape`).
    corpus: how documents make the metric, for resampling them, where it is no mean of their values.
    again: the reported number, from sums of the documents' values, and how it came out; None where it does not.
    """

    name: str
    higher_is_better: bool
    preference: int | None = None
    kind: Literal["score", "perplexity", "damage"] = "score"
    factor: bool = False
    share: bool = False
    chance: frozenset[Literal["choices", "open"]] = frozenset()
    answer: AnswerRule | None = LIKELIEST
    per_document: Callable[[Any], PerDocument | None] | None = None
    corpus: tuple[CorpusStatistic, ...] = ()
    again: Callable[[SampleSums], tuple[float, str] | None] | None = None
