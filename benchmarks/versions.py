"""The tests with the newest, or the oldest, versions of everything that pyproject.toml allows; or today's, as a list.

    python benchmarks/versions.py newest|oldest [--keep NAME==VERSION]… [pytest's arguments]
    .venv/bin/python benchmarks/versions.py freeze > constraints.txt

`newest` and `oldest` make an environment of their own beside the repository's and run the fast tests in it. What is
kept at a version is neither: torch, where a machine has one build of it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"^([A-Za-z0-9._-]+)")
_OLDEST = re.compile(r"(?:>=|==)\s*([0-9][0-9A-Za-z.]*)")


def oldest(requirements: list[str], kept: set[str]) -> list[str]:
    """`name>=1.2,<2; marker` as the constraint `name==1.2; marker`, for all that is not among the names `kept`.

    Raises:
        ValueError: a requirement has no lower bound.
    """
    found = []
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        name, version = _NAME.match(wanted), _OLDEST.search(wanted)
        if name is None or version is None:
            raise ValueError(f"{requirement!r} in pyproject.toml has no lower bound: give it one.")
        if name[1] not in kept:
            found.append(f"{name[1]}=={version[1]}" + (f"; {marker.strip()}" if marker else ""))
    return found


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["test"]]


def frozen() -> list[str]:
    """What is installed here, as constraints; torch without the build that this machine chose."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--exclude-editable"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [re.sub(r"\+\w+$", "", line) for line in listed if "==" in line]


def try_out(which: str, keep: list[str], arguments: list[str]) -> int:
    folder = ROOT / f".venv-{which}"
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    bounds = [] if which == "newest" else oldest(requirements(), {_name(kept) for kept in keep})
    constraints = folder / f"{which}.txt"
    constraints.write_text("".join(f"{line}\n" for line in [*keep, *bounds]), encoding="utf-8")
    environment = os.environ | {"PIP_CONSTRAINT": str(constraints)}
    install = [folder / "bin/pip", "install", "--quiet", "--upgrade", "-e", f"{ROOT}[test]"]
    subprocess.run(install, env=environment, check=True)
    subprocess.run([folder / "bin/pip", "freeze", "--exclude-editable"], check=True)
    return subprocess.run([folder / "bin/pytest", *arguments], cwd=ROOT).returncode


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    if found is None:
        raise SystemExit(f"--keep takes NAME==VERSION, not {requirement!r}.")
    return found[1]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("which", choices=["newest", "oldest", "freeze"])
    words.add_argument("--keep", action="append", default=[], metavar="NAME==VERSION")
    chosen, arguments = words.parse_known_args()
    if chosen.which == "freeze":
        print("# What main was last seen to work with; `make constraints` writes it. .ci/run installs these.")
        print("\n".join(frozen()))
        return 0
    return try_out(chosen.which, chosen.keep, arguments)


if __name__ == "__main__":
    sys.exit(main())
