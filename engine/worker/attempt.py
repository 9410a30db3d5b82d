"""One attempt at a run: everything between taking it up and having nothing left to do."""

from __future__ import annotations

import gc
import os
import random
from collections import defaultdict

import numpy as np
import torch

from engine.errors import UserError
from engine.gpu import Sampler
from engine.plan import RunPlan
from engine.pruning import loading
from engine.pruning.accounting import ModelShape
from engine.pruning.ladder import Ladder
from engine.rundir import RunDir
from engine.worker.batching import default_batch_tokens
from engine.worker.compiling import compile_layers
from engine.worker.lm import PrunedLM
from engine.worker.provenance import provenance
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag
from engine.worker.sweep import Sweep
from engine.worker.tasks import TaskSet, build_tasks, load_tasks
from warehouse.records.events import Attempt, Planned
from warehouse.records.facts import ModelFacts, VariantFacts

# Widths of this many neurons stay on the fast path of a GPU's matrix units.
_PAD_TO = 64
# lm-eval's own seeds, to which the plan's is added.
_NUMPY_SEED = _TORCH_SEED = 1234


def attempt(run: RunDir, recorder: Recorder, stop: StopFlag) -> int:
    """Take the run up where its history ends; returns the number of cells that failed.

    Raises:
        UserError: the plan cannot be carried out as it stands.
        StopRequested: stopped between two batches.
    """
    plan, history = run.plan, recorder.history
    number = history.attempt.attempt + 1 if history.attempt else 1
    with recorder.stage("read config"):
        # A resumed run keeps the commit and the dtype it began with, whatever "main" and "auto" mean by now.
        revision = history.model.revision if history.model else plan.revision
        dtype_name = history.plan.dtype if history.plan and history.plan.dtype else plan.dtype
        found = loading.inspect(plan.model, revision=revision, trust_remote_code=plan.trust_remote_code)
        device = loading.resolve_device(plan.device)
        dtype = loading.resolve_dtype(dtype_name, found.config, device)
        variants = _variants(plan, found.shape, dtype)
    if history.plan is None:
        dtype_name = str(dtype).removeprefix("torch.")
        recorder.record(Planned(plan=plan.to_dict(), conditions=plan.conditions(dtype_name), dtype=dtype_name))
    _seed(plan.seed)
    recorder.record(Attempt(attempt=number, pid=os.getpid(), host=os.uname().nodename, provenance=provenance(device)))
    recorder.sample(Sampler(os.getpid()))

    with recorder.stage("load tasks"):
        tasks, groups = load_tasks(plan)
    stop.check()
    with recorder.stage("load model"):
        model, tokenizer = loading.load_model(
            found.source,
            revision=found.revision,
            dtype=dtype,
            device=device,
            trust_remote_code=plan.trust_remote_code,
        )
    with recorder.stage("hash weights"):
        weights_hash = loading.weights_hash(found.source, found.revision)
    _record_model(
        recorder,
        found.shape.model_facts(
            model=plan.model,
            source=found.source,
            revision=found.revision,
            weights_hash=weights_hash,
            dtype=dtype,
        ),
    )
    stop.check()
    batch_tokens = plan.batch_tokens or default_batch_tokens(
        device, hidden_size=found.shape.hidden_size, intermediate_size=found.shape.intermediate_size, dtype=dtype
    )
    with recorder.stage("set up scoring"):
        lm = PrunedLM(
            model,
            tokenizer,
            batch_tokens=batch_tokens,
            seed=_TORCH_SEED + plan.seed,
            warn=lambda message: recorder.log(message, "warning"),
        )
        if plan.compile_layers:
            compile_layers(model)  # after the trial of FlexAttention, which tells the masks that are needed
    if lm.slow_because is not None and device.type == "cuda":
        recorder.log(f"{lm.slow_because}: attention is masked densely, which is slower.", "warning")
    with recorder.stage("build requests"):
        built = build_tasks(tasks, groups, plan, lm, stop.check)
        # Requests stay to the end: no collection has to look at their million objects, half a second each time.
        gc.collect()
        gc.freeze()
    _record_tasks(recorder, built)
    with recorder.stage("sort neurons"):
        ladder = Ladder(model, method=plan.method, seed=plan.seed, pad_to=_PAD_TO)
    for variant in variants:
        if variant.level not in history.variants:
            recorder.record(variant)
    recorder.merge_soon()
    failed = Sweep(run, recorder, stop, lm, ladder, variants, built, number)()
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device) / 2**30
        weights = found.shape.bytes_at(found.shape.intermediate_size, dtype.itemsize) / 2**30
        recorder.log(f"Peak GPU memory: {peak:.2f} GiB, of which {weights:.2f} GiB are the unpruned model's weights.")
    return failed


def _variants(plan: RunPlan, shape: ModelShape, dtype: torch.dtype) -> list[VariantFacts]:
    variants = [
        shape.variant_facts(level, method=plan.method, divisor=plan.divisor, pad_to=_PAD_TO, dtype=dtype)
        for level in plan.levels
    ]
    levels_of: dict[int, list[str]] = defaultdict(list)
    for variant in variants:
        levels_of[variant.width].append(variant.level)
    for width, levels in levels_of.items():
        if len(levels) > 1:
            raise UserError(f"Levels {' and '.join(levels)} both mean {width} neurons a layer: keep one of them.")
    return variants


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(_NUMPY_SEED + seed)
    torch.manual_seed(_TORCH_SEED + seed)


def _record_model(recorder: Recorder, facts: ModelFacts) -> None:
    """Raises:
    UserError: the run began with other weights.
    """
    before = recorder.history.model
    if before is None:
        recorder.record(facts)
    elif before.weights_hash != facts.weights_hash:
        raise UserError(
            f"The weights of {facts.model} have changed since this run began: start a new run, "
            "so that no table mixes two models."
        )


def _record_tasks(recorder: Recorder, built: TaskSet) -> None:
    """Raises:
    UserError: the run began with other prompts.
    """
    for task in built.tasks:
        before = recorder.history.tasks.get(task.name)
        if before is None:
            recorder.record(task.facts)
        elif before.requests_hash != task.facts.requests_hash:
            raise UserError(
                f"The prompts of task '{task.name}' have changed since this run began (its data, its template or "
                "lm-eval did): start a new run, so that no table mixes the two."
            )
