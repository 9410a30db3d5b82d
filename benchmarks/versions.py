"""The tests with the newest, or the oldest, versions of everything that pyproject.toml allows; or today's, as a list.

    python benchmarks/versions.py newest|oldest [pytest's arguments]
    .venv/bin/python benchmarks/versions.py freeze > constraints.txt

`newest` and `oldest` make an environment of their own beside the repository's and run the fast tests in it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"^([A-Za-z0-9._-]+)")
_OLDEST = re.compile(r"(?:>=|==)\s*([0-9][0-9A-Za-z.]*)")


def oldest(requirements: list[str]) -> list[str]:
    """`name>=1.2,<2; marker` as the constraint `name==1.2; marker`.

    Raises:
        ValueError: a requirement has no lower bound.
    """
    found = []
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        name, version = _NAME.match(wanted), _OLDEST.search(wanted)
        if name is None or version is None:
            raise ValueError(f"{requirement!r} in pyproject.toml has no lower bound: give it one.")
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


def try_out(which: str, arguments: list[str]) -> int:
    folder = ROOT / f".venv-{which}"
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    if which == "oldest":
        constraints = folder / "oldest.txt"
        constraints.write_text("\n".join(oldest(requirements())) + "\n", encoding="utf-8")
        environment["PIP_CONSTRAINT"] = str(constraints)
    install = [folder / "bin/pip", "install", "--quiet", "--upgrade", "-e", f"{ROOT}[test]"]
    subprocess.run(install, env=environment, check=True)
    return subprocess.run([folder / "bin/pytest", *arguments], cwd=ROOT, env=environment).returncode


def main() -> int:
    match sys.argv[1:]:
        case ["freeze"]:
            print("# What main was last seen to work with; `make constraints` writes it. .ci/run installs these.")
            print("\n".join(frozen()))
            return 0
        case ["newest" | "oldest" as which, *arguments]:
            return try_out(which, arguments)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
