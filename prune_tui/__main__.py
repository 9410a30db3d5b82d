"""`python -m prune_tui` is `prune-tui`."""

from __future__ import annotations

from typing import NoReturn

from prune_tui import ours


def main() -> NoReturn:
    ours.come_first()
    from tui.cli import main

    main()


if __name__ == "__main__":
    main()
