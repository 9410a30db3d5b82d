"""How long a run's requests take to build: as it was, and now with a cold and a warm cache.

    python benchmarks/build_requests.py WORK_DIR --include-path TASKS_DIR [--tasks piqa,mmlu@5] [--tokenizer FOLDER]

Without --tasks it is the suite `paper`. "Before" each request was tokenised whole, by one thread; now parts that texts
share are tokenised once, on half of the cores, and tokens are kept between runs, in a cache that lies in WORK_DIR here.
Building is everything from loaded tasks to hashed tokens: prompts written out by lm-eval, tokens, fingerprints. Each
way works in a process of its own, forked when tasks and tokenizer are loaded, and all must come to equal fingerprints.
The tokenizer is a byte-level BPE with Llama 3's expression and size, trained once on the tasks' documents.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

# As a worker has it; before any library is imported.
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from lm_eval.api.instance import Instance
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from engine.evaluation.lm import PrunedLM
from engine.evaluation.task_loading import LoadedTasks, load_tasks
from engine.evaluation.tasks import build_task
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec, suite
from warehouse.processes import cores
from warehouse.records.facts import TaskFacts
from warehouse.records.level import parse_levels

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
VOCABULARY = 128_256
BEGIN, END = "<|begin_of_text|>", "<|end_of_text|>"


def texts_of(found: LoadedTasks) -> Iterator[str]:
    tasks: list[Any] = found.tasks
    for task in tasks:
        for split in dict(task.dataset).values():
            for document in split:
                yield " ".join(str(value) for value in document.values())


def make_tokenizer(folder: Path, found: LoadedTasks) -> None:
    tokenizer: Any = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(WORDS), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[BEGIN, END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts_of(found), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, 0)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END).save_pretrained(folder)


class AsBefore(PrunedLM):
    """Tokenises as it was done before: whole texts in groups of 4,096 instances, by one thread, into lists."""

    def encode(self, instances: Sequence[Instance], progress: Any = None, kept: Any = None) -> None:
        if instances[0].request_type == "loglikelihood_rolling":  # as now
            super().encode(instances)
            return
        self._lists: dict[int, Any] = getattr(self, "_lists", {})
        new = [instance for instance in instances if id(instance) not in self._lists]
        for start in range(0, len(new), 4096):
            some = new[start : start + 4096]
            asked = [self._texts(instance) for instance in some]
            strings = list(dict.fromkeys(text for texts in asked for text in texts))
            known = dict(zip(strings, self.tokenizer(strings)["input_ids"], strict=True))
            for instance, texts in zip(some, asked, strict=True):
                tokens = [known[text] for text in texts]
                is_pair = len(tokens) == 2
                self._lists[id(instance)] = (tokens[0], tokens[1][len(tokens[0]) :]) if is_pair else tokens[0]

    def tokens_of(self, instance: Instance) -> Any:
        if instance.request_type == "loglikelihood_rolling":
            return super().tokens_of(instance)
        self.encode([instance])
        found = self._lists[id(instance)]
        return list(found) if isinstance(found, tuple) else [found]

    def _texts(self, instance: Instance) -> tuple[str, ...]:
        arguments: Any = instance.args
        if instance.request_type not in ("loglikelihood", "multiple_choice"):
            return (arguments[0],)
        return arguments[0].rstrip(), arguments[0] + arguments[1]


def build(found: LoadedTasks, plan: RunPlan, lm: PrunedLM) -> tuple[list[float], float, list[TaskFacts]]:
    """Seconds until each task is there, processor seconds, and what came out."""
    start, work = time.perf_counter(), time.process_time()
    ready: list[float] = []
    facts: list[TaskFacts] = []
    for task in found.tasks:
        facts.append(build_task(task, None, plan, lm).facts)
        ready.append(time.perf_counter() - start)
    return ready, time.process_time() - work, facts


def forked(work: Callable[[], Any]) -> Any:
    """What it returns, from a process of its own."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=lambda: there.send(work()))
    process.start()
    there.close()
    try:
        return here.recv()
    finally:
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work_dir", type=Path)
    parser.add_argument("--include-path", action="append", default=[])
    parser.add_argument("--tasks")
    parser.add_argument("--tokenizer", type=Path)
    arguments = parser.parse_args()
    cache = arguments.work_dir / "cache"
    shutil.rmtree(cache / "prune-tui" / "tokens", ignore_errors=True)
    os.environ["XDG_CACHE_HOME"] = str(cache.resolve())
    tasks = tuple(map(TaskSpec.parse, arguments.tasks.split(","))) if arguments.tasks else suite("paper")
    plan = RunPlan(
        name="build requests",
        model="random",
        levels=tuple(parse_levels("0")),
        tasks=tasks,
        include_paths=tuple(arguments.include_path),
    ).resolved(Path.cwd())
    start = time.perf_counter()
    found = load_tasks(plan)
    loading = time.perf_counter() - start
    folder = arguments.tokenizer or arguments.work_dir / "tokenizer"
    if not (folder / "tokenizer.json").exists():
        make_tokenizer(folder, found)
    torch.set_num_threads(1)  # processes are forked
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    room = {"vocab_size": VOCABULARY, "max_position_embeddings": 131_072, "tie_word_embeddings": True}
    model = LlamaForCausalLM(LlamaConfig(**shape, **room)).eval()

    def of(kind: type[PrunedLM]) -> Any:
        return forked(lambda: build(found, plan, kind(model, AutoTokenizer.from_pretrained(folder), batch_tokens=512)))

    ways = {"before": of(AsBefore), "now, cold cache": of(PrunedLM), "now, warm cache": of(PrunedLM)}
    ready, _, expected = ways["before"]
    assert all(facts == expected for _, _, facts in ways.values()), "other tokens"
    requests = sum(facts.n_requests or 0 for facts in expected)
    size = sum(path.stat().st_size for path in (cache / "prune-tui" / "tokens").iterdir())
    print(f"{requests:,} requests of {len(expected)} tasks, {cores()} cores; loading the tasks took {loading:.1f} s; ")
    print(f"the cache has {size / 2**20:.1f} MiB; all fingerprints are equal.\n")
    print("| | all requests (s) | ratio | of processors (s) | first task (s) |\n|---|--:|--:|--:|--:|")
    for way, (times, work, _) in ways.items():
        print(f"| {way} | {times[-1]:.2f} | {times[-1] / ready[-1]:.3f} | {work:.2f} | {times[0]:.2f} |")


if __name__ == "__main__":
    main()
