from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from warehouse.importers import batch, import_published
from warehouse.importers.published import _runs as runs_of_the_study
from warehouse.importers.published import hub_name
from warehouse.store import db

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("published") / "results.duckdb"
    import_published(path)
    return path


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("published_deltas", ROOT / "benchmarks" / "published_deltas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ask(published):
    def rows(sql: str) -> list[tuple]:
        with db.open_read(published) as con:
            return con.execute(sql).fetchall()

    return rows


@pytest.mark.slow
def test_what_is_stored_at_once_is_what_is_stored_run_by_run(published, tmp_path):
    one_by_one = tmp_path / "one_by_one.duckdb"
    for run in runs_of_the_study():
        with db.open_write(one_by_one) as con:
            batch.store(con, [run])
    assert tables(one_by_one) == tables(published)


def tables(path: Path) -> dict[str, list[tuple]]:
    """All rows, but for when they were stored, and numbers that say only which came first."""
    with db.open_read(path) as con:
        names = con.execute("select table_name from duckdb_tables() where not internal").fetchall()
        clock = {"merged_events": "exclude (merged_at)", "schema_migrations": "exclude (applied_at)"}
        return {
            name: con.execute(f"select * {clock.get(name, '')} from {name} order by all").fetchall()
            for (name,) in names
        }


@pytest.mark.slow
def test_of_the_studys_156_printed_changes_all_but_15_come_out(published, script):
    cells, differences = script.compare(published)
    assert cells == 156
    assert [(d.model[-2:], d.pruning_pct, d.benchmark) for d in differences if d.kind == "metric"] == [
        ("3B", pct, "PiQA") for pct in (10, 20, 30, 40, 50, 60)
    ]
    assert [(d.model[-2:], d.pruning_pct, d.benchmark) for d in differences if d.kind == "rounded"] == [
        ("3B", pct, "WikiText PPL") for pct in (10, 20, 30, 40)
    ]
    assert [(d.model[-2:], d.pruning_pct, d.benchmark) for d in differences if d.kind == "twice"] == [
        ("1B", 20, "BoolQ"), ("3B", 60, "WinoGrande"),
    ]  # fmt: skip
    assert [(d.model[-2:], d.pruning_pct, d.benchmark) for d in differences if d.kind == "slip"] == [
        ("1B", 50, "PiQA"), ("3B", 40, "MMLU"), ("3B", 50, "WikiText PPL"),
    ]  # fmt: skip
    assert len(differences) == 15


@pytest.mark.slow
def test_the_page_on_the_differences_is_current(published, script):
    assert (ROOT / "docs/evidence/published-deltas.md").read_text(encoding="utf-8") == script.document(published)


def test_the_view_has_the_156_cells(ask):
    counted = ask(
        "select model, count(*) from baseline_deltas where is_headline and delta_pct is not null group by 1 order by 1"
    )
    assert counted == [
        ("meta-llama/Llama-3.2-1B", 78), ("meta-llama/Llama-3.2-1B-Instruct", 21), ("meta-llama/Llama-3.2-3B", 78),
    ]  # fmt: skip


def test_importing_again_changes_nothing(published, ask):
    before = ask("select count(*) from metrics")
    report = import_published(published)
    assert report.imported == ()
    assert len(report.known) == 5
    assert ask("select count(*) from metrics") == before


def test_the_source_and_licence_are_with_the_figures(ask):
    ((source,),) = ask("select distinct plan->>'source' from runs")
    assert "Pere Martra" in source
    assert "2512.22671" in source
    assert "MIT" in source


def test_exact_widths_and_parameters_of_the_fifteen_models(ask):
    rows = ask(
        "select distinct m.model, v.pruning_pct, v.intermediate_size, v.parameters "
        "from variants v join models m using (run_id) where v.pruning_pct > 0 order by all"
    )
    assert len(rows) == 15
    assert rows[:6] == [
        ("meta-llama/Llama-3.2-1B", 10.0, 7373, 1_155_303_424),
        ("meta-llama/Llama-3.2-1B", 20.0, 6554, 1_074_792_448),
        ("meta-llama/Llama-3.2-1B", 30.0, 5735, 994_281_472),
        ("meta-llama/Llama-3.2-1B", 40.0, 4916, 913_770_496),
        ("meta-llama/Llama-3.2-1B", 50.0, 4096, 833_161_216),
        ("meta-llama/Llama-3.2-1B", 60.0, 3277, 752_650_240),
    ]


def test_what_improves_at_every_level(ask):
    rows = ask("select model, list(benchmark order by position) from consistent_improvements group by 1 order by 1")
    assert rows == [
        ("meta-llama/Llama-3.2-1B", ["IFEval", "MuSR", "TruthfulQA-MC1", "TruthfulQA-MC2"]),
        ("meta-llama/Llama-3.2-1B-Instruct", ["MuSR"]),
        ("meta-llama/Llama-3.2-3B", ["IFEval"]),
    ]


def test_the_models_meet_at_two_expansion_ratios(ask):
    """1B at 40 % and 3B at 10 % have 2.4 neurons a hidden unit, 1B at 60 % and 3B at 40 % have 1.6."""
    rows = ask(
        "select distinct basis_value, smaller_pruning_pct, larger_pruning_pct from size_comparison "
        "where basis = 'expansion ratio' and smaller like '%-1B' and larger like '%-3B' order by all"
    )
    assert rows == [(1.6, 60.0, 40.0), (2.4, 40.0, 10.0)]


def test_speed_and_energy(ask):
    ((rate,),) = ask(
        "select mean from measurements m join models using (run_id) where model = 'meta-llama/Llama-3.2-1B' "
        "and level = '40' and workload = 'hellaswag_throughput_b8' and quantity = 'throughput'"
    )
    assert 200 < rate < 400
    assert ask("select quantity, unit, count(*) from measurements group by all order by all") == [
        ("energy_kwh", "kWh", 84), ("joules_per_token", "J/token", 84), ("new_tokens", "tokens", 84),
        ("throughput", "tokens/s", 84), ("ttlt", "ms", 42), ("weights", "bytes", 84),
    ]  # fmt: skip
    [(quirk,)] = ask("select distinct note from measurements where quantity in ('ttlt', 'energy_kwh')")
    assert quirk.startswith("counts whatever number of tokens the level wrote before it stopped")
    assert ask("select distinct device from machines") == [("NVIDIA L4",)]


@pytest.mark.parametrize("name", ["Llama-3.2-1B", "meta-llama/Llama-3.2-1B"])
def test_a_model_of_the_study_goes_by_its_name_on_the_hub(name):
    assert hub_name(name) == "meta-llama/Llama-3.2-1B"
