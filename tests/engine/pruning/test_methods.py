"""A method that another package brings prunes as ours do, and docs/extending.md shows how one is written."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from method_package import METHOD, write_package
from transformers import PreTrainedModel

from engine.planning.methods import GROUP, find_method
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.pruning.checkpoint import prune
from engine.pruning.glu import find_glu_mlps
from engine.pruning.importance import load_method
from engine.pruning.ladder import Ladder
from engine.pruning.layer import MlpLayer
from engine.runs import launch
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.events import Attempt, of_kind
from warehouse.records.facts import CellFacts, VariantFacts
from warehouse.records.level import parse_levels

PAGE = (Path(__file__).parents[3] / "docs" / "extending.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## A pruning method\n")[2].partition("\n## ")[0]


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "brings_firsts", raising=False)
    return folder


def test_a_method_of_another_package_prunes(beside: Path, make_model: Callable[..., PreTrainedModel]):
    write_package(beside)
    model = make_model("llama")
    first = find_glu_mlps(model)[0].gate_and_up[0][:30].clone()
    assert Ladder(make_model("llama"), method="firsts", seed=0).kept(1, 30).tolist() == list(range(30))
    prune(model, 30, method="firsts", seed=0)
    assert torch.equal(find_glu_mlps(model)[0].gate_and_up[0], first)


def test_the_page_adds_a_method_as_it_says(beside: Path):
    [code] = re.findall(r"^```python\n(.*?)^```", SECTION, re.M | re.S)
    [declared] = re.findall(r"^```toml\n(.*?)^```", SECTION, re.M | re.S)
    [(name, module)] = tomllib.loads(declared)["project"]["entry-points"][GROUP].items()
    write_package(beside, code, method=name)
    (beside / f"brings_{name}.py").rename(beside / f"{module}.py")
    entries = next(beside.glob("*.dist-info")) / "entry_points.txt"
    entries.write_text(f"[{GROUP}]\n{name} = {module}\n")
    assert find_method(name).declared.title == "L2 norm of gate weights"
    assert find_method(name).declared.citation == "A. Author, *A paper*, 2026"

    gate = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    layer = MlpLayer(index=0, gate=gate, up=gate, down=gate, seed=0)
    assert load_method(name)(layer).tolist() == [5.0, 1.0]


@pytest.mark.slow
@pytest.mark.real_process
def test_a_worker_prunes_with_a_method_of_another_package(beside: Path, tmp_path: Path, monkeypatch):
    write_package(beside, METHOD)
    monkeypatch.setenv("PYTHONPATH", str(beside))
    plan = RunPlan(
        name="p",
        model="demo",
        levels=tuple(parse_levels("40")),
        tasks=(TaskSpec("demo_story"),),
        method="firsts",
        limit=2,
    )
    run = RunDir.create(runs_root(tmp_path / "results.duckdb"), plan, tmp_path / "results.duckdb")
    assert launch.start(run).wait(timeout=300) == launch.FINISHED, "\n".join(launch.log_tail(run))
    assert [cell.task for cell in of_kind(run.events(), CellFacts)] == ["demo_story"]
    assert [width.method for width in of_kind(run.events(), VariantFacts)] == ["firsts"]
    made = of_kind(run.events(), Attempt)[0].provenance
    assert made is not None
    assert made["versions"]["prune-firsts"] == "1.0"
