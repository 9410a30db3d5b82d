"""What can go wrong that the user can mend."""


class UserError(Exception):
    """One sentence for the user: what is wrong and what to do. Shown without a traceback, exit code 2."""


class DatabaseBusyError(UserError):
    """Another process holds the DuckDB file; `holder` names it when DuckDB says who it is."""

    def __init__(self, message: str, holder: str | None = None) -> None:
        super().__init__(message)
        self.holder = holder
