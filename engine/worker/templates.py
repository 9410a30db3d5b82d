"""lm-eval's prompt templates, compiled once each.

lm-eval hands the text of a template to Jinja again for every document, shot and choice, and Jinja compiles it every
time: about a millisecond, twenty times what filling it in takes. The same templates also judge the answers, so a
sweep would pay for it again at every level.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from lm_eval import utils

_TEMPLATES = 4096  # a task has a handful


@cache
def compile_once() -> None:
    """From now on, in this process, a template that was compiled before is not compiled again."""
    environment: Any = utils.env
    environment.from_string = lru_cache(maxsize=_TEMPLATES)(environment.from_string)
