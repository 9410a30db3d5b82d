"""What the digests in the ledger are made of."""

from __future__ import annotations

import re
import struct
from hashlib import md5

import pytest

from warehouse.exporters.bundle import TABLES
from warehouse.store import statements

UNDIGESTED = ("merged_events", "samples", "gpu_samples")


@pytest.fixture
def cell(merged, new_run, metric) -> int:
    run = new_run("r1")
    seq = run.cell("40", "piqa", metrics=[metric("acc", 0.1 + 0.2, stderr=float("nan"))], t=60.0)
    merged(run)
    return seq


def test_every_column_of_an_events_rows_is_part_of_their_digest(cell, ask):
    named = {}
    for part in statements.query("row_digests").split("union all"):
        [table] = re.findall(r"as digest from (\w+)", part)
        named[table] = {*re.findall(r"'(\w+)=' \|\|", part), "run_id", "seq"}
    found = ask("select table_name, list(column_name) from duckdb_columns() group by all")
    assert named == {table: set(columns) for table, columns in found if table in TABLES and table not in UNDIGESTED}


def test_a_digest_is_of_texts_and_of_the_bits_of_numbers(cell, ask):
    [(recorded_at,)] = ask("select epoch_us(recorded_at) from cells")
    about = f"recorded_at={recorded_at}\x1flevel=40\x1ftask=piqa\x1fis_group=false\x1fversion=1\x1fnum_fewshot=0"
    rows = [
        f"{about}\x1fseconds={bits(1.0)}",
        f"{about}\x1fmetric=acc\x1ffilter=none\x1fvalue={bits(0.1 + 0.2)}\x1fstderr={bits(float('nan'))}\x1fn=10"
        "\x1fhigher_is_better=true",
    ]
    digest = sum(int.from_bytes(md5(row.encode()).digest()[8:], "little") for row in rows) % 2**64
    assert ask(f"select row_count, row_digest from merged_events where seq = {cell}") == [(2, digest)]


def bits(number: float) -> int:
    return struct.unpack("<q", struct.pack("<d", number))[0]
