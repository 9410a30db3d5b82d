"""Generated texts as lm-eval's `hf` backend gives them, working on one prompt at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any, Protocol

import torch
from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs, postprocess_generated_text
from lm_eval.models.utils_hf import stop_sequences_criteria
from transformers import StoppingCriteria, StoppingCriteriaList

from engine.evaluation.encoding import MAX_GEN_TOKS
from engine.evaluation.ending import Ending, Pieces
from engine.inference.batching import Batcher
from engine.inference.decode.generator import EndOf
from engine.inference.decode.sampling import LeftToTransformersError, SamplingParams, sampling_params, takes_rows_apart
from engine.inference.lengths import Lengths
from engine.inference.tree.tree import Ints
from engine.inference.tree.tree_scorer import Progress


class Continues(Protocol):
    """Adds tokens to prompts; see `Generator`."""

    def clear_cache(self) -> None: ...
    def generate(
        self,
        prompts: Sequence[Ints],
        *,
        max_new_tokens: int,
        end_of: EndOf,
        max_tokens: int,
        progress: Progress,
        sampling: SamplingParams = ...,
    ) -> list[list[int]]: ...


class Writer:
    """Continues prompts under a task's options, by our own generator or, where that cannot, by transformers' way.

    Args:
        max_length: tokens of the model's context.
        max_tokens: of one forward pass; halved for good when memory runs out.
        seed: of sampled texts.
        say: told why transformers' way is taken, each time.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        generator: Continues | None,
        lengths: Lengths,
        *,
        max_length: int,
        max_tokens: int,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._generator = generator
        self._lengths = lengths
        self._max_length = max_length
        self._batcher = Batcher(max_tokens)
        self._seed = seed
        self._say = say
        self._plain = _decodes_plainly(tokenizer)
        eos = tokenizer.eos_token_id
        self._eos: str | None = None if eos is None else tokenizer.decode(eos)

    def clear_cache(self) -> None:
        """Drop what is kept of earlier prompts."""
        if self._generator is not None:
            self._generator.clear_cache()

    def write(self, prompts: Sequence[Ints], gen_kwargs: dict[str, Any], progress: Progress) -> list[str]:
        """The texts that follow prompts, in their order, cut before their first stop string."""
        torch.manual_seed(self._seed)
        kwargs: dict[str, Any] = dict(normalize_gen_kwargs(gen_kwargs, MAX_GEN_TOKS))
        until = handle_stop_sequences(kwargs.pop("until", None), eos=self._eos)
        new = kwargs.pop("max_gen_toks")
        prompts = [tokens[-(self._max_length - new) :] for tokens in prompts]
        options = _as_hflm_passes_them(kwargs)
        eos = _token_ids(options.get("eos_token_id", self._model.generation_config.eos_token_id))
        ending = Ending(self._pieces, self._tokenizer, until, eos)
        made: list[list[int]] = [[] for _ in prompts]
        left = range(len(prompts))
        if self._generator is not None:
            try:
                sampling = sampling_params(self._model, options, seed=self._seed)
            except LeftToTransformersError as reason:
                self._say(f"Generation takes transformers' own way, which is slower, because of: {reason}.")
            else:
                kinds, left = self._kinds(prompts, new)
                for indices in kinds:
                    found = self._generator.generate(
                        [prompts[index] for index in indices],
                        max_new_tokens=new,
                        end_of=ending,
                        max_tokens=self._batcher.tokens,
                        progress=progress,
                        sampling=sampling,
                    )
                    for index, tokens in zip(indices, found, strict=True):
                        made[index] = tokens
                if left:
                    self._say(
                        "Texts that may grow beyond the length at which the model changes its rotary factors are "
                        "generated transformers' own way, which is slower."
                    )
        for index, tokens in self._by_transformers(prompts, left, until, ending, new, options, progress):
            made[index] = tokens
        return [postprocess_generated_text(text, until, think_end_token=None) for text in self._texts(made)]

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces(self._tokenizer, plain=self._plain)

    def _kinds(self, prompts: Sequence[Ints], new: int) -> tuple[list[list[int]], list[int]]:
        """Prompts whose lengths are of one kind, and those that may grow from one kind into another."""
        kinds: dict[tuple[int, ...], list[int]] = defaultdict(list)
        left = []
        for index, prompt in enumerate(prompts):
            before, after = self._lengths.kind(len(prompt)), self._lengths.kind(len(prompt) + new - 1)
            (kinds[before] if before == after else left).append(index)
        return list(kinds.values()), left

    def _by_transformers(
        self,
        prompts: Sequence[Ints],
        indices: Sequence[int],
        until: list[str],
        ending: Ending,
        new: int,
        options: dict[str, Any],
        progress: Progress,
    ) -> list[tuple[int, list[int]]]:
        """Prompts of one length at a time: beside padding, a text may be another one."""
        made: list[tuple[int, list[int]]] = []
        together = takes_rows_apart(self._model, options)

        def length(index: int) -> int:
            return len(prompts[index])

        def work(some: Sequence[int]) -> None:
            inputs = torch.tensor([prompts[index].tolist() for index in some])
            if together:
                ends: list[StoppingCriteria] = [_Ends(ending, len(some))]
            else:
                ends = stop_sequences_criteria(self._tokenizer, until, inputs.shape[1], len(some))
            rows = self._generate(inputs, [*ends, _StopBetweenTokens(progress)], new, options)
            if together:  # rows that had ended were filled up
                rows = [row[: ending(row)] for row in rows]
            made.extend(zip(some, rows, strict=True))
            progress(len(some), inputs.numel() + sum(map(len, rows)))

        # Neighbours in sorted order, as elsewhere, so that the same prompts are run together at each level.
        order = sorted(indices, key=lambda index: (-length(index), prompts[index].tolist()))
        for _, alike in groupby(order, length):
            for some in [list(alike)] if together else [[index] for index in alike]:
                self._batcher.run(some, lambda index: length(index) + new, work)
        return made

    def _generate(
        self, inputs: torch.Tensor, criteria: list[StoppingCriteria], new: int, options: dict[str, Any]
    ) -> list[list[int]]:
        self._lengths.reset()
        pad = self._tokenizer.pad_token_id
        known = self._model.get_input_embeddings().weight.shape[0]
        options = {"max_length": inputs.shape[1] + new} | options
        with torch.inference_mode():
            made = self._model.generate(
                input_ids=inputs.to(self._model.device),
                attention_mask=torch.ones_like(inputs).to(self._model.device),
                stopping_criteria=StoppingCriteriaList(criteria),
                pad_token_id=pad if pad is not None and pad < known else 0,
                use_cache=True,
                **options,
            )
        return made[:, inputs.shape[1] :].tolist()

    def _texts(self, made: list[list[int]]) -> list[str]:
        if self._plain:  # all cores at once
            return self._tokenizer.backend_tokenizer.decode_batch(made, skip_special_tokens=True)
        return [self._tokenizer.decode(tokens, skip_special_tokens=True) for tokens in made]


class _Ends(StoppingCriteria):
    """Ends each row by itself; rows stay what they are from step to step."""

    def __init__(self, ending: Ending, rows: int) -> None:
        self._ending = ending
        self._made: list[list[int]] = [[] for _ in range(rows)]
        self._ended = [False] * rows

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        for row, token in enumerate(input_ids[:, -1].tolist()):
            if not self._ended[row]:
                self._made[row].append(token)
                self._ended[row] = self._ending(self._made[row], len(self._made[row]) - 1) is not None
        return torch.tensor(self._ended, device=input_ids.device)


class _StopBetweenTokens(StoppingCriteria):
    """Lets a stop be noticed while a long generation runs."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        self._progress(0, 0)
        return False


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
