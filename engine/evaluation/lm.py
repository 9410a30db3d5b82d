"""The language model that lm-eval talks to: our pruned model behind lm-eval's LM interface.

Scores are those of lm-eval's own `HFLM` (tokenisation, truncation, stop strings), with logits computed only
where they are read, batches filled by tokens instead of rows, and requests tokenised once for all levels.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jinja2 import TemplateError
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import configure_pad_token, resolve_max_length
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.evaluation.encoding import Encoder, Pair
from engine.evaluation.encoding import Progress as Encoded
from engine.evaluation.token_cache import KeptTokens, users_cache
from engine.evaluation.writer import Writer
from engine.inference.batching import batch_tokens_for
from engine.inference.decode.generator import Generator
from engine.inference.lm_head import LMHead
from engine.inference.plain_scorer import PlainScorer
from engine.inference.probing import Findings, probe_trees
from engine.inference.tree.tree import Ints, Scored
from engine.inference.tree.tree_scorer import Batch, Progress, TreeScorer
from engine.inference.tree.trial import best_attention
from engine.inference.waiting import Idle
from engine.pruning.spreading import spread_over

logger = logging.getLogger(__name__)

_NO_GRAPHS = "The model's layers are spread over {count} GPUs, so graphs and kernels of ours are off"


class PrunedLM(TemplateLM):
    """lm-eval's view of one loaded model, whose width may change between calls.

    Args:
        batch_tokens: tokens of one forward pass, padding included; halved for good when memory runs out. None chooses
            it from the memory that is free.
        progress: called after every batch with the requests and tokens it finished; may raise to stop.
        seed: of sampled generation.
        warn: told, once each, what makes the work slower than it could be.
        plain: only plain torch computes, no FlexAttention and no kernel of ours: slower on a GPU.

    Attributes:
        generator: continues texts; None where only transformers' own way does.
        lengths: which sequences may share a pass.
        batch_tokens: as given or chosen.
        slow_because: why rows are masked densely, which costs the square of their length; None with FlexAttention.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        batch_tokens: int | None = None,
        seed: int = 0,
        progress: Progress = lambda requests, tokens: None,
        warn: Callable[[str], None] = logger.warning,
        plain: bool = False,
    ) -> None:
        super().__init__()
        if batch_tokens is None:
            batch_tokens = batch_tokens_for(model)
        # transformers' annotations make every tokenizer call return a union; what they return here is known.
        self.model: Any = model
        self.tokenizer: Any = configure_pad_token(tokenizer, model_config=model.config)
        self.progress = progress
        self._warn = warn
        self._said: set[str] = set()
        self.max_length: int = resolve_max_length(model.config, tokenizer)
        known = min(
            layer.weight.shape[0]
            for layer in (self.model.get_input_embeddings(), model.get_output_embeddings())
            if layer is not None
        )
        self._encoder = Encoder(self.tokenizer, max_length=self.max_length, vocab_size=known)
        spread = spread_over(model)
        attention, self.slow_because = best_attention(model, plain=plain or spread > 1)
        head = LMHead(model, attention.overrides)
        found = probe_trees(model, attention) if spread == 1 else Findings(_NO_GRAPHS.format(count=spread))
        self.generator: Generator | None = None
        self.lengths, self.batch_tokens = attention.lengths, batch_tokens
        if found.problem is not None:
            warn(f"{found.problem}: each request is computed by itself, and texts are transformers' own, more slowly.")
            self._scorer = PlainScorer(model, head, batch_tokens, attention.lengths)
        else:
            self._scorer = TreeScorer(model, head, batch_tokens, attention)
            if found.has_usual_cache:
                self.generator = Generator(model, head, attention)
            else:
                warn(
                    f"Models of type '{model.config.model_type}' keep keys and values of other sizes than usual: "
                    "generation is transformers' own, which is slower."
                )
        self._writer = Writer(
            model,
            self.tokenizer,
            self.generator,
            attention.lengths,
            max_length=self.max_length,
            max_tokens=batch_tokens,
            seed=seed,
            say=self._say_once,
        )
        self._batches: dict[tuple[int, ...], tuple[Batch, list[int]]] = {}

    def while_waiting(self, idle: Idle) -> None:
        """Have `idle` asked while the device works and nothing is to be done for it, where it works by itself."""
        for one in (self._scorer, self.generator):
            if isinstance(one, TreeScorer | Generator):
                one.idle = idle

    @property
    def eot_token_id(self) -> int | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.tokenizer.eos_token_id

    @property
    def prefix_token_id(self) -> int | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._encoder.prefix

    @property
    def tokenizer_name(self) -> str:
        return self.tokenizer.name_or_path.replace("/", "__")

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        try:
            return self._templated(chat_history, add_generation_prompt)
        except TemplateError:
            # As HFLM: Gemma's template, for one, refuses a system turn.
            logger.warning("The chat template refuses this conversation; it is asked without its system turn.")
            return self._templated([turn for turn in chat_history if turn["role"] != "system"], add_generation_prompt)

    def _templated(self, chat_history: list[dict[str, str]], add_generation_prompt: bool) -> str:
        return self.tokenizer.apply_chat_template(
            chat_history,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt,
        )

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
        return self._encoder.tokens(string, add_special_tokens)

    def encode(
        self,
        instances: Sequence[Instance],
        progress: Encoded = lambda done, total: None,
        kept: KeptTokens | None = None,
    ) -> None:
        """Tokenise instances ahead of asking them; they are not tokenised again.

        May run in a thread beside the asking of others. `progress` is told how many are done, and of how many; `kept`
        is where their tokens may have been kept.

        Raises:
            UserError: what a task asks cannot be asked of this model and tokenizer; names the task.
        """
        self._encoder.encode(instances, progress, kept)

    def kept_tokens(self, requests_hash: str) -> KeptTokens | None:
        """Where this tokenizer's tokens of a task's requests are kept between runs; None where none can be."""
        cache = users_cache()
        return None if cache is None else KeptTokens(cache, self._encoder.key_of(requests_hash))

    def tokens_of(self, instance: Instance) -> list[NDArray[Any]]:
        """The token ids that an instance is asked with, part by part: contexts and continuations."""
        self.encode([instance])
        found = self._encoder[instance]
        match instance.request_type:
            case "loglikelihood" | "multiple_choice":
                return list(found)
            case "loglikelihood_rolling":
                return [tokens for window in found for tokens in window]
            case _:
                return [found]

    def clear_cache(self) -> None:
        """Drop what is kept of earlier requests: their tokens, and how they are laid out."""
        self._encoder.clear_cache()
        self._batches.clear()
        self._writer.clear_cache()

    def prepare(self, request_type: str, requests: Sequence[Instance]) -> None:
        """Lay out requests that will be asked together; may run beside the asking of others."""
        if request_type in ("loglikelihood", "multiple_choice"):
            self._scorer.lay_out(self._batch(requests, _one_pair)[0])
        elif request_type == "loglikelihood_rolling":
            self._scorer.lay_out(self._batch(requests, _all_windows)[0])

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        return self._scorer.score(self._batch(requests, _one_pair)[0], self.progress)

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        batch, owners = self._batch(requests, _all_windows)
        totals = [0.0] * len(requests)
        for owner, (log_likelihood, _) in zip(owners, self._scorer.score(batch, self.progress), strict=True):
            totals[owner] += log_likelihood
        return totals

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        self.encode(requests)
        by_kwargs: dict[str, list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            by_kwargs[repr(_gen_kwargs(request))].append(index)
        answers: list[str] = [""] * len(requests)
        for indices in by_kwargs.values():
            prompts = [self._encoder[requests[index]] for index in indices]
            texts = self._writer.write(prompts, _gen_kwargs(requests[indices[0]]), self.progress)
            for index, text in zip(indices, texts, strict=True):
                answers[index] = text
        return answers

    def _loglikelihood_tokens(
        self, requests: list[tuple[tuple[str, str], list[int], list[int]]], **kwargs: Any
    ) -> list[tuple[float, bool]]:
        pairs = [
            (np.array(context, np.int32), np.array(continuation, np.int32)) for _, context, continuation in requests
        ]
        return self._scorer.score(Batch(self._sequences(pairs), [1] * len(pairs)), self.progress)

    def _batch(self, requests: Sequence[Instance], pairs_of: Callable[[Any], list[Pair]]) -> tuple[Batch, list[int]]:
        """The requests ready to be scored, laid out once for all levels, and the request each score belongs to."""
        key = tuple(id(request) for request in requests)
        if key not in self._batches:
            self.encode(requests)
            pairs, owners, weights = [], [], []
            for index, request in enumerate(requests):
                own = pairs_of(self._encoder[request])
                pairs += own
                owners += [index] * len(own)
                weights += [0] * (len(own) - 1) + [1] * bool(own)
            self._batches[key] = Batch(self._sequences(pairs), weights), owners
        return self._batches[key]

    def _sequences(self, pairs: Sequence[Pair]) -> list[Scored]:
        """What the model has to run on: requests that differ in their last token only share one sequence."""
        requests: dict[bytes, list[tuple[int, Ints]]] = defaultdict(list)
        sequences: dict[bytes, Ints] = {}
        for index, (context, continuation) in enumerate(pairs):
            # Left truncation as in HFLM.
            tokens = np.concatenate([context, continuation]).astype(np.int64)[-(self.max_length + 1) :][:-1]
            key = tokens.tobytes()
            sequences[key] = tokens
            requests[key].append((index, np.asarray(continuation, np.int64)))
        return [Scored(tokens, tuple(requests[key])) for key, tokens in sequences.items()]

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._warn(message)


def _one_pair(tokens: Pair) -> list[Pair]:
    return [tokens]


def _all_windows(windows: list[Pair]) -> list[Pair]:
    return windows


def _gen_kwargs(request: Instance) -> Any:
    args: tuple[Any, ...] = request.args
    return args[1]
