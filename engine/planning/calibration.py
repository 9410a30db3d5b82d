"""Which text a method or a repair is calibrated on, as a plan names it; the text itself is read by the worker."""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError

REPAIRS = ("none", "lsq")
DEFAULT_CALIBRATION = "self"
_TASK = "task:"
_GLANCE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class CalibrationSource:
    """`self`, text that the unpruned model writes itself; `task:NAME`, a task's training split; else a text file."""

    text: str

    @property
    def is_self(self) -> bool:
        return self.text == DEFAULT_CALIBRATION

    @property
    def task(self) -> str | None:
        return self.text.removeprefix(_TASK) if self.text.startswith(_TASK) else None

    @property
    def file(self) -> Path | None:
        return None if self.is_self or self.task is not None else Path(self.text)

    @classmethod
    def parse(cls, text: str) -> CalibrationSource:
        """Raises:
        UserError: neither of the three.
        """
        if not text.strip() or text == _TASK:
            raise UserError("No calibration text was named: give self, a text file, or task:NAME.")
        return cls(text)

    def check(self) -> None:
        """Before a run is made of it: is the file there, and has it text?

        Raises:
            UserError: it is not there, cannot be read, or is empty or no text.
        """
        if self.file is None:
            return
        path = self.file.expanduser()
        try:
            with path.open("rb") as file:
                beginning = file.read(_GLANCE)
            text = getincrementaldecoder("utf-8")().decode(beginning, final=len(beginning) < _GLANCE)
        except FileNotFoundError as error:
            raise UserError(
                f"There is no calibration text {path}: give self, a text file, or task:NAME (its training split)."
            ) from error
        except OSError as error:
            raise UserError(f"The calibration text {path} cannot be read ({error.strerror}).") from error
        except UnicodeDecodeError as error:
            raise UserError(f"The calibration text {path} is no UTF-8 text: give one that is.") from error
        if not text.strip():
            raise UserError(f"The calibration text {path} is empty: give one with text in it.")

    def resolved(self, base: Path) -> CalibrationSource:
        """With a file's path made absolute, since a resumed run may start elsewhere."""
        return self if self.file is None else CalibrationSource(str((base / self.file.expanduser()).resolve()))
