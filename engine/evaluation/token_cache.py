"""Tokens that were made before, in the user's cache folder: an entry for the requests of one task and one tokenizer.

An entry is found by what its tokens follow from: every text that is asked, how a tokenizer makes tokens of texts, and
the versions of all programs that do it. The texts are written out at each start, so whatever a task's prompts come
from, be it its file, its code, its data, shots, seeds, limits or a chat template, is judged by what it comes to.

An entry is one file: a line that says what it is, the sha256 of the rest, a line of JSON with the counts of four
arrays, and these, compressed: lengths of sequences, their tokens, how many of them each request has, and which.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache as remembered
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from engine.evaluation.tokenising import Tokens
from warehouse.store import cache

logger = logging.getLogger(__name__)

Encoding = tuple[Tokens, ...]
"""A request's tokens, part by part."""

MAX_BYTES = 2 << 30
_FORM = b"prune-tui tokens 1\n"  # also to be changed where requests become tokens in another way
_CODEC = "zstd"
_SECONDS_TO_WRITE = 3600.0
_PROGRAMS = ("lm-eval", "tokenizers", "transformers")
version = remembered(metadata.version)  # it reads a file each time


class DamagedError(ValueError):
    """A file is not as it was written."""


class TokenCache:
    """A folder of entries, those least recently used removed beyond `max_bytes`; several processes may share it."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def read(self, key: str, requests: int) -> list[Encoding] | None:
        """The entry of a key, if there is one for so many requests. A damaged one is removed, and said so."""
        path = self._path(key)
        try:
            found = decoded(path.read_bytes(), requests)
            os.utime(path)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            logger.warning("Tokens in the cache were damaged (%s: %s) and are made anew.", path.name, error)
            path.unlink(missing_ok=True)
            return None
        except OSError as error:
            logger.warning("The cache of tokens cannot be read, so they are made anew: %s", error)
            return None
        return found

    def write(self, key: str, encodings: Sequence[Encoding]) -> None:
        """Keep an entry, if the disk and the bound on all entries allow it."""
        content = encoded(encodings)
        if len(content) > self._max_bytes:
            return
        try:
            handle, name = tempfile.mkstemp(prefix=".new-", dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._path(key))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            self._tidy()
        except OSError as error:
            logger.warning("Tokens cannot be kept in the cache: %s", error)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.tokens"

    def _tidy(self) -> None:
        entries: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process tidies as well
                about = path.stat()
                if path.suffix == ".tokens":
                    entries.append((about.st_mtime, about.st_size, path))
                elif path.name.startswith(".new-") and time.time() - about.st_mtime > _SECONDS_TO_WRITE:
                    path.unlink()
        size = sum(entry[1] for entry in entries)
        for _, bytes_, path in sorted(entries):
            if size <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            size -= bytes_


class KeptTokens:
    """An entry of a cache."""

    def __init__(self, cache: TokenCache, key: str) -> None:
        self._cache = cache
        self._key = key

    def read(self, requests: int) -> list[Encoding] | None:
        return self._cache.read(self._key, requests)

    def write(self, encodings: Sequence[Encoding]) -> None:
        self._cache.write(self._key, encodings)


def users_cache() -> TokenCache | None:
    """The user's; None where there can be none, or others could write to it."""
    folder = cache.folder("tokens")
    return None if folder is None else TokenCache(folder)


def key_of(requests_hash: str, tokenizer_hash: str, *, splits_special: bool) -> str:
    """`splits_special`: whether the names of special tokens in a text are taken for text."""
    told = [_FORM.decode(), *(version(program) for program in _PROGRAMS), requests_hash, tokenizer_hash, splits_special]
    return sha256(json.dumps(told).encode()).hexdigest()


def encoded(encodings: Sequence[Encoding]) -> bytes:
    """An entry's file; equal sequences are written once."""
    numbers: dict[bytes, int] = {}
    by_id: dict[int, int] = {}
    sequences: list[Tokens] = []
    which: list[int] = []
    for encoding in encodings:
        for part in encoding:
            number = by_id.get(id(part))
            if number is None:
                number = by_id[id(part)] = numbers.setdefault(part.tobytes(), len(sequences))
                if number == len(sequences):
                    sequences.append(part)
            which.append(number)
    arrays = (
        np.array([len(sequence) for sequence in sequences], np.int32),
        np.concatenate([np.empty(0, np.int32), *sequences]),
        np.array([len(encoding) for encoding in encodings], np.int32),
        np.array(which, np.int32),
    )
    counts = json.dumps([len(array) for array in arrays]).encode() + b"\n"
    body: bytes = pa.compress(b"".join(array.astype("<i4").tobytes() for array in arrays), _CODEC, asbytes=True)
    return _FORM + sha256(counts + body).digest() + counts + body


def decoded(content: bytes, requests: int) -> list[Encoding]:
    """What `encoded` was given, of so many requests.

    Raises:
        DamagedError: it is something else.
    """
    told = content[len(_FORM) + 32 :]
    if not content.startswith(_FORM) or sha256(told).digest() != content[len(_FORM) : len(_FORM) + 32]:
        raise DamagedError("the checksum differs")
    line, _, body = told.partition(b"\n")
    try:
        counts: Any = json.loads(line)
        if len(counts) != 4 or not all(isinstance(count, int) and count >= 0 for count in counts):
            raise DamagedError("no counts")
        plain = pa.decompress(body, 4 * sum(counts), _CODEC, asbytes=True)
        lengths, flat, parts, which = np.split(np.frombuffer(plain, "<i4").astype(np.int32), np.cumsum(counts)[:-1])
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:
        raise DamagedError(str(error)) from error
    if len(parts) != requests or any((array < 0).any() for array in (lengths, flat, parts, which)):
        raise DamagedError("of other requests")
    if lengths.sum(dtype=np.int64) != len(flat) or parts.sum(dtype=np.int64) != len(which):
        raise DamagedError("lengths that do not add up")
    if len(which) and which.max() >= len(lengths):
        raise DamagedError("a sequence that is not there")
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    sequences = [flat[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    chosen = iter([sequences[number] for number in which.tolist()])
    return [tuple(next(chosen) for _ in range(count)) for count in parts.tolist()]
