"""What is written is what is read, whatever the entries hold."""

import io
import json
import tempfile
from pathlib import Path

import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.ingest.streams import ingest_stream
from forensics.journal.stream import read_stream
from forensics.model.frames import ENTRIES, checked
from forensics.store import Store

TEXTS = ["_HOSTNAME", "_MACHINE_ID", "_BOOT_ID", "_SYSTEMD_UNIT", "MESSAGE", "SYSLOG_IDENTIFIER", "_STREAM_ID", "_TRANSPORT", "UNIT_RESULT"]
NUMBERS = ["PRIORITY", "_PID", "EXIT_STATUS", "N_RESTARTS", "CPU_USAGE_NSEC", "ERRNO", "__MONOTONIC_TIMESTAMP"]
DAY = 86_400_000_000
fields = st.fixed_dictionaries(
    {"__REALTIME_TIMESTAMP": st.one_of(st.integers(0, 2**55), st.integers(0, 3 * DAY)).map(str)},
    optional={name: st.sampled_from(["", "a", "b", "../x", "\x00", "ż\n", "a" * 300]) for name in TEXTS}
    | {name: st.integers(0, 2**40).map(str) for name in NUMBERS},
)


@settings(max_examples=60)
@given(st.lists(fields, min_size=1, max_size=30))
def test_writing_and_reading_is_identity(entries):
    stream = "\n".join(map(json.dumps, entries)).encode()
    wanted = pl.from_arrow(pa.concat_tables([batch.table for batch in read_stream(io.BytesIO(stream), "x")]))
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder))
        ingest_stream(store, io.BytesIO(stream), "x")
        got = checked(store.entries(), ENTRIES, "entries")
        order = got["offset"].to_list()
        assert got.sort("offset").to_dicts() == wanted.to_dicts()
        ingest_stream(store, io.BytesIO(stream), "x")
        assert store.entries()["offset"].to_list() == order


def test_a_hostile_stream_does_not_make_a_directory_per_entry(tmp_path):
    entries = [{"__REALTIME_TIMESTAMP": str(n * DAY), "_HOSTNAME": f"h{n}", "MESSAGE": str(n)} for n in range(3000)]
    store = Store.open(tmp_path)
    ingest_stream(store, io.BytesIO("\n".join(map(json.dumps, entries)).encode()), "x")
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert sorted(map(int, store.entries()["message"])) == list(range(3000))
