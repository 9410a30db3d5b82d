"""Names of files that are made from what people name, and names that are given only to whole files.

Distinct texts give distinct names, on file systems that do not tell A from a as well, and no name is longer than a
file system takes.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from itertools import count
from pathlib import Path

_LONGEST = 255  # bytes, on the file systems of Linux and macOS
_PLAIN = re.compile(r"[a-z0-9._-]{1,100}")
_HASHED = re.compile(r"-[0-9a-f]{12}$")


def part(text: str) -> str:
    """A part of a file name that no other text has."""
    if _PLAIN.fullmatch(text) and not _HASHED.search(text):
        return text
    return f"{re.sub(r'[^a-z0-9._-]', '_', text.lower())[:80]}-{_hash(text)}"


def beside(path: Path, kind: str) -> Path:
    """A hidden name in the folder of `path`, for what is on its way to becoming it, or must step aside for it."""
    return path.with_name(f".{_shortened(path.name, _LONGEST - len(kind) - 2)}.{kind}")


def publish(draft: Path, path: Path) -> None:
    """Give a whole file its name.

    Raises:
        FileExistsError: another file has it, which stays as it is.
    """
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without hard links
        if path.exists():
            raise FileExistsError(f"{path} exists already") from error
        draft.rename(path)
    else:
        draft.unlink()


def publish_beside(draft: Path, folder: Path, stem: str, suffix: str) -> Path:
    """Give a whole file the first name of stem, stem-2, stem-3 … that no file has, and return it."""
    for number in count(1):
        end = f"{'' if number == 1 else f'-{number}'}{suffix}"
        path = folder / f"{_shortened(stem, _LONGEST - len(os.fsencode(end)))}{end}"
        try:
            publish(draft, path)
        except FileExistsError:
            continue
        return path
    raise AssertionError


def _shortened(text: str, room: int) -> str:
    """The text itself where it has room, else its beginning and its hash."""
    encoded = os.fsencode(text)
    if len(encoded) <= room:
        return text
    return f"{encoded[: room - 13].decode(errors='ignore')}-{_hash(text)}"


def _hash(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
