"""The facts a run records, as plain data. Journal events carry them; the warehouse's tables store them.

What an import may not know can be None; runs of our own know it. Levels are as asked for: "40", "2.4x", "w4096".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from warehouse.records.values import Count, LevelText, Percentage, Ratio, Seconds, Sha256, Shots, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One unpruned model. `parameters` counts tied weights once; `bytes` is their size in the run's dtype.

    `config_hash` covers what of config.json changes the function, `tokenizer_hash` how texts become tokens. `tuned`
    tells a model tuned for instructions or chat from a base model; None where that is not known.
    """

    model: str
    source: str | None
    revision: str | None
    weights_hash: str | None
    model_type: str | None
    hidden_size: Size | None
    intermediate_size: Size | None
    num_hidden_layers: Size | None
    num_attention_heads: Size | None
    num_key_value_heads: Size | None
    vocab_size: Size | None
    tied_embeddings: bool | None
    parameters: Count | None
    bytes: Count | None
    config_hash: str | None = None
    tokenizer_hash: str | None = None
    tuned: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFacts:
    """One width of a model.

    `intermediate_size` is the exact width that the level means, `padded_size` the width it was evaluated at (zero
    neurons added, same function). `repair` says how what was removed is made up for; journals from before there was
    any say nothing.
    """

    level: LevelText
    method: str
    pruning_pct: Percentage
    intermediate_size: Size | None
    padded_size: Size | None
    expansion_ratio: Ratio | None
    parameters: Count | None
    bytes: Count | None
    repair: str = "none"

    @property
    def width(self) -> int:
        """Raises:
        ValueError: it is not known, as an import's may be.
        """
        if self.intermediate_size is None:
            raise ValueError(f"the width of level {self.level} is not known")
        return self.intermediate_size


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationFacts:
    """The text that a run's neurons were looked at on, for its method or its repair.

    `source` is self, task:NAME or a file's path; `tokens` are in sequences of `length`. `seed` is the one that text of
    the model's own was drawn with, None where nothing was drawn. `hash` is the sha256 of the token ids, which are kept
    at `path`, relative to the run's folder.
    """

    source: str
    tokens: Count
    length: Size
    seed: int | None
    hash: Sha256
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """One lm-eval task as it was built. `part_of` is the group whose aggregate it belongs to, if any.

    `questions_hash` covers the texts that are asked, whoever asks them (`records.questions`); `tokens_hash` the token
    ids of every request; `requests_hash` is an older scheme, kept to be compared with older runs.
    """

    task: str
    part_of: str | None
    version: str | None
    output_type: str | None
    num_fewshot: Shots | None
    n_docs: Count | None
    n_requests: Count | None
    dataset: str | None
    dataset_fingerprint: str | None
    requests_hash: str | None
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
    n: Count | None
    higher_is_better: bool | None
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """What one task (or group aggregate) scored at one level.

    `num_fewshot` is −1 for a group whose tasks differ in it. `samples` is the path, relative to the run's folder,
    of the Parquet file with the per-document results, or None for a group, whose parts have them; `samples_hash` is its
    sha256, which older runs lack. A group's hashes combine those of its parts. `harness_version` is lm-eval's.
    """

    level: LevelText
    task: str
    part_of: str | None
    is_group: bool
    version: str | None
    num_fewshot: Shots | None
    seconds: Seconds | None
    metrics: list[MetricFacts] = field(default_factory=list[MetricFacts])
    samples: str | None = None
    questions_hash: str | None = None
    tokens_hash: str | None = None
    harness_version: str | None = None
    samples_hash: Sha256 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsFacts:
    """Where a task's documents are kept as the run asks them: prompts, choices and gold answers.

    `path` is relative to the run's folder, `hash` the file's sha256, `count` the documents in it. Written once a run,
    before the first cell of the task; runs from before there was such a file have none.
    """

    task: str
    path: str
    hash: Sha256
    count: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFacts:
    """Why one task could not be scored at one level. A later `CellFacts` of the same cell supersedes it."""

    level: LevelText
    task: str
    error: str
    detail: str
