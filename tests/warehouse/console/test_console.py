from __future__ import annotations

import csv
import hashlib
import io
import json
import pickle
import subprocess
import sys
import threading
from datetime import UTC, datetime

import duckdb
import pytest
from cases import one_in

from warehouse.console import console, waiting
from warehouse.console.console import format_table, run_sql
from warehouse.console.waiting import Waiting
from warehouse.errors import DatabaseBusyError, UserError
from warehouse.exporters.tables import Table
from warehouse.store import db


@pytest.fixture
def filled(new_run, merged, database):
    run = new_run("r1")
    run.start()
    run.cell("0", "piqa", 0.5)
    merged(run)
    return database


def test_a_query_returns_columns_types_and_rows(filled):
    table = run_sql(filled, "select task, value, n from metrics")
    assert table == Table(["task", "value", "n"], ["VARCHAR", "DOUBLE", "BIGINT"], [("piqa", 0.5, 10)])


def test_a_row_limit_leaves_the_rest_and_says_so(filled):
    table = run_sql(filled, "select * from range(1000000000000)", row_limit=2)
    assert table.rows == [(0,), (1,)]
    assert table.truncated
    assert not run_sql(filled, "select * from range(2)", row_limit=2).truncated


def test_what_people_ask_is_answered(filled):
    for sql in (
        "select now() - now() = interval 0 second", "select current_timestamp, to_timestamp(0)",
        "/* why? */ explain select 1", "/* a */ -- b\n pivot runs on origin",
        "describe metrics", "show tables", "summarize metrics", "from runs",
    ):  # fmt: skip
        assert run_sql(filled, sql).rows


def test_a_query_that_could_be_cancelled_and_is_not_takes_its_time(filled, monkeypatch):
    monkeypatch.setattr(console, "_NOTICE", 0.001)
    assert run_sql(filled, "select 1", cancel=threading.Event()).rows == [(1,)]


def test_a_query_longer_than_a_pipe_holds_is_heard_to_its_end_however_often_it_is_looked_after(filled, monkeypatch):
    monkeypatch.setattr(console, "_NOTICE", 0.001)
    long = f"select 1 /* {'x' * 200_000} */"
    assert run_sql(filled, long, cancel=threading.Event()).rows == [(1,)]


def test_a_time_with_a_zone_is_that_moment(filled):
    ((value,),) = run_sql(filled, "select timestamptz '2026-01-01 12:00:00+00'").rows
    assert value == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_comment_in_a_comment_hides_nothing(filled, tmp_path):
    out = tmp_path / "out.csv"
    for sql in (
        f"/* /* */ select */ copy (pivot runs on origin) to '{out}'",
        f"/* /* */ explain select 1 */ explain analyze copy (select 1) to '{out}'",
    ):
        with pytest.raises(UserError):
            run_sql(filled, sql)
    assert not out.exists()


REFUSED = [
    "drop table metrics",
    "delete from metrics",
    "insert into runs (run_id) values ('x')",
    "update metrics set value = 1",
    "create table mine (x int)",
    "create view mine as select 1",
    "alter table runs add column x int",
    "copy metrics to '{folder}/out.csv'",
    "copy (select 1) to '/dev/stdout'",
    "export database '{folder}/out'",
    "from '{folder}/secret.csv'",
    "from read_csv('{folder}/secret.csv')",
    "from read_text('{folder}/*')",
    "from read_blob('/etc/passwd')",
    "from read_json('{folder}/secret.csv')",
    "from read_parquet('{folder}/x.parquet')",
    "from glob('{folder}/*')",
    "from sniff_csv('{folder}/secret.csv')",
    "attach '{folder}/other.duckdb'",
    "attach ':memory:' as m",
    "attach '{folder}/results.duckdb' as again (read_write)",
    "install httpfs",
    "load httpfs",
    "set threads = 1",
    "set memory_limit = '100GB'",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "reset threads",
    "set log_query_path = '{folder}/log'",
    "pragma enable_profiling = 'json'",
    "call enable_logging(storage = 'file', storage_path = '{folder}/log')",
    "select 1; drop table metrics",
    "select 1; select 2",
    "from request",
    "from sys",
    "select * from nowhere",
    "",
    "-- nothing",
    "checkpoint",
    "create secret (type http, bearer_token 'x')",
    "create temp table mine (x int)",
    "set variable x = 1",
    "use temp",
    "vacuum",
]


