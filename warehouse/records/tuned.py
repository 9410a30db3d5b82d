"""Whether a model is tuned for instructions or chat, as far as its name tells."""

from __future__ import annotations

import re

from warehouse.records.names import short_name

_TUNED = re.compile(r"(^|[-_.\d])(instruct(ed|ion)?|chat|it|sft|dpo|rlhf|orpo|zephyr|assistant|tuned)($|[-_.\d])", re.I)
_BASE = re.compile(r"(^|[-_.])(base|pt|pretrained|foundation)($|[-_.])", re.I)
_SIZE = re.compile(r"(^|[-_.])(\d+(\.\d+)?x)?\d+(\.\d+)?[bmk]($|[-_.])", re.I)


def tuned(model: str) -> bool | None:
    """True for `Llama-3.2-1B-Instruct`, False for `Llama-3.2-3B` (a size and no word of tuning) and `gemma-3-1b-pt`,
    None for a name that tells neither, such as `my-model`.
    """
    name = short_name(model.replace("\\", "/"))
    if _TUNED.search(name):
        return True
    return False if _BASE.search(name) or _SIZE.search(name) else None
