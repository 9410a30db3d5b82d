"""Hands lm-eval the documents that lie beside the task files, wherever the package is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict


def load(*, data_files: dict[str, str], **_: Any) -> DatasetDict:
    """`data_files` maps splits to JSONL files in this folder. Nothing is cached, so the folder may be read-only.

    lm-eval passes the task's metadata along, which is of no use here.
    """
    folder = Path(__file__).parent
    splits = {}
    for split, name in data_files.items():
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        splits[split] = Dataset.from_list([json.loads(line) for line in lines])
    return DatasetDict(splits)