@pytest.mark.parametrize(
    "statements",
    one_in(2, [REFUSED[::3], [*REFUSED[1::3], *REFUSED[2::3]]], single=True),
    ids=["a third", "the others"],
)
def test_anything_else_is_refused_and_leaves_no_trace(filled, statements: list[str]):
    folder = filled.parent
    (folder / "secret.csv").write_text("a,b\n1,2\n")
    before = hashlib.sha256(filled.read_bytes()).hexdigest()
    names = sorted(path.name for path in folder.iterdir())
    for sql in statements:
        with pytest.raises(UserError) as caught:
            print(sql, run_sql(filled, sql.format(folder=folder)))
        assert "\n" not in str(caught.value), sql
        assert hashlib.sha256(filled.read_bytes()).hexdigest() == before, sql
        assert sorted(path.name for path in folder.iterdir()) == names, sql


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selec 1", 'syntax error at or near "selec" (line 1, column 1)'),
        ("select\n  nope from metrics", '"nope" not found'),
        ("select\n  nope from metrics", "(line 2, column 3)"),
        ("from metricss", "metrics"),
    ],
)
def test_a_mistake_is_told_on_one_line_with_its_place(filled, sql, said):
    with pytest.raises(UserError) as caught:
        run_sql(filled, sql)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    one_in(
        3,
        [
            "select count(*) from range(1000000) a, range(1000000) b",
            "with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) from r",
            "select * from range(1000000000000)",
        ],
    ),
)
def test_a_query_that_takes_too_long_is_stopped(filled, sql):
    with pytest.raises(UserError, match=r"took longer than 1 seconds|memory"):
        run_sql(filled, sql, timeout=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "select length(repeat('x', 2000000000))",
        "select list_sum(range(3000000000))",
        "select string_agg(repeat('x', 1000000), '') from range(100000)",
    ],
)
def test_a_query_that_eats_memory_ends_in_a_sentence(filled, sql):
    with pytest.raises(UserError):
        run_sql(filled, sql, timeout=3)


@pytest.mark.slow
def test_the_file_is_free_again_afterwards(filled, held):
    with pytest.raises(UserError):
        run_sql(filled, "select length(repeat('x', 2000000000))", timeout=0.5)
    with held(filled, "writing"):
        pass


def test_a_held_file_is_busy(filled, held):
    with held(filled, "writing"), pytest.raises(DatabaseBusyError):
        run_sql(filled, "select 1", wait=0)


def test_a_missing_file_is_told_before_anything_starts(database):
    with pytest.raises(UserError, match="no database"):
        run_sql(database, "select 1")


def test_modules_in_the_current_folder_are_not_run(filled, tmp_path, monkeypatch):
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "__init__.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    assert run_sql(filled, "select 1").rows == [(1,)]


ODD = (
    "select 'a|b' as text, null as nothing, 1.5::decimal(4, 2) as dec, 'nan'::double as nan, '-inf'::double as inf, "
    "[1, null] as list, {'x': 1.5, 'y': 'z'} as struct, map {'k': 1} as map, date '2026-01-02' as day, "
    "timestamp '2026-01-02 03:04:05' as moment, interval 90 minute as span, 'ab'::blob as raw, true as yes, "
    "170141183460469231731687303715884105727 as huge, 1 as twice, 2 as twice"
)


def test_json_holds_every_type_and_parses_strictly(filled):
    def refuse(name: str) -> None:
        raise AssertionError(name)

    (row,) = json.loads(format_table(run_sql(filled, ODD), "json"), parse_constant=refuse)
    assert row == {
        "text": "a|b", "nothing": None, "dec": 1.5, "nan": "NaN", "inf": "-Infinity", "list": [1, None],
        "struct": {"x": 1.5, "y": "z"}, "map": {"k": 1}, "day": "2026-01-02", "moment": "2026-01-02T03:04:05",
        "span": "1:30:00", "raw": "6162", "yes": True, "huge": 170141183460469231731687303715884105727, "twice": 1,
        "twice_2": 2,
    }  # fmt: skip


