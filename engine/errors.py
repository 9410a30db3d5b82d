"""What can go wrong that the user can mend.

A `UserError` is one sentence that says what is wrong and what to do about it. The command line prints it
without a traceback and exits with 2; anything else is a defect of ours and keeps its traceback.
"""

from warehouse.errors import UserError

__all__ = ["RunBusyError", "UserError"]


class RunBusyError(UserError):
    """Another process is already working on this run."""
