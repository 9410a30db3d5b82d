"""A sweep at the true size: seven levels of a randomly initialised Llama-3.2-1B shape, timed stage by stage.

    python benchmarks/true_size.py WORK_DIR --include-path TASKS_DIR [--tasks piqa,mmlu@5,gsm8k@5] [--limit 200]
        [--compile]

Random weights cost what trained ones cost. The tokenizer is a byte-level BPE of Llama-3's vocabulary size,
trained on the text given with --corpus, so that prompts have about as many tokens as they have with the real one.
The checkpoint is made once in WORK_DIR and reused. Interrupted, it reports what was done. A group's tasks share a
column.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch, stopping
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.events import Attempt, CellStarted, Log, Stage
from warehouse.records.facts import CellFacts, FailureFacts
from warehouse.records.level import parse_levels

LEVELS = "0,10,20,30,40,50,60"
SHAPE = {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": True,
}


def make_checkpoint(folder: Path, corpus: list[Path]) -> None:
    """Write config, bf16 weights and tokenizer, unless they are there."""
    if (folder / "model.safetensors").exists():
        return
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=SHAPE["vocab_size"],
        special_tokens=["<|begin_of_text|>", "<|end_of_text|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train([str(path) for path in corpus], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|begin_of_text|>", eos_token="<|end_of_text|>"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        model = LlamaForCausalLM(LlamaConfig(**SHAPE, dtype="bfloat16", bos_token_id=0, eos_token_id=1))
    half: Any = model.bfloat16()
    half.save_pretrained(folder)


def report(run: RunDir) -> str:
    """The run's wall time by stage, and by level and task, as Markdown."""
    stages: dict[str, list[float]] = defaultdict(list)
    cells: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    at: dict[str, list[float]] = defaultdict(list)
    lines = []
    for event in run.events():
        match event.data:
            case Stage(stage=stage, seconds=seconds):
                stages[stage].append(seconds)
            case CellFacts() as cell:
                at[cell.level].append(event.t)
                if not cell.is_group:
                    cells[cell.level][cell.part_of or cell.task] += cell.seconds or 0.0
            case CellStarted(level=level):
                at[level].append(event.t)
            case FailureFacts() as failure:
                lines.append(f"{failure.task} at {failure.level} failed: {failure.error}")
            case Attempt(provenance=made) if made is not None:
                lines.append(f"{(made['gpu'] or {}).get('name', made['cpu'])}, torch {made['versions']['torch']}")
            case Log(message=message):
                lines.append(message)
            case _:
                pass
    lines += ["", "| stage | times | seconds in all | longest |", "|---|--:|--:|--:|"]
    lines += [f"| {name} | {len(s)} | {sum(s):.3f} | {max(s):.4f} |" for name, s in stages.items()]
    tasks = sorted({task for row in cells.values() for task in row})
    heads = [*(f"{task} (s)" for task in tasks), "all cells (s)", "wall (s)"]
    lines += ["", f"| level | {' | '.join(heads)} |", "|--:|" + "--:|" * len(heads)]
    for level, row in cells.items():
        wall = max(at[level]) - min(at[level])
        figures = [*(row.get(task, float("nan")) for task in tasks), sum(row.values()), wall]
        lines.append(f"| {level} | {' | '.join(f'{seconds:.2f}' for seconds in figures)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work_dir", type=Path)
    parser.add_argument("--include-path", required=True)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--tasks", default="piqa,wikitext")
    parser.add_argument("--limit", type=float, help="documents a task; all, if unset")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--levels", default=LEVELS)
    arguments = parser.parse_args()
    folder = arguments.work_dir / "random-1b"
    make_checkpoint(folder, arguments.corpus)
    plan = RunPlan(
        name="true size",
        model=str(folder),
        levels=tuple(parse_levels(arguments.levels)),
        tasks=tuple(TaskSpec.parse(text) for text in arguments.tasks.split(",")),
        limit=arguments.limit,
        include_paths=(arguments.include_path,),
        compile_layers=arguments.compile,
        # The seed checkpoint is bf16 as the real one is, and stays so on any device.
        dtype="bfloat16",
    ).resolved(Path.cwd())
    database = arguments.work_dir / "results.duckdb"
    run = RunDir.create(runs_root(database), plan, database)
    worker = launch.start(run)
    try:
        code = worker.wait()
    except KeyboardInterrupt:  # what there is by now is reported
        stopping.ask(run)
        code = worker.wait()
    if code != launch.FINISHED:
        print("\n".join(launch.log_tail(run, 40)))
    print(report(run))
    raise SystemExit(code)


if __name__ == "__main__":
    main()
