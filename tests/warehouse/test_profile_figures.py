"""profile_figures: rounds put together, and the study's carbon files beside our own profiles."""

from __future__ import annotations

import pytest

from warehouse.exporters.bundle import write_bundle
from warehouse.importers.bundle import import_bundle
from warehouse.merging.remake import remake
from warehouse.records.measurements import MachineFacts
from warehouse.store import accounts, db

FIGURES = (
    "select pruning_pct, method, mean, half_width, drift_pct, rounds, note from profile_figures order by pruning_pct"
)

MACHINE = dict.fromkeys(MachineFacts.__dataclass_fields__)


def row(number: int, mean: float | None, **about):
    told = {"workload": "w", "batch_size": 1, "quantity": "time_per_output_token", "unit": "ms", "mean": mean,
            "engine": "ours", "mode": "graphs", "width": "exact", "phase": "decode", "round": number}  # fmt: skip
    return told | about


def test_rounds_are_averaged_and_their_drift_is_told(new_run, merged, ask):
    run = new_run("r1")
    run.start()
    for number, mean in ((1, 9.0), (2, 11.0)):
        run.line("measured", level="40", measurements=[row(number, mean, half_width=0.3)])
    merged(run)
    [found] = ask(FIGURES)
    assert found[:3] == (40.0, "maw", 10.0)
    assert found[3] == pytest.approx((2 * 0.3**2) ** 0.5 / 2)
    assert found[4:] == (20.0, 2, None)


def test_a_round_that_is_missing_is_left_out_and_its_reason_stays(new_run, merged, ask):
    run = new_run("r1")
    run.start()
    run.line("measured", level="0", measurements=[row(1, None, note="no room"), row(2, 8.0, half_width=0.1)])
    run.line("measured", level="20", measurements=[row(1, None, note="no room")])
    merged(run)
    assert ask(FIGURES) == [
        (0.0, "none", 8.0, pytest.approx(0.1), None, 1, "no room"), (20.0, "maw", None, None, None, 0, "no room"),
    ]  # fmt: skip


def test_what_was_said_of_the_rounds_is_told_once_each(new_run, merged, ask):
    run = new_run("r1")
    run.start()
    notes = ("throttled", "no room", "no room")
    rounds = [row(at, 8.0, note=note) for at, note in enumerate(notes, 1)]
    run.line("measured", level="0", measurements=rounds)
    merged(run)
    assert ask("select note from profile_figures") == [("no room; throttled",)]


def test_the_last_profile_on_a_machine_counts(new_run, merged, ask):
    for name, device, mean, t in (("r1", "A", 9.0, 0), ("r2", "A", 7.0, 10), ("r3", "B", 5.0, 5)):
        run = new_run(name)
        run.start(t=t)
        run.line("machine", t, **MACHINE | {"device": device})
        run.line("measured", t, level="40", measurements=[row(1, mean)])
        merged(run)
    assert ask("select device, mean, run_id from profile_figures order by device") == [
        ("A", 7.0, "r2"),
        ("B", 5.0, "r3"),
    ]


@pytest.fixture
def profiled(new_run, merged, database):
    run = new_run("r1")
    run.start()
    run.cell("40", "piqa", 0.5)
    run.line("machine", **MACHINE | {"device": "NVIDIA Card", "energy_missing": "no driver", "copy_rate": 4e12})
    run.line("measured", level="40", measurements=[row(1, None, note="no room"), row(2, 8.0, half_width=0.1, p99=9.0)])
    merged(run)
    return database


EVERYTHING = ("select * exclude recorded_at from measurements", "select * exclude recorded_at from machines")


def test_a_bundle_carries_figures_and_machine(profiled, ask, tmp_path):
    write_bundle(profiled, tmp_path / "profile.zip")
    import_bundle(tmp_path / "other.duckdb", tmp_path / "profile.zip")
    with db.open_read(tmp_path / "other.duckdb") as con:
        assert [con.execute(text).fetchall() for text in EVERYTHING] == [ask(text) for text in EVERYTHING]


@pytest.mark.slow
def test_a_changed_figure_is_noticed_and_a_file_made_anew_has_it(profiled, ask):
    before = [ask(text) for text in EVERYTHING]
    with db.open_write(profiled) as con:
        con.execute("update measurements set note = 'much room' where mean is null")
        con.execute("update machines set copy_rate = 5e12")
        assert accounts.altered(con, profiled.with_suffix(".runs")) == {
            "r1": "values of 2 events (an event machine, an event measured) were changed"
        }
    remake(profiled, profiled.with_suffix(".runs"))
    assert [ask(text) for text in EVERYTHING] == before
