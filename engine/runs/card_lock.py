"""One worker at a time on a GPU: a lock for each card, which the kernel frees whichever way its holder ends.

The locks lie in the user's cache folder, so that they hold for all databases. Another user's work is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.errors import RunBusyError
from engine.runs import runlock
from warehouse.store import cache


@contextmanager
def card_held(uuid: str, say: Callable[[str], object], check: Callable[[], object]) -> Iterator[None]:
    """Hold a card for as long as the block lasts; while another worker has it, wait.

    `say` is told once that it has to wait, or that there is no place for a lock; `check` may end the waiting by an
    exception of its own.
    """
    if (path := _path(uuid)) is None:
        say("There is no cache folder to keep a lock for the GPU in: whether another run works on it is not known.")
        yield
        return
    with ExitStack() as stack:
        waits = False
        while True:
            check()
            try:
                stack.enter_context(runlock.hold(path))
                break
            except RunBusyError:  # after a second
                if not waits:
                    say(f"This run waits for its GPU, which {runlock.holder(path) or 'another run'} works on.")
                waits = True
        yield


def _path(uuid: str) -> Path | None:
    folder = cache.folder("cards")
    return None if folder is None else folder / f"{uuid}.lock"
