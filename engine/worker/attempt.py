"""One attempt at a run: everything between taking it up and having nothing left to do."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lm_eval.models.utils import resolve_max_length
from transformers import PreTrainedTokenizerBase

from engine.errors import UserError
from engine.evaluation.answering import AnsweringLM
from engine.evaluation.llama_cpp_lm import LlamaCppLM
from engine.evaluation.lm import PrunedLM, vocabulary
from engine.gpu import Sampler
from engine.inference.batching import default_batch_tokens
from engine.overrides.compiling import compile_layers
from engine.planning.methods import find_method
from engine.planning.plan import LLAMA_CPP, RunPlan
from engine.pruning import loading
from engine.pruning.accounting import ModelShape
from engine.pruning.identity import config_hash, tokenizer_hash
from engine.pruning.spreading import device_map, room_on
from engine.runs.card_lock import card_held
from engine.runs.rundir import RunDir
from engine.worker.arriving import Arriving
from engine.worker.beside import Beside, brief_turns
from engine.worker.damage import damage_cells
from engine.worker.order import sorted_ladder
from engine.worker.profiling import Profiling
from engine.worker.provenance import provenance
from engine.worker.recorder import Recorder
from engine.worker.records import Records
from engine.worker.stopping import StopFlag
from engine.worker.sweep import AsSaved, Sweep, Widths
from engine.worker.tasks_apart import TasksApart
from engine.worker.wire import Loaded
from warehouse.records.conditions import Seeds
from warehouse.records.events import Attempt, Planned
from warehouse.records.facts import ModelFacts, VariantFacts

# Widths of this many neurons stay on the fast path of a GPU's matrix units.
_PAD_TO = 64


def attempt(
    run: RunDir, recorder: Recorder, stop: StopFlag, tasks: TasksApart, batch_tokens: dict[Any, int] | None = None
) -> int:
    """Take the run up where its history ends; returns the number of cells that failed.

    `batch_tokens` is `Kept`'s, where a process works on several runs.

    Tasks are found and built in a process of their own, weights hashed in a thread, while the model is loaded and
    scoring set up here; cells begin with the first task that is built.

    Raises:
        UserError: the plan cannot be carried out as it stands; cells that were finished before that was known are kept.
        StopRequested: stopped between two batches.
    """
    plan, history = run.plan, recorder.history
    with recorder.stage("read config"):
        # A resumed run keeps the commit and the dtype it began with, whatever "main" and "auto" mean by now.
        revision = history.model.revision if history.model else plan.revision
        dtype_name = history.plan.dtype if history.plan and history.plan.dtype else plan.dtype
        found = loading.inspect(plan.model, revision=revision, trust_remote_code=plan.trust_remote_code)
        device = loading.resolve_device("cpu" if plan.engine == LLAMA_CPP else plan.device)
        dtype = loading.resolve_dtype(dtype_name, found.config, device)
        variants = _variants(plan, found.shape, dtype)
        tokenizer = loading.load_tokenizer(
            found.source, revision=found.revision, trust_remote_code=plan.trust_remote_code
        )
        template = _template(tokenizer, plan) if plan.apply_chat_template else None
        where = provenance(device, find_method(plan.method), plan.engine)
    max_length = resolve_max_length(found.config, tokenizer)
    tokenizer_is = tokenizer_hash(tokenizer)

    def on_loaded(loaded: Loaded) -> None:
        _refuse_changed_code(recorder, loaded.code)
        if history.plan is None:
            name = str(dtype).removeprefix("torch.")
            conditions = plan.conditions(name, template, whole=loaded.whole)
            recorder.record(Planned(plan=plan.to_dict(), conditions=conditions, dtype=name))
        came_from = where | {"task_files": loaded.code}
        recorder.record(Attempt(attempt=tasks.attempt, pid=os.getpid(), host=os.uname().nodename, provenance=came_from))
        recorder.sample(Sampler(os.getpid()))

    def hash_weights() -> str | None:
        with recorder.stage("hash weights", unit="bytes") as report:

            def progress(done: int, total: int) -> None:
                stop.check()
                report(done, total)

            return loading.weights_hash(found.source, found.revision, progress)

    _seed(plan.seeds)
    stop.check()
    tasks.model_reads(
        tokenizer,
        found.config,
        max_length=max_length,
        source=found.source,
        revision=found.revision,
        on_loaded=on_loaded,
    )
    with (
        _cards(device, plan.cards, recorder, stop),
        brief_turns(),
        Beside("hash weights", hash_weights, stop) as hashed,
    ):
        size = found.shape.bytes_at(found.shape.intermediate_size, dtype.itemsize)
        profiling: Callable[[], Profiling] | None = None
        lm: AnsweringLM
        pruned: PrunedLM | None = None
        ladder: Widths
        if plan.engine == LLAMA_CPP:
            with recorder.stage("load model", total=size, unit="bytes"):
                lm = LlamaCppLM(Path(found.source), found.config, tokenizer, dtype=dtype, seed=plan.seeds[2])
            tasks.model_knows(lm.vocab_size)
            tasks.check()
            tasks.hand_to(lm)
            ladder, damage = AsSaved(found.shape.intermediate_size), None
        else:
            known = {} if batch_tokens is None else batch_tokens
            lm = pruned = _pruned_lm(plan, found, tokenizer, device, dtype, size, recorder, tasks, known)
            damage = damage_cells(run, plan, recorder, pruned, check=stop.check, attempt=tasks.attempt)
            ladder = sorted_ladder(
                run, plan, recorder, pruned, evaluated=tasks.documents, check=stop.check, pad_to=_PAD_TO
            )
            if damage is not None:
                damage.begin(pruned, stop.check)
            if plan.profile is not None:
                profiling = partial(Profiling, run, plan, recorder, stop, pruned, ladder, variants)
        on_gpu = pruned if device.type == "cuda" else None
        # Requests that are there already are not kept waiting: they compile what they need.
        if on_gpu is not None and plan.tasks and not tasks.has_some:
            warm_up(recorder, on_gpu.warm_up)
        supply = tasks.supply()
        if on_gpu is not None and tasks.writes and not tasks.has_some:
            warm_up(recorder, on_gpu.warm_up_writing)
        _record_model(
            recorder,
            found.shape.model_facts(
                model=plan.model,
                source=found.source,
                revision=found.revision,
                weights_hash=hashed.result(),
                config_hash=config_hash(found.source, found.revision),
                tokenizer_hash=tokenizer_is,
                dtype=dtype,
            ),
        )
        for variant in variants:
            if variant.level not in history.variants:
                recorder.record(variant)
        recorder.merge_soon()
        failed = Sweep(recorder, stop, lm, ladder, variants, supply, tasks.judging(), damage)()
        if profiling is not None:
            failed += profiling()()
    if device.type == "cuda":
        peak = sum(map(torch.cuda.max_memory_allocated, range(plan.cards) if plan.cards > 1 else [device])) / 2**30
        recorder.log(
            f"Peak GPU memory: {peak:.2f} GiB, of which {size / 2**30:.2f} GiB are the unpruned model's weights."
        )
    return failed


def _pruned_lm(
    plan: RunPlan,
    found: loading.Checkpoint,
    tokenizer: PreTrainedTokenizerBase,
    device: torch.device,
    dtype: torch.dtype,
    size: int,
    recorder: Recorder,
    tasks: TasksApart,
    known: dict[Any, int],
) -> PrunedLM:
    """The model, loaded and ready to be asked; `size` are the bytes of its weights, `known` as `Kept.batch_tokens`.

    Raises:
        UserError: as `loading.load_model`; or the tasks turned out to be wrong meanwhile.
    """
    spread = None
    if plan.cards > 1:
        spread = device_map(found.config, dtype, room_on(plan.cards), trust_remote_code=plan.trust_remote_code)
        recorder.log(f"The model is spread over {len(set(spread.values()))} GPUs; graphs are off.")
    with recorder.stage("load model", total=size, unit="bytes") as report, Arriving(device, size, report):
        model, tokenizer = loading.load_model(
            found.source,
            revision=found.revision,
            dtype=dtype,
            device=device,
            trust_remote_code=plan.trust_remote_code,
            tokenizer=tokenizer,
            spread=spread,
        )
    tasks.model_knows(vocabulary(model))
    tasks.check()
    with recorder.stage("set up scoring"):
        lm = PrunedLM(
            model,
            tokenizer,
            batch_tokens=plan.batch_tokens or batch_tokens_of(device, found.shape, dtype, known),
            seed=plan.seeds[2],
            warn=lambda message: recorder.log(message, "warning"),
        )
        if plan.compile_layers:
            compile_layers(model)  # after the trial of FlexAttention, which tells the masks that are needed
    if lm.slow_because is not None and device.type == "cuda" and spread is None:
        recorder.log(f"{lm.slow_because}: attention is masked densely, which is slower.", "warning")
    tasks.hand_to(lm)
    return lm


def warm_up(recorder: Records, compiles: Callable[[], None]) -> None:
    """Compile ahead; where that fails, the first cell that needs it says so of itself, and others may be evaluated."""
    with recorder.stage("warm up"):
        try:
            compiles()
        except torch.AcceleratorError:
            raise  # the CUDA context is gone
        except Exception as error:  # of compilers, and what a model's code does not take
            first = next(iter(str(error).splitlines()), "")
            recorder.log(f"Nothing could be compiled ahead ({type(error).__name__}: {first}).", "warning")


def batch_tokens_of(device: torch.device, shape: ModelShape, dtype: torch.dtype, known: dict[Any, int]) -> int:
    """What a batch has room for; in a process that worked on a run before, what it had then."""
    sizes = (shape.hidden_size, shape.intermediate_size)
    if (where := (str(device), str(dtype), *sizes)) not in known:
        known[where] = default_batch_tokens(device, hidden_size=sizes[0], intermediate_size=sizes[1], dtype=dtype)
    return known[where]


@contextmanager
def _cards(device: torch.device, count: int, recorder: Recorder, stop: StopFlag) -> Iterator[None]:
    """The GPUs for this worker alone, where there are some: in an order that all workers take them in.

    Raises:
        UserError: there are fewer, or the device is none.
    """
    if device.type != "cuda":
        if count > 1:
            raise UserError(f"This run asks for {count} GPUs, and there is none: it would run on {device}.")
        yield
        return
    devices = [device] if count == 1 else list(room_on(count))
    with ExitStack() as held:
        for uuid in sorted(str(torch.cuda.get_device_properties(one).uuid) for one in devices):
            held.enter_context(card_held(uuid, recorder.log, stop.check))
        yield


def _variants(plan: RunPlan, shape: ModelShape, dtype: torch.dtype) -> list[VariantFacts]:
    shape.widths(plan.levels, plan.divisor)  # each means another one
    return [
        shape.variant_facts(
            level, method=plan.method, repair=plan.repair, divisor=plan.divisor, pad_to=_PAD_TO, dtype=dtype
        )
        for level in plan.levels
    ]


def _seed(seeds: Seeds) -> None:
    random.seed(seeds[0])
    np.random.seed(seeds[1])
    torch.manual_seed(seeds[2])


def _record_model(recorder: Recorder, facts: ModelFacts) -> None:
    """Raises:
    UserError: the run began with other weights, another config or tokenizer.
    """
    before = recorder.history.model
    if before is None:
        recorder.record(facts)
        return
    changed = [
        what
        for what, was, now in (
            ("weights", before.weights_hash, facts.weights_hash),
            # Runs from before these were recorded do not know theirs.
            ("config", before.config_hash or facts.config_hash, facts.config_hash),
            ("tokenizer", before.tokenizer_hash or facts.tokenizer_hash, facts.tokenizer_hash),
        )
        if was != now
    ]
    if changed:
        have = "have" if changed[0] == "weights" or len(changed) > 1 else "has"
        raise UserError(
            f"The {' and '.join(changed)} of {facts.model} {have} changed since this run began: start a new run, "
            "so that no table mixes two models."
        )


def _template(tokenizer: Any, plan: RunPlan) -> str:
    """The chat template that is applied, as lm-eval hashes it.

    Raises:
        UserError: there is none, or it does not take what the plan puts into it.
    """
    try:
        template = tokenizer.get_chat_template()
    except ValueError as error:
        raise UserError(
            "The model's tokenizer has no chat template: leave --apply-chat-template out, or give a model that is "
            "tuned for chat."
        ) from error
    turns = [{"role": "user", "content": "Is it so?"}]
    if plan.fewshot_as_multiturn:
        turns = [*turns, {"role": "assistant", "content": "It is."}, *turns]
    if plan.system_instruction:
        turns = [{"role": "system", "content": plan.system_instruction}, *turns]
    try:
        tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    except Exception as error:  # a template raises what it likes
        raise UserError(
            f"The tokenizer's chat template does not take such prompts ({' '.join(str(error).split())[:200]}): leave "
            "--apply-chat-template out, or --system-instruction and --fewshot-as-multiturn where they are given."
        ) from error
    return template


def _refuse_changed_code(recorder: Recorder, code: dict[str, str]) -> None:
    """Raises:
    UserError: task files from outside are not those that the run began with.
    """
    attempt = recorder.history.attempt
    # Runs from before these were recorded, or not all of them, do not know theirs.
    before: dict[str, str] = ((attempt.provenance or {}).get("task_files") if attempt else None) or {}
    name = next((name for name in sorted(before) if before[name] != code.get(name)), None)
    if name is None:
        return
    raise UserError(
        f"The task file {name} has changed since this run began: start a new run, so that no table mixes the two."
    )
