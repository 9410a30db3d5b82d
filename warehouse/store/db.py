"""Opening the DuckDB file: one process writes at a time, and a reader elsewhere blocks the writer.

So every connection here is short: open, do one thing, close. DuckDB's lock is a POSIX one that vanishes when the
same process opens and closes the file by other means: nothing in this program may open(), copy or hash the file.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import duckdb

from warehouse.commands import hint
from warehouse.errors import DatabaseBusyError, UserError
from warehouse.filenames import beside
from warehouse.store import confine, known, template

_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
_DAMAGED = re.compile(
    r"Could not read enough bytes|[Cc]orrupt|[Cc]hecksum|[Dd]eserializ|Failed to load metadata|replaying WAL"
)
_FULL = ("No space left on device", "Out of disk space", "Disk quota exceeded", "File too large")
# The last three are said of what an extension would read: SQLite's databases, for one.
_FOREIGN = (
    "not a valid DuckDB database file", "Loading external extensions is disabled", "requires the extension",
    "is an existing extension",
)  # fmt: skip
# A screen's chosen models have tens of runs among ten thousand: rows of others are then passed over as they are read.
_READING = MappingProxyType({"dynamic_or_filter_threshold": "5000"})
_PATIENCE = 2.0  # seconds in which a file that is just being written should come to rest
_SAME_PROCESS = (
    "different configuration than existing connections", "Unique file handle conflict",
    "when enable_external_access is disabled",  # it is open with a reach of its own
)  # fmt: skip


@contextmanager
def open_write(path: Path, *, wait: float = 0.0, reach: Sequence[Path] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file open for writing, with its schema up to date; created where missing.

    `wait` is how many seconds to go on trying while another process holds the file; `reach` are the folders whose
    files the connection may read and write beside it.

    Raises:
        DatabaseBusyError: another process holds it.
        UserError: not a DuckDB file, a damaged one, one from a newer prune-tui, or the disk refuses.
    """
    with mendable(path):
        if not path.exists():
            _create(path)
        con = connect(path, read_only=False, wait=wait, reach=reach)
        try:
            if not known.is_as_written(path):
                from warehouse.store import schema

                schema.update(con, path)
            yield con
            con.checkpoint()
            known.sign(path)
        finally:
            con.close()


