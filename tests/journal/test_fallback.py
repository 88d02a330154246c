"""A file of an unknown format is read through journalctl, with a warning."""

import logging
from pathlib import Path

import pytest

from forensics.journal import format as journal_format
from forensics.journal.columns import SCHEMA
from forensics.journal.reader import NotAJournal, header, load
from forensics.model.values import Damage
from tests.journal.edge import edge_text
from tests.journal.oracle import fixture_text, make_journal, needs_systemd

COMPACT = 16
OF_THE_STREAM = ["bytes", "offset"]
UNKNOWN = 32  # docs/JOURNAL_SEGMENTED.md of systemd


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    """A file of an unknown format: the flag is checked before anything else."""
    head = bytearray(b"LPKSHHRH" + bytes(264))
    head[12] = UNKNOWN
    (tmp_path / "a.journal").write_bytes(head)
    return tmp_path / "a.journal"


def journalctl_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


@pytest.mark.real
@needs_systemd
@pytest.mark.parametrize("text", [fixture_text("252-events"), edge_text(200)], ids=["recorded", "edge"])
def test_what_journalctl_exports_is_what_the_file_holds(
    tmp_path: Path, text: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    path = make_journal(text, tmp_path / "a.journal")
    known, rest = load(path), load(path, after_seqnum=150)
    monkeypatch.setattr(journal_format, "KNOWN_FLAGS", journal_format.KNOWN_FLAGS & ~COMPACT)
    with caplog.at_level(logging.WARNING):
        batch = load(path)
    assert batch.table.schema == SCHEMA
    assert batch.table.drop_columns(OF_THE_STREAM).to_pylist() == known.table.drop_columns(OF_THE_STREAM).to_pylist()
    assert batch.table["offset"].to_pylist() == list(range(len(batch.table)))
    assert batch.damage == ()
    assert batch.header is not None
    assert batch.header.file_id == header(path).file_id
    assert [record.getMessage() for record in caplog.records if "reading it through journalctl" in record.getMessage()]
    assert load(path, after_seqnum=150).table["seqnum"].to_pylist() == rest.table["seqnum"].to_pylist()


@pytest.mark.real
@needs_systemd
def test_a_format_that_journalctl_does_not_know_either_is_refused(tmp_path: Path):
    path = make_journal(edge_text(3), tmp_path / "a.journal")
    content = bytearray(path.read_bytes())
    content[12] |= UNKNOWN
    path.write_bytes(content)
    with pytest.raises(
        NotAJournal, match=r"does not know \(flags 0x20\), and neither does the journalctl of this machine \(.+\); .*--file -"
    ):
        load(path)


def test_without_journalctl_the_error_names_the_workaround(unknown: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(unknown.parent))
    with pytest.raises(NotAJournal, match=r"this machine has no journalctl; .*journalctl --file .* -o export"):
        load(unknown)


def test_an_error_of_journalctl_is_recorded_as_damage(unknown: Path, monkeypatch: pytest.MonkeyPatch):
    command = r"printf '__REALTIME_TIMESTAMP=5\n__CURSOR=s=00000000000000000000000000000001;i=7\nMESSAGE=a\n\n'; echo oh >&2; exit 1"
    journalctl_that(command, unknown.parent, monkeypatch)
    batch = load(unknown)
    assert batch.table["message"].to_pylist() == ["a"]
    assert batch.damage == (Damage(str(unknown), None, "journalctl failed: oh"),)


def test_nonsense_from_journalctl_is_one_sentence(unknown: Path, monkeypatch: pytest.MonkeyPatch):
    journalctl_that("echo hello", unknown.parent, monkeypatch)
    with pytest.raises(NotAJournal, match="cannot be read either"):
        load(unknown)
