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
import torch
from jinja2 import TemplateError
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import (
    configure_pad_token,
    handle_stop_sequences,
    has_bos_prefix,
    normalize_gen_kwargs,
    postprocess_generated_text,
    resolve_max_length,
)
from lm_eval.models.utils_hf import stop_sequences_criteria
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from transformers import PreTrainedModel, PreTrainedTokenizerBase, StoppingCriteria

from engine.errors import UserError
from engine.worker.batching import Batcher
from engine.worker.choosing import LeftToTransformersError, choice_of
from engine.worker.generator import CHUNK, Generator
from engine.worker.head import Head
from engine.worker.plain_scorer import PlainScorer
from engine.worker.tree import Ints, Scored
from engine.worker.tree_attention import best_attention, tree_problem
from engine.worker.tree_scorer import Batch, Progress, TreeScorer

logger = logging.getLogger(__name__)

_ENCODED_AT_ONCE = 4096  # instances
_MAX_GEN_TOKS = 256  # as in HFLM, where a task does not say

_Pair = tuple[list[int], list[int]]  # context and continuation


class PrunedLM(TemplateLM):
    """lm-eval's view of one loaded model, whose width may change between calls.

    Args:
        batch_tokens: tokens of one forward pass, padding included; halved for good when memory runs out.
        progress: called after every batch with the requests and tokens it finished; may raise to stop.
        seed: of sampled generation.
        warn: told, once each, what makes the work slower than it could be.

    Attributes:
        slow_because: why rows are masked densely, which costs the square of their length; None with FlexAttention.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        batch_tokens: int,
        seed: int = 0,
        progress: Progress = lambda requests, tokens: None,
        warn: Callable[[str], None] = logger.warning,
    ) -> None:
        super().__init__()
        # transformers' annotations make every tokenizer call return a union; what they return here is known.
        self.model: Any = model
        self.tokenizer: Any = configure_pad_token(tokenizer, model_config=model.config)
        self._prefix: str = self.tokenizer.decode(self.prefix_token_id)
        self.batcher = Batcher(batch_tokens)
        self.progress = progress
        self.seed = seed
        self._warn = warn
        self._said: set[str] = set()
        self._device = model.device
        attention, self.slow_because = best_attention(model)
        head = Head(model, fused=attention.tiles)  # where FlexAttention works, so does the compiler
        problem = tree_problem(model, attention)
        if problem is None:
            self._scorer = TreeScorer(model, head, batch_tokens, attention)
            self._generator = Generator(model, head, attention)
        else:
            warn(f"{problem}: each request is computed by itself, and generation is transformers', which is slower.")
            self._scorer = PlainScorer(model, head, batch_tokens)
            self._generator = None
        # The instance is kept beside its tokens, so that its id stays its own.
        self._encoded: dict[int, tuple[Instance, Any]] = {}
        self._known: dict[tuple[str, bool | None], list[int]] = {}  # strings that `encode` tokenised together
        self._decodes_plainly = _decodes_plainly(self.tokenizer)
        self._batches: dict[tuple[int, ...], tuple[Batch, list[int]]] = {}

    @property
    def eot_token_id(self) -> int:
        return self.tokenizer.eos_token_id

    @property
    def prefix_token_id(self) -> int:
        bos = self.tokenizer.bos_token_id
        return self.tokenizer.eos_token_id if bos is None else bos

    @property
    def max_length(self) -> int:
        return resolve_max_length(self.model.config, self.tokenizer)

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
        key = (string, self._adds_special_tokens(string, add_special_tokens))
        return self._known[key] if key in self._known else self._tokenised([string], key[1])[0]

    def _adds_special_tokens(self, string: str, asked: bool | None) -> bool | None:
        """As HFLM: None leaves it to the tokenizer, and a string that begins with the token gets no second one."""
        if asked is None and has_bos_prefix(string, self._prefix):
            return False
        return asked

    def _tokenised(self, strings: list[str], add_special_tokens: bool | None) -> list[list[int]]:
        special = {} if add_special_tokens is None else {"add_special_tokens": add_special_tokens}
        return self.tokenizer(strings, return_attention_mask=False, return_token_type_ids=False, **special)["input_ids"]

    def encode(self, instances: Sequence[Instance]) -> None:
        """Tokenise instances ahead of asking them, many strings at a time; they are not tokenised again."""
        new = [instance for instance in instances if id(instance) not in self._encoded]
        for start in range(0, len(new), _ENCODED_AT_ONCE):
            some = new[start : start + _ENCODED_AT_ONCE]
            by_special: dict[bool | None, dict[str, None]] = defaultdict(dict)
            for instance in some:
                for string, asked in _strings(instance):
                    by_special[self._adds_special_tokens(string, asked)][string] = None
            for special, strings in by_special.items():
                for string, tokens in zip(strings, self._tokenised(list(strings), special), strict=True):
                    self._known[string, special] = tokens
            for instance in some:
                self._encoded[id(instance)] = (instance, self._encode_instance(instance))
            self._known.clear()

    def _encode_instance(self, instance: Instance) -> Any:
        match instance.request_type:
            case "loglikelihood" | "multiple_choice":
                return self._encode_request(*_args(instance))
            case "loglikelihood_rolling":
                return self._encode_windows(_args(instance)[0])
            case _:
                return np.array(self.tok_encode(_args(instance)[0]))

    def tokens_of(self, instance: Instance) -> list[Sequence[int]]:
        """The token ids that an instance is asked with, part by part: contexts and continuations."""
        self.encode([instance])
        found = self._encoded[id(instance)][1]
        match instance.request_type:
            case "loglikelihood" | "multiple_choice":
                return list(found)
            case "loglikelihood_rolling":
                return [tokens for window in found for tokens in window]
            case _:
                return [found.tolist()]

    def forget(self) -> None:
        """Drop what is kept of earlier requests: their tokens, and how they are laid out."""
        self._encoded.clear()
        self._batches.clear()
        if self._generator is not None:
            self._generator.forget()

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
        torch.manual_seed(self.seed)
        by_kwargs: dict[str, list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            by_kwargs[repr(_args(request)[1])].append(index)
        answers: list[str] = [""] * len(requests)
        for indices in by_kwargs.values():
            contexts = [self._encoded[id(requests[index])][1] for index in indices]
            for index, text in zip(indices, self._generate(contexts, _args(requests[indices[0]])[1]), strict=True):
                answers[index] = text
        return answers

    def _encode_request(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        if context:
            return self._encode_pair(context, continuation)
        tokens = self.tok_encode(continuation, add_special_tokens=False)
        if tokens[0] == self.prefix_token_id:
            return tokens[:1], tokens[1:]
        return [self.prefix_token_id], tokens

    def _encode_windows(self, string: str) -> list[_Pair]:
        windows = get_rolling_token_windows(
            token_list=self.tok_encode(string),
            prefix_token=self.prefix_token_id,
            max_seq_len=self.max_length,
            context_len=1,
        )
        return [make_disjoint_window(window) for window in windows]

    def _loglikelihood_tokens(
        self, requests: list[tuple[tuple[str, str], list[int], list[int]]], **kwargs: Any
    ) -> list[tuple[float, bool]]:
        pairs = [(context, continuation) for _, context, continuation in requests]
        return self._scorer.score(Batch(self._sequences(pairs), [1] * len(pairs)), self.progress)

    def _batch(self, requests: Sequence[Instance], pairs_of: Callable[[Any], list[_Pair]]) -> tuple[Batch, list[int]]:
        """The requests ready to be scored, laid out once for all levels, and the request each score belongs to."""
        key = tuple(id(request) for request in requests)
        if key not in self._batches:
            self.encode(requests)
            pairs, owners, weights = [], [], []
            for index, request in enumerate(requests):
                own = pairs_of(self._encoded[id(request)][1])
                pairs += own
                owners += [index] * len(own)
                weights += [0] * (len(own) - 1) + [1] * bool(own)
            self._batches[key] = Batch(self._sequences(pairs), weights), owners
        return self._batches[key]

    def _sequences(self, pairs: Sequence[_Pair]) -> list[Scored]:
        """What the model has to run on: requests that differ in their last token only share one sequence."""
        requests: dict[bytes, list[tuple[int, Ints]]] = defaultdict(list)
        sequences: dict[bytes, Ints] = {}
        longest = self.max_length
        for index, (context, continuation) in enumerate(pairs):
            if len(continuation) > longest:
                raise ValueError(f"A continuation of {len(continuation)} tokens is longer than the model's {longest}.")
            # Left truncation as in HFLM.
            tokens = np.array((context + continuation)[-(longest + 1) :][:-1])
            sequences[tokens.tobytes()] = tokens
            requests[tokens.tobytes()].append((index, np.array(continuation)))
        return [Scored(tokens, tuple(requests[key])) for key, tokens in sequences.items()]

    def _generate(self, contexts: Sequence[Ints], gen_kwargs: dict[str, Any]) -> list[str]:
        kwargs: dict[str, Any] = dict(normalize_gen_kwargs(gen_kwargs, _MAX_GEN_TOKS))
        eos = self.tokenizer.decode(self.eot_token_id)
        until = handle_stop_sequences(kwargs.pop("until", None), eos=eos)
        max_gen_toks = kwargs.pop("max_gen_toks")
        longest = self.max_length  # asked once, since it is looked for in many places
        if max_gen_toks >= longest:
            raise UserError(
                f"The task generates up to {max_gen_toks} tokens, but the model's context is {longest}: "
                "lower its max_gen_toks."
            )
        prompts = [tokens[-(longest - max_gen_toks) :] for tokens in contexts]
        options = _as_hflm_passes_them(kwargs)
        if self._generator is None:
            return self._generate_slowly([prompt.tolist() for prompt in prompts], until, max_gen_toks, options)
        try:
            choice = choice_of(self.model, options, seed=self.seed)
        except LeftToTransformersError as reason:
            self._say_once(f"Generation takes transformers' own way, which is slower, because of: {reason}.")
            return self._generate_slowly([prompt.tolist() for prompt in prompts], until, max_gen_toks, options)
        made = self._generator.generate(
            prompts,
            max_new_tokens=max_gen_toks,
            eos=_token_ids(options.get("eos_token_id", self.model.generation_config.eos_token_id)),
            has_ended=self._stop_finder(until),
            max_tokens=self.batcher.tokens,
            progress=self.progress,
            choice=choice,
        )
        return [postprocess_generated_text(text, until, think_end_token=None) for text in self._texts(made)]

    def _generate_slowly(
        self, prompts: Sequence[list[int]], until: list[str], max_gen_toks: int, options: dict[str, Any]
    ) -> list[str]:
        rows = sorted(enumerate(prompts), key=lambda row: (-len(row[1]), row[1]))
        answers = [""] * len(prompts)

        def work(batch: Sequence[tuple[int, list[int]]]) -> None:
            width = len(batch[0][1])
            inputs = torch.full((len(batch), width), self.tokenizer.pad_token_id or 0, dtype=torch.long)
            mask = torch.zeros_like(inputs)
            for row, (_, tokens) in enumerate(batch):
                inputs[row, width - len(tokens) :] = torch.tensor(tokens)
                mask[row, width - len(tokens) :] = 1
            made = self._generate_batch(inputs, mask, until, max_gen_toks, options)
            for (index, _), tokens in zip(batch, made, strict=True):
                [text] = self._texts([tokens])
                answers[index] = postprocess_generated_text(text, until, think_end_token=None)
            self.progress(len(batch), sum(len(tokens) for _, tokens in batch) + sum(map(len, made)))

        self.batcher.run(rows, lambda row: len(row[1]) + max_gen_toks, work)
        return answers

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._warn(message)

    def _texts(self, made: list[list[int]]) -> list[str]:
        if self._decodes_plainly:  # all cores at once
            return self.tokenizer.backend_tokenizer.decode_batch(made, skip_special_tokens=True)
        return [self.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in made]

    def _stop_finder(self, until: list[str]) -> Callable[[list[int]], bool]:
        """Whether generated tokens hold a stop string. Their end is looked at first: all of them are rarely read."""
        # One character may take four tokens of a byte-level vocabulary.
        tail = 2 * CHUNK + 4 * max(map(len, until), default=0)

        def found(tokens: list[int]) -> bool:
            text = self.tokenizer.decode(tokens, skip_special_tokens=True)
            return any(stop and stop in text for stop in until)

        return lambda tokens: found(tokens[-tail:]) and (len(tokens) <= tail or found(tokens))

    def _generate_batch(
        self, inputs: torch.Tensor, mask: torch.Tensor, until: list[str], max_gen_toks: int, options: dict[str, Any]
    ) -> list[list[int]]:
        options = {"max_length": inputs.shape[1] + max_gen_toks} | options
        stopping = stop_sequences_criteria(self.tokenizer, until, inputs.shape[1], inputs.shape[0])
        stopping.append(_StopBetweenTokens(self.progress))
        with torch.inference_mode():
            made = self.model.generate(
                input_ids=inputs.to(self._device),
                attention_mask=mask.to(self._device),
                stopping_criteria=stopping,
                pad_token_id=self.tokenizer.pad_token_id,
                use_cache=True,
                **options,
            )
        return made[:, inputs.shape[1] :].tolist()


def _as_hflm_passes_them(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Options for `generate`: a temperature of zero means greedy, and transformers wants it unsaid then."""
    options = dict(kwargs)
    temperature = options.setdefault("temperature", 0.0)
    if temperature == 0.0 and options.get("do_sample") is None:
        options["do_sample"] = False
    if options["do_sample"] is False and temperature == 0.0:
        del options["temperature"]
    return options


