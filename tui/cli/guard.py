"""From an exception to a sentence and an exit code.

0: done. 1: some cells failed, a worker died, or a defect of ours. 2: something the user can mend.
130: stopped by the user.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence

import typer

from engine import settings
from engine.errors import UserError
from warehouse.text import one_line

_tracebacks = False


def show_tracebacks() -> None:
    """From now on, show the traceback of an error that has a sentence as well."""
    global _tracebacks
    _tracebacks = True


def guarded(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; every error is reported on standard error."""
    try:
        settings.apply()
        code = app(args=list(arguments), prog_name="prune-tui", standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f" See `{context.command_path} --help`." if context else ""
        return _complain(error.format_message() + hint, error.exit_code)
    except UserError as error:
        return _complain(str(error), 2)
    except (typer.Abort, KeyboardInterrupt):
        return _complain("Stopped.", 130)
    except OSError as error:
        sentence = _sentence(error)
        if sentence is None:
            return _defect()
        return _complain(sentence, 2)
    except Exception:
        return _defect()
    return code if isinstance(code, int) else 0


def _complain(sentence: str, code: int) -> int:
    if _tracebacks:
        traceback.print_exc()
    print(f"prune-tui: {one_line(sentence)}", file=sys.stderr)
    return code


def _defect() -> int:
    traceback.print_exc()
    print("prune-tui: this is a defect of prune-tui: please report it, with the lines above.", file=sys.stderr)
    return 1


def _sentence(error: OSError) -> str | None:
    name = error.filename or "the file"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return (
                "The disk is full: free some space and try again. A run that was cut short is kept, and can be resumed."
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"No permission for {name}: change the folder's permissions, or choose another place."
        case errno.ENOENT:
            return f"There is no file {name}: check the path."
        case errno.EISDIR:
            return f"{name} is a folder, where a file is needed."
        case errno.ENOTDIR:
            return f"A part of the path {name} is a file, where a folder is needed."
        case errno.EEXIST:
            return f"{name} exists already: choose another name."
        case errno.ELOOP:
            return f"{name} is a link that leads nowhere but to itself: choose another name."
        case errno.ENAMETOOLONG:
            return "The file name is too long: choose a shorter one."
    return None
