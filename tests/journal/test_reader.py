"""A journal file as the model's columns: every column of every entry against a plain restatement over journalctl's export."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from forensics.errors import JournalPermissionError
from forensics.journal.columns import SCHEMA
from forensics.journal.reader import NotAJournal, header, load
from tests.journal import restated
from tests.journal.edge import edge_text
from tests.journal.oracle import fixture_text, journalctl, make_journal, needs_systemd, parse_export, shown

STREAMS = {"252": lambda: fixture_text("252-events"), "257": lambda: fixture_text("257-events"), "edge": edge_text}
real = pytest.mark.real


@real
@needs_systemd
@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("stream", STREAMS)
def test_every_column_of_every_entry_agrees_with_journalctls_export(tmp_path: Path, stream: str, compact: bool):
    path = make_journal(STREAMS[stream](), tmp_path / "a.journal", compact=compact)
    batch = load(path)
    assert batch.damage == ()
    assert batch.table.schema == SCHEMA
    rows = batch.table.to_pylist()
    offsets = [row.pop("offset") for row in rows]
    assert offsets == sorted(set(offsets))
    assert all(row.pop("bytes") >= 64 for row in rows)
    expected = []
    for entry in parse_export(journalctl(path, "-o", "export")):
        first = {name: shown(value) for name, value in reversed(entry)}
        cursor = dict(part.split("=", 1) for part in first["__CURSOR"].split(";"))
        boot = first.pop("_BOOT_ID")
        fixed = {
            "time": _time(int(first["__REALTIME_TIMESTAMP"])),
            "monotonic": int(first["__MONOTONIC_TIMESTAMP"]),
            "boot": boot,
            "seqnum": int(cursor["i"], 16),
            "seqnum_id": cursor["s"],
            "file": str(path),
        }
        expected.append(fixed | restated.columns(first))
    assert rows == expected


def _time(microseconds: int) -> datetime:
    return pa.scalar(microseconds, pa.timestamp("us", "UTC")).as_py()


@real
@needs_systemd
def test_the_header_matches_the_content(tmp_path: Path):
    path = make_journal(edge_text(300), tmp_path / "a.journal")
    head, batch = header(path), load(path)
    times = batch.table["time"].cast(pa.int64()).to_pylist()
    assert head == batch.header
    assert (head.state, head.n_entries, head.head_seqnum, head.tail_seqnum) == ("offline", 300, 1, 300)
    assert (head.head_realtime, head.tail_realtime, head.size) == (times[0], times[-1], path.stat().st_size)
    assert batch.table["seqnum_id"].unique().to_pylist() == [head.seqnum_id]


@real
@needs_systemd
def test_a_file_without_entries_is_an_empty_table(tmp_path: Path):
    path = make_journal(edge_text(3), tmp_path / "a.journal")
    batch = load(path, after_seqnum=3)
    assert (batch.table.num_rows, batch.table.schema, batch.damage) == (0, SCHEMA, ())


@pytest.mark.parametrize("content", [b"", b"LPKSHHRH", b"hello\n" * 100, b"\x00" * 4096, b"LPKSHHRH" + b"\x00" * 200])
def test_a_file_that_is_not_a_journal_is_refused_or_empty(tmp_path: Path, content: bytes):
    path = tmp_path / "a.journal"
    path.write_bytes(content)
    if len(content) == 208:  # a header of zeros: a journal that was cut off before anything was written
        assert load(path).table.num_rows == 0
        assert load(path).damage
    else:
        with pytest.raises(NotAJournal, match="is not a journal file"):
            load(path)


def test_a_missing_file_and_a_directory_are_one_sentence(tmp_path: Path):
    with pytest.raises(NotAJournal, match="cannot be opened: No such file"):
        load(tmp_path / "nothing.journal")
    with pytest.raises(NotAJournal, match="is not a journal file: not a regular file"):
        load(tmp_path)


def test_a_file_that_may_not_be_read_names_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.journal").touch()
    monkeypatch.setattr(Path, "open", refuse)  # tests may run as root, which may read anything
    with pytest.raises(JournalPermissionError, match="systemd-journal"):
        load(tmp_path / "a.journal")
