"""What `--json` prints is what docs/json.md says, field by field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cases import one_in
from template import copied

PAGE = Path(__file__).resolve().parents[3] / "docs" / "json.md"
DOCUMENTED: dict[str, Any] = {
    name: json.loads(shape)
    for name, shape in re.findall(r"^## `prune-tui (.+?)`$.*?^```json\n(.*?)^```", PAGE.read_text(), re.M | re.S)
}
RUN = ("run", "org/tiny", "--levels", "0,40", "--tasks", "piqa,boolq", "--name")


def faults(shape: Any, value: Any, at: str = "it") -> list[str]:
    """Where a value is not of a shape of the page."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{at} is no object"]
        if set(shape) != set(value):
            return [f"{at} differs in {sorted(set(shape) ^ set(value))}"]
        return [fault for name in shape for fault in faults(shape[name], value[name], f"{at}.{name}")]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{at} is no list"]
        return [fault for i, one in enumerate(value) for fault in faults(shape[0], one, f"{at}[{i}]")]
    return [] if any(is_of(kind, value) for kind in shape.split(" or ")) else [f"{at} is {value!r}, not {shape}"]


def is_of(kind: str, value: Any) -> bool:
    match kind:
        case "anything":
            return True
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return (isinstance(value, int | float) and not isinstance(value, bool)) or value in ("NaN", "Infinity")
        case "text":
            return isinstance(value, str)
        case "object":
            return isinstance(value, dict)
    raise ValueError(f"{kind} is no type of the page")


def hold(name: str, printed: str) -> None:
    assert faults(DOCUMENTED[name], json.loads(printed)) == []


def test_a_fault_is_seen():
    assert faults({"a": ["number or null"]}, {"a": [1, None]}) == []
    assert faults({"a": ["number"]}, {"a": [1, "x"]}) == ["it.a[1] is 'x', not number"]
    assert faults({"a": "text"}, {"a": "x", "b": 1}) == ["it differs in ['b']"]


OF_THE_STUDY = {
    "runs --json": ["runs"],
    "show RUN --json": ["show", "latest"],
    "models --json": ["models"],
    "check --json": ["check"],
    "choose MODEL --json": ["choose", "Llama-3.2-1B"],
    "suites --json": ["suites"],
    "views --json": ["views"],
    "schema --json": ["schema"],
    "schema NAME --json": ["schema", "runs"],
    "config --json": ["config"],
    "rules --json": ["rules"],
    "rules show NAME --json": ["rules", "show", "study"],
    "why MODEL LEVEL TASK --json": ["why", "Llama-3.2-1B", "40", "mmlu"],
    "import … --json": ["import", "published"],
}


@pytest.mark.parametrize("name", one_in(2, OF_THE_STUDY))
def test_a_command_prints_what_the_page_says(shell, study: Path, name: str):
    copied(study, shell.cwd / "results.duckdb")
    hold(name, shell(*OF_THE_STUDY[name], "--json").stdout)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "command"), [("claims --json", "claims"), ("doctor --json", "doctor")])
def test_so_do_those_that_take_longer(shell, study: Path, name: str, command: str):
    copied(study, shell.cwd / "results.duckdb")
    hold(name, shell(command, "--json").stdout)


@pytest.mark.slow
def test_runs_print_what_the_page_says(fake):
    hold("run MODEL… --json", fake(*RUN, "fail", "--json").stdout)
    hold("runs --json", fake("runs", "--json").stdout)
    hold("show RUN --json", fake("show", "fail", "--json").stdout)
    assert fake(*RUN, "fine").returncode == 0
    hold("diff RUN_A RUN_B --json", fake("diff", "fail", "fine", "--json").stdout)


def test_every_command_of_the_page_is_held_to_it():
    others = {"run MODEL… --json", "diff RUN_A RUN_B --json", "claims --json", "doctor --json", "tasks --json"}
    assert set(DOCUMENTED) == {*OF_THE_STUDY, *others}
