"""lm-eval's prompt templates, compiled once each, and kept in a sandbox.

A template is a program in Jinja, and outside a sandbox it reaches the whole of Python. Task files come from wherever
people find them, so all templates are filled in by Jinja's sandbox, which refuses attributes that lead out of it and
renders everything else alike.

lm-eval hands the text of a template to Jinja again for every document, shot and choice, and Jinja compiles it every
time: about a millisecond, twenty times what filling it in takes. The same templates also judge the answers, so a
sweep would pay for it again at every level.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from jinja2.sandbox import SandboxedEnvironment
from lm_eval import utils

_TEMPLATES = 4096  # a task has a handful


@cache
def prepare_templates() -> None:
    """From now on, in this process, templates are sandboxed, and one that was compiled before is not compiled again."""
    before: Any = utils.env
    environment: Any = SandboxedEnvironment(
        loader=before.loader, undefined=before.undefined, keep_trailing_newline=before.keep_trailing_newline
    )
    environment.filters.update(before.filters)
    utils.env = environment
    environment.from_string = lru_cache(maxsize=_TEMPLATES)(environment.from_string)
