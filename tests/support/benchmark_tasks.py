"""lm-eval's own tasks, reading their rows from disk instead of the hub."""

from __future__ import annotations

import runpy
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import yaml

ROWS = Path(__file__).resolve().parents[1] / "data"
_FILES = {
    "arc_challenge": "arc/arc_challenge.yaml",
    "boolq": "super_glue/boolq/default.yaml",
    "gsm8k": "gsm8k/gsm8k.yaml",
    "hellaswag": "hellaswag/hellaswag.yaml",
    "lambada_openai": "lambada/lambada_openai.yaml",
    "piqa": "piqa/piqa.yaml",
    "truthfulqa_mc1": "truthfulqa/truthfulqa_mc1.yaml",
    "truthfulqa_mc2": "truthfulqa/truthfulqa_mc2.yaml",
    "wikitext": "wikitext/wikitext.yaml",
    "winogrande": "winogrande/default.yaml",
}
_MUSR = ("murder_mysteries", "object_placements", "team_allocation")


def write_tasks(folder: Path) -> Path:
    """Task files in `folder` that include lm-eval's own and read the rows of tests/data."""
    tasks = _of_lm_eval()
    for name, file in _FILES.items():
        rows = ROWS / name.split("_mc")[0]
        _write(folder, name, tasks / file, {path.stem: path for path in rows.glob("*.jsonl")})
    for part in _MUSR:
        rows = ROWS / "leaderboard_musr" / f"{part}.jsonl"
        _write(folder, f"leaderboard_musr_{part}", tasks / f"leaderboard/musr/musr_{part}.yaml", {part: rows})
    shutil.copy(tasks / "leaderboard/musr/_musr.yaml", folder)
    for rows in (ROWS / "mmlu").iterdir():
        file = tasks / f"mmlu/default/mmlu_{rows.name}.yaml"
        _write(folder, f"mmlu_{rows.name}", file, {path.stem: path for path in rows.glob("*.jsonl")})
    return folder


def _of_lm_eval() -> Path:
    spec = find_spec("lm_eval")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "tasks"


def _write(folder: Path, name: str, original: Path, splits: dict[str, Path]) -> None:
    task = {
        "include": str(original),
        "task": name,
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {split: str(path) for split, path in splits.items()}},
    }
    missing = {f"{split}_split": None for split in ("train", "validation") if split not in splits}
    missing = {key.replace("train_", "training_"): value for key, value in missing.items()}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(task | missing, sort_keys=False))


def write_whole_tasks(folder: Path, shared: Path) -> Path:
    """The same for whole benchmarks, by the script that lies beside them. It leaves groups to lm-eval's own folder, all
    of whose files, read for the sake of one of them, take 15 seconds.
    """
    script = shared / "data" / "make_tasks.py"
    argv, sys.argv = sys.argv, [str(script), str(folder)]
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.argv = argv
    shutil.copy(_of_lm_eval() / "leaderboard/musr/_musr.yaml", folder)
    return folder
