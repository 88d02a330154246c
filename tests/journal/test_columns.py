"""The arrow table has the model's columns, whatever form the fields come in."""

import subprocess
import sys

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.journal.columns import FIELDS, SCHEMA, entries_table
from forensics.model import frames
from tests.journal import restated

FIXED = ["time", "monotonic", "boot", "seqnum", "seqnum_id", "bytes", "file", "offset"]


def fixed(n: int) -> dict[str, pa.Array]:
    numbers = pa.array(range(1, n + 1), pa.int64())
    text = pa.array(["x"] * n, pa.string())
    return {name: text if SCHEMA.field(name).type == SCHEMA.field("boot").type else numbers for name in FIXED}


def test_the_columns_are_those_of_the_model_in_its_order():
    assert SCHEMA.names == list(frames.ENTRIES)
    frame = pl.from_arrow(entries_table({}, fixed(3)))
    assert isinstance(frame, pl.DataFrame)
    assert frame.cast(dict(frames.ENTRIES)).schema == frames.ENTRIES
    assert [name for name, kind in frame.schema.items() if not kind.is_(frames.ENTRIES[name])] == ["invocation", "stream", "message"]


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("0", 0, "0 is emerg, not absent"),
        ("7", 7, "debug"),
        ("8", None, "there is no such priority"),
        ("-1", None, "nor this"),
        ("", None, "nothing"),
        (" 3", None, "not what journald writes"),
        ("3\n", None, "the same"),
        ("9" * 30, None, "too long for any integer"),
        ("٣", None, "a digit, but not of ours"),
    ],
)
def test_a_priority_is_a_number_from_0_to_7(text, number, reason):
    assert entries_table({"PRIORITY": pa.array([text])}, fixed(1))["priority"].to_pylist() == [number]


TEXTS = st.sampled_from(["", "0", "1", "7", "8", "-5", "2147483648", "999999999999999999", "9999999999999999999", "x", "café\n"])
ENTRIES = st.lists(st.dictionaries(st.sampled_from(FIELDS), TEXTS, max_size=20), min_size=1, max_size=8)


@given(ENTRIES, st.booleans())
def test_every_column_agrees_with_the_plain_restatement(entries, as_dictionary):
    arrays = {name: pa.array([entry.get(name) for entry in entries], pa.large_string()) for name in FIELDS}
    fields = {name: array.dictionary_encode() if as_dictionary else array for name, array in arrays.items()}
    rows = entries_table(fields, fixed(len(entries))).drop_columns(FIXED).to_pylist()
    assert rows == [restated.columns(entry) for entry in entries]


def test_no_entries_make_an_empty_table():
    assert entries_table({name: pa.array([], pa.string()) for name in FIELDS}, fixed(0)).num_rows == 0


def test_reading_does_not_import_polars():
    code = "import sys, forensics.journal.reader; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