def _decodes_plainly(tokenizer: Any) -> bool:
    """Whether `decode` is what the tokenizers library gives, with no spaces cleaned up afterwards."""
    if not getattr(tokenizer, "is_fast", False):
        return False
    tokens = tokenizer("It is n't so . Is it ? He 's , I 'm , they 've , we 're ! It ' s", add_special_tokens=False)
    decoded = tokenizer.decode(tokens["input_ids"], skip_special_tokens=True)
    return decoded == tokenizer.backend_tokenizer.decode(tokens["input_ids"], skip_special_tokens=True)


def _token_ids(ids: int | list[int] | None) -> frozenset[int]:
    return frozenset([ids] if isinstance(ids, int) else ids or [])


def _one_pair(tokens: _Pair) -> list[_Pair]:
    return [tokens]


def _all_windows(windows: list[_Pair]) -> list[_Pair]:
    return windows


def _strings(instance: Instance) -> list[tuple[str, bool | None]]:
    """What has to be tokenised for an instance, and whether special tokens are asked for."""
    args = _args(instance)
    if instance.request_type not in ("loglikelihood", "multiple_choice"):
        return [(args[0], None)]
    context, continuation = args
    if not context:
        return [(continuation, False)]
    # As TemplateLM splits them: spaces at the context's end belong to the continuation.
    return [(context + continuation, None), (context.rstrip(), None)]


def _args(instance: Instance) -> tuple[Any, ...]:
    return instance.args


class _StopBetweenTokens(StoppingCriteria):
    """Lets a stop be noticed while a long generation runs."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        self._progress(0, 0)
        return False
