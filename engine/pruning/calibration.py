"""The text that neurons are looked at on, as token ids, and the file in which a run keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError

PADDING = -1
FILE_NAME = "calibration.npz"


@dataclass(frozen=True)
class Calibration:
    """Token ids of calibration text.

    Attributes:
        tokens: int32 [sequences, length]; shorter sequences end in `PADDING`.
        source: self, task:NAME or a file's path.
        seed: the one that text of the model's own was drawn with, None where nothing was drawn.
    """

    tokens: NDArray[np.int32]
    source: str
    seed: int | None

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]], *, source: str, seed: int | None) -> Calibration:
        """Sequences of any lengths above zero."""
        tokens = np.full((len(sequences), max(map(len, sequences))), PADDING, dtype=np.int32)
        for row, sequence in zip(tokens, sequences, strict=True):
            row[: len(sequence)] = sequence
        return cls(tokens, source, seed)

    @property
    def count(self) -> int:
        """Tokens, padding not counted."""
        return int((self.tokens != PADDING).sum())

    @property
    def length(self) -> int:
        """Tokens of the longest sequence."""
        return self.tokens.shape[1]

    @cached_property
    def hash(self) -> str:
        """sha256 of the tokens and of how they are cut into sequences."""
        digest = sha256(f"{self.tokens.shape}".encode())
        digest.update(np.ascontiguousarray(self.tokens, dtype="<i4").tobytes())
        return digest.hexdigest()

    def save(self, folder: Path, name: str = FILE_NAME) -> Path:
        """Writes the file `name` into `folder`, complete or not at all.

        Raises:
            OSError: the folder cannot be written or the disk is full.
        """
        path = folder / name
        partial = folder / f".{name}.partial"
        with partial.open("wb") as file:
            np.savez_compressed(file, tokens=self.tokens)
        partial.replace(path)
        return path

    @classmethod
    def load(cls, path: Path, *, source: str, seed: int | None, hash: str) -> Calibration:  # noqa: A002
        """Raises:
        UserError: the file is not there, cannot be read, or holds other tokens than those of `hash`.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                found = cls(held["tokens"], source, seed)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise UserError(
                f"{path} is missing or damaged, and with it text that the run was begun on: start a new run."
            ) from error
        if found.hash != hash:
            raise UserError(f"{path} holds another text than the run began with: start a new run.")
        return found
