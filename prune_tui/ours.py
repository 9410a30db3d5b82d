"""Our packages, found where ours lie, whatever else on the path has their names.

`tui`, `engine` and `warehouse` are common words. The wheel keeps them inside this package, where no other distribution
writes; in the repository, and so in an editable install, they lie beside it. Only these three names are looked up
here: everything else is found as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

NAMES = frozenset({"tui", "engine", "warehouse"})
_HERE = Path(__file__).resolve().parent
FOLDER = _HERE if (_HERE / "engine").is_dir() else _HERE.parent


class OurPackages:  # not of importlib.abc, which a command would wait for
    """Finds the packages of `NAMES` in `FOLDER`; their modules follow from where they lie."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [str(FOLDER)], target) if fullname in NAMES else None


def come_first() -> None:
    """From now on, in this process, these names mean our packages.

    Raises:
        ImportError: one of them has been imported already, and was another's.
    """
    if any(isinstance(finder, OurPackages) for finder in sys.meta_path):
        return
    for name in sorted(NAMES & sys.modules.keys()):
        origin = getattr(sys.modules[name].__spec__, "origin", None)
        if origin is None or Path(origin).resolve() != FOLDER / name / "__init__.py":
            raise ImportError(
                f"Another package '{name}' ({origin}) was imported before, and prune-tui has one of that name: import "
                "from prune_tui first, or keep the two in processes of their own."
            )
    sys.meta_path.insert(0, OurPackages())
