"""The facts a run records, as plain data. Journal events carry them; the warehouse's tables store them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One unpruned model. `parameters` counts tied weights once; `bytes` is their size in the run's dtype.

    `config_hash` covers what of config.json changes the function, `tokenizer_hash` how texts become tokens. `tuned`
    tells a model tuned for instructions or chat from a base model; None where that is not known.
    """

    model: str
    source: str
    revision: str | None
    weights_hash: str | None
    model_type: str
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    tied_embeddings: bool
    parameters: int
    bytes: int
    config_hash: str | None = None
    tokenizer_hash: str | None = None
    tuned: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFacts:
    """One width of a model.

    `level` is the level as asked for ("40", "2.4x", "w4096"); `intermediate_size` the exact width it means,
    `padded_size` the width it was evaluated at (zero neurons added, same function).
    """

    level: str
    method: str
    pruning_pct: float
    intermediate_size: int
    padded_size: int
    expansion_ratio: float
    parameters: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """One lm-eval task as it was built. `part_of` is the group whose aggregate it belongs to, if any.

    `questions_hash` covers the texts that are asked, whoever asks them (`records.questions`); `tokens_hash` the token
    ids of every request; `requests_hash` is an older scheme, kept to be compared with older runs.
    """

    task: str
    part_of: str | None
    version: str
    output_type: str
    num_fewshot: int
    n_docs: int
    n_requests: int
    dataset: str
    dataset_fingerprint: str | None
    requests_hash: str
    questions_hash: str | None = None
    tokens_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFacts:
    """One number that lm-eval reports, under its own name. NaN and infinities are legal values.

    `chance` is what guessing scores, None where there is nothing to guess from or nobody counted.
    """

    metric: str
    filter: str
    value: float
    stderr: float | None
    n: int
    higher_is_better: bool | None
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """What one task (or group aggregate) scored at one level.

    `num_fewshot` is −1 for a group whose tasks differ in it. `samples` is the path, relative to the run's folder,
    of the Parquet file with the per-document results, or None for a group, whose parts have them. A group's hashes
    combine those of its parts. `harness_version` is lm-eval's.
    """

    level: str
    task: str
    part_of: str | None
    is_group: bool
    version: str
    num_fewshot: int
    seconds: float
    metrics: list[MetricFacts] = field(default_factory=list[MetricFacts])
    samples: str | None = None
    questions_hash: str | None = None
    tokens_hash: str | None = None
    harness_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFacts:
    """Why one task could not be scored at one level. A later `CellFacts` of the same cell supersedes it."""

    level: str
    task: str
    error: str
    detail: str