@contextmanager
def open_read(
    path: Path,
    *,
    wait: float = 2.0,
    reach: Sequence[Path] = (),
    config: Mapping[str, str] = MappingProxyType({}),
    mend: bool = True,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file open for reading only, at this program's schema: an older file is first brought up to date, or, if it
    cannot be written and its tables have all that our views read, gets these for this connection.

    `reach` are the folders whose files the connection may read and write beside it, `config` more of DuckDB's
    settings; connections of one process have to agree in these. Without `mend` an older file that could be brought up
    to date is an error instead.

    Raises:
        DatabaseBusyError: another process holds it open for writing, or holds an older file that must be changed.
        UserError: no such file, not a DuckDB file, without prune-tui's tables, or from a newer prune-tui.
    """
    if not path.exists():
        raise UserError(
            f"There is no database {path} yet: a run creates it ({hint('demo', db=path)}), as does "
            f"{hint('import', 'published', db=path)}; --db names another file."
        )
    with mendable(path):
        con = connect(path, read_only=True, wait=wait, reach=reach, config={**_READING, **config})
        try:
            if not known.is_ours(path):
                from warehouse.store import schema

                found = schema.state(con, path)
                if found == "foreign":
                    raise UserError(f"{path} is a DuckDB file without prune-tui's tables: name another with --db.")
                if found in ("views", "outdated") and not _writable(path):
                    _define_for(con, path)
                elif found != "current":
                    if not mend:
                        raise UserError(f"{path} has to be brought up to date first.")
                    con.close()
                    with open_write(path, wait=wait):
                        pass
                    con = connect(path, read_only=True, wait=wait, reach=reach, config={**_READING, **config})
                    schema.standing(con, path)  # another process may have had it meanwhile
                else:
                    known.note(path)
            yield con
        finally:
            con.close()


def connect(
    path: Path,
    *,
    read_only: bool,
    wait: float,
    reach: Sequence[Path] = (),
    config: Mapping[str, str] = MappingProxyType({}),
) -> duckdb.DuckDBPyConnection:
    """A connection that reaches no other files than those of `reach`, tried for `wait` seconds while another process
    holds the file. The file is taken as it is.

    Raises:
        DatabaseBusyError: another process holds it.
        duckdb.Error: anything else that DuckDB objects to.
    """
    deadline = time.monotonic() + wait
    settled_by = max(deadline, time.monotonic() + _PATIENCE)
    pause = 0.005
    while True:
        _let_settle(path)
        before, began = _written(path), time.time_ns()
        try:
            # A whole path: DuckDB takes `md:results` for a database of MotherDuck's.
            con = duckdb.connect(path.absolute(), read_only=read_only, config={**confine.config(reach), **config})
            try:
                confine.confine(con, reach)
            except BaseException:
                con.close()
                raise
        except duckdb.Error as error:
            held = busy(path, str(error))
            if held is not None and time.monotonic() + pause > deadline:
                raise held from error
            if held is None and (_settled(path, before, began) or time.monotonic() > settled_by):
                raise
        else:
            if _settled(path, before, began):
                return con
            if not read_only:
                con.execute("pragma disable_checkpoint_on_shutdown")  # it may know an older state: write nothing
            con.close()
            if time.monotonic() > settled_by:
                raise DatabaseBusyError(f"{path} is being written all the time: try again later.")
        time.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, 0.25)


def _written(path: Path) -> tuple[int, int, int] | None:
    """When the file was last written, and what tells it from another of its name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _define_for(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raises:
    UserError: the tables are of an older schema, which has not all that our views read.
    """
    try:
        template.define_for(con)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise UserError(
            f"{path} is from an older prune-tui and cannot be written, so that its schema stays older: copy it to a "
            "folder that can be written, and name the copy with --db."
        ) from error


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _let_settle(path: Path) -> None:
    """Wait for the moment after a write to pass, for what is opened in it is not `_settled`, and opening costs more."""
    if (written := _written(path)) is not None:
        age = time.time_ns() - written[0]
        if abs(age) <= known.CLOCK_TICK:
            time.sleep((known.CLOCK_TICK - age) / 1e9)


def _settled(path: Path, before: tuple[int, int, int] | None, began: int) -> bool:
    """Whether nobody wrote to the file while it was opened.

    DuckDB reads the file's header before it takes the lock. Where another process wrote a new one in between, DuckDB
    works on a state that is gone: it would not see what was committed, and overwrite it.
    """
    return before is None or (before == _written(path) and abs(began - before[0]) > known.CLOCK_TICK)


def _create(path: Path) -> None:
    """Make the file under another name first, so that a kill never leaves half a database in its place."""
    new = beside(path, f"{os.getpid()}.new.wal").with_suffix("")  # its log's name must fit, too
    refuse_to_create(path)
    try:
        template.write(new)
        made = new.stat()
        with suppress(FileExistsError):
            publish(new, path)
    finally:
        new.unlink(missing_ok=True)
        new.with_name(f"{new.name}.wal").unlink(missing_ok=True)
    known.sign_made(path, made)


def refuse_to_create(path: Path) -> None:
    """Raises:
    UserError: no new database can be made there.
    """
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to create {path.name} in: make it, or choose another --db.")
    _refuse_stray_log(path)


def _refuse_stray_log(path: Path) -> None:
    """DuckDB would take the log of a file that is gone for the log of the new one."""
    log = path.with_name(f"{path.name}.wal")
    if log.exists():
        raise UserError(
            f"There is no {path}, but its log {log.name}: put the file back, or move the log away to start a new one."
        )


def publish(new: Path, path: Path) -> None:
    """Give a whole database its name.

    Raises:
        FileExistsError: somebody has taken it meanwhile.
    """
    try:
        path.hardlink_to(new)
    except FileExistsError:
        raise
    except OSError:  # a filesystem without hard links
        new.rename(path)


def busy(path: Path, message: str) -> DatabaseBusyError | None:
    """What DuckDB's message says of who holds the file, if that is what it is about."""
    if match := _HOLDER.search(message):
        holder = f"{Path(match['program']).name} (PID {match['pid']})"
        return DatabaseBusyError(f"{path} is held open by {holder}: close it there, or try again later.", holder)
    if "Could not set lock on file" in message:
        return DatabaseBusyError(f"{path} is held open by another process: close it there, or try again later.")
    if any(text in message for text in _SAME_PROCESS):
        return DatabaseBusyError(f"{path} is already open in this process.", f"this process (PID {os.getpid()})")
    return None


@contextmanager
def mendable(path: Path) -> Iterator[None]:
    """Turn what the user can mend into sentences; everything else stays what it is."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        message = str(error)
        if any(text in message for text in _FOREIGN):
            raise UserError(f"{path} is not a DuckDB database: name another file with --db.") from error
        if "version number" in message and "we can only read" in message:
            raise UserError(
                f"{path} was written by a newer DuckDB than this program's {duckdb.__version__}: upgrade duckdb."
            ) from error
        if any(text in message for text in _FULL):
            raise UserError(
                f"The disk of {path} is full: free some space, then run {hint('merge', db=path)}."
            ) from error
        if "Permission denied" in message or "Read-only file system" in message:
            raise UserError(f"{path} cannot be written: check its permissions, or choose another --db.") from error
        if "Is a directory" in message:
            raise UserError(f"{path} is a folder, not a database file: name a file with --db.") from error
        if "WAL does not match database file" in message:
            raise UserError(
                f"{path.name}.wal beside {path} is the log of another database: move it away, then try again."
            ) from error
        if isinstance(error, duckdb.Error) and _DAMAGED.search(message):
            raise UserError(
                f"{path} is damaged ({message.splitlines()[0]}). The runs' journals hold everything they recorded: "
                f"move {path.name} and, if there is one, {path.name}.wal elsewhere, then {hint('merge', db=path)} "
                "makes the database anew. What was imported has to be imported again."
            ) from error
        raise