def test_csv_parses_back(filled):
    header, row = csv.reader(io.StringIO(format_table(run_sql(filled, ODD), "csv")))
    assert header[:5] == ["text", "nothing", "dec", "nan", "inf"]
    assert row[:7] == ["a|b", "", "1.50", "nan", "-inf", "[1, null]", '{"x": 1.5, "y": "z"}']
    assert row[12] == "true"


def test_markdown_escapes_and_lines_up():
    table = Table(["na|me", "n"], ["VARCHAR", "BIGINT"], [("a|b\nc", 1), (None, 20)])
    assert format_table(table, "markdown").splitlines() == [
        r"| na\|me |   n |",
        "|--------|----:|",
        r"| a\|b c |   1 |",
        "|        |  20 |",
    ]


def test_the_screen_shows_text_as_text():
    table = Table(["x"], ["VARCHAR"], [("[red]\x1b[31mred\x07",), (None,)], truncated=True)
    text = format_table(table, "table")
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]" in text
    assert "NULL" in text
    assert text.endswith("(2 rows shown, there are more)\n")


@pytest.mark.parametrize("name", ["table", "markdown", "csv", "json"])
def test_a_statement_without_rows_prints(name):
    assert format_table(Table(["a"], ["INTEGER"], []), name).endswith("\n")
    assert format_table(Table([], [], []), name).endswith("\n")


_RESERVING = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
assert libc.mmap(None, 8 << 30, 0, 0x4022, -1, 0) not in (None, ctypes.c_void_p(-1).value)  # reserved, not used
from warehouse.console.process import main
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the numbers of mmap's flags are Linux'")
def test_address_space_that_allocators_reserve_on_large_machines_is_not_the_query_s(database):
    with db.open_write(database):
        pass
    request = {
        "db": str(database),
        "sql": "select sum(i) from range(1000000) t(i)",
        "timeout": 30,
        "row_limit": None,
        "wait": 0,
    }
    process = subprocess.run(
        [sys.executable, "-c", _RESERVING], input=json.dumps(request).encode(), capture_output=True, check=True
    )
    kind, _, _, rows, *_ = pickle.loads(process.stdout)
    assert (kind, rows) == ("table", [(499999500000,)])


@pytest.fixture
def processes():
    waiting = Waiting()
    yield waiting
    waiting.close()


def test_a_process_that_has_begun_answers_one_query_and_no_more(filled, processes):
    processes.prepare()
    ready = processes._ready
    assert run_sql(filled, "select 1", processes=processes).rows == [(1,)]
    assert ready is not None
    assert ready.poll() == 0
    assert processes._ready is None
    assert run_sql(filled, "select 2", processes=processes).rows == [(2,)]  # by a new one


def test_a_process_that_waits_is_locked_down_once_it_is_asked(filled, processes, tmp_path):
    for statement in (f"copy runs to '{tmp_path / 'out'}'", "set threads = 8", "select * from read_csv('/etc/passwd')"):
        processes.prepare()
        with pytest.raises(UserError):
            run_sql(filled, statement, processes=processes)
    assert list(tmp_path.glob("out*")) == []


def test_a_process_that_was_killed_while_it_waited_is_replaced(filled, processes):
    processes.prepare()
    waiting.end(processes._ready)
    assert run_sql(filled, "select 1", processes=processes).rows == [(1,)]


def test_a_process_that_waits_ends_with_who_began_it(processes):
    processes.prepare()
    ready = processes._ready
    ready.stdin.close()
    assert ready.wait(60) == 0
    processes.close()
    processes.prepare()  # not any more
    assert processes._ready is None


def test_a_file_that_has_to_be_mended_is_mended_by_the_caller(filled):
    with duckdb.connect(filled) as con:
        con.execute("create or replace view run_overview as select 1 as x")
    assert len(run_sql(filled, "from run_overview").columns) > 1
