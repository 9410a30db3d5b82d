"""Access tokens and passwords are taken out of whatever is written down: journals, logs, imports, cards, saved configs.

What is one is told by its form (Hugging Face, GitHub, OpenAI, AWS, Slack, a bearer's header, an address with a
password in it), by the name that it is given (`api_key=…`), or by standing in this process's environment under such a
name. A secret of another form that stands nowhere in the environment is not recognised.
"""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

from warehouse.errors import UserError

HIDDEN = "***"
_SHORTEST = 12  # of a value in the environment: anything shorter could stand in a text by chance

_NAME = r"(?:[\w-]*(?:api[_-]?key|access[_-]?key|secret|password|passwd|auth[_-]?token)|(?:hf|access)[_-]token|token)"
_FORMS = re.compile(
    r"hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|(?<=Bearer )[\w.~+/=-]{16,}"
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"
)
_GIVEN = re.compile(rf"(?i)(\b{_NAME}['\"]?\s*[=:]\s*['\"]?)([^\s,;&'\"]{{8,}})")
_SECRET_NAME = re.compile(rf"(?i){_NAME}")
_IN_ENVIRONMENT = re.compile(r"(?i)(?:TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$")


def redacted(value: Any) -> Any:
    """The same plain value with every secret in its texts hidden."""
    return _hidden(value, _from_environment())


def redact_file(path: Path) -> None:
    """Hide every secret in a JSON file; one without any stays as it is, byte for byte.

    Raises:
        OSError, ValueError: it cannot be read, written, or is no JSON.
    """
    content = json.loads(path.read_bytes())
    if (hidden := redacted(content)) != content:
        path.write_text(json.dumps(hidden, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def refuse_secrets(what: dict[str, Any]) -> None:
    """Before something is kept that has to stay as it was written.

    Raises:
        UserError: it holds a secret; says in which entry, and not which.
    """
    for name, value in what.items():
        if redacted(value) != value:
            raise UserError(
                f"What is given as {name} holds something like an access token or a password, and would be kept with "
                "the run: leave it out; tokens for the hub are read from HF_TOKEN or `hf auth login`."
            )


class RedactingStream:
    """A text stream that hides secrets in what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(redacted(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _hidden(value: Any, secrets: list[str]) -> Any:
    match value:
        case str():
            return _without(value, secrets)
        case dict():
            return {name: _entry(name, part, secrets) for name, part in value.items()}
        case list() | tuple():
            return type(value)(_hidden(part, secrets) for part in value)
        case _:
            return value


def _entry(name: Any, value: Any, secrets: list[str]) -> Any:
    if isinstance(name, str) and isinstance(value, str) and value and _SECRET_NAME.fullmatch(name):
        return HIDDEN
    return _hidden(value, secrets)


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _GIVEN.sub(rf"\1{HIDDEN}", _FORMS.sub(HIDDEN, text))


def _from_environment() -> list[str]:
    """The longest first, where one is part of another."""
    return _secrets(frozenset(os.environb.items()))  # as bytes: an import asks for every event, and texts are decoded


@lru_cache(maxsize=1)
def _secrets(environment: frozenset[tuple[bytes, bytes]]) -> list[str]:
    values = {
        os.fsdecode(value)
        for name, value in environment
        if _IN_ENVIRONMENT.search(os.fsdecode(name)) and len(os.fsdecode(value)) >= _SHORTEST
    }
    return sorted(values, key=len, reverse=True)
