"""Compressed journals, archives of journals, streams through a terminal, and input that lacks what is needed."""

import gzip
import io
import json
import lzma
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest

from forensics.errors import ForensicsError, NothingRecordedError
from forensics.ingest.sources import ingest_sources
from forensics.ingest.streams import ingest_stream
from forensics.query import STREAM, Sources
from forensics.store import Store
from tests.journal.oracle import export, make_journal, needs_systemd
from tests.store.making import journal, numbers, opened, text

HEAD = {"__CURSOR": f"s={5:032x};i=1;b={7:032x};m=1;t=1;x=1", "__REALTIME_TIMESTAMP": "1700000000000000", "_BOOT_ID": f"{7:032x}"}


def zstd(content: bytes) -> bytes:
    return pa.Codec("zstd").compress(content, asbytes=True)


def ingested(tmp_path: Path, *files: Path, dirs: tuple[Path, ...] = ()):
    result = ingest_sources(Sources(dirs, files), tmp_path / "store")
    store = Store.open(tmp_path / "store")
    return numbers(store, sources=result.sources), result


def archive(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@needs_systemd
@pytest.mark.parametrize(("ending", "packed"), [(".zst", zstd), (".gz", gzip.compress), (".xz", lzma.compress)])
def test_a_compressed_journal_is_read_under_its_own_name(tmp_path, ending, packed):
    plain = journal(tmp_path / "x.journal", 0, 5)
    path = tmp_path / f"x.journal{ending}"
    path.write_bytes(packed(plain.read_bytes()))
    got, result = ingested(tmp_path, path)
    assert (got, result.damage) == ([0, 1, 2, 3, 4], ())
    assert set(opened(tmp_path).entries()["file"]) == {str(path)}
    assert ingested(tmp_path, path)[1].files_unchanged == 1


@needs_systemd
def test_a_compressed_journal_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    plain = journal(tmp_path / "x.journal", 0, 500).read_bytes()
    path = tmp_path / "x.journal.gz"
    packed = gzip.compress(plain)
    path.write_bytes(packed[: len(packed) - len(packed) // 3])
    got, result = ingested(tmp_path, path)
    assert 0 < len(got) < 500
    assert {record.file for record in result.damage} == {str(path)}


@needs_systemd
@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.xz", "tgz"])
def test_an_archive_of_journals_is_read_whatever_the_names_in_it(tmp_path, ending):
    first, second = (journal(tmp_path / f"{n}.journal", n * 5, 5).read_bytes() for n in (0, 1))
    members = {
        "../../etc/system.journal": first, "m/user-1000.journal.zst": zstd(second), "more.export": text(10, 5), "README": b"hello\n",
    }  # fmt: skip
    mode = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.xz": "w:xz"}[ending]
    path = archive(tmp_path / f"logs.{ending}", members, mode)
    got, result = ingested(tmp_path, path)
    assert (got, result.damage) == (list(range(15)), ())
    assert f"{path}:../../etc/system.journal" in set(opened(tmp_path).entries()["file"])


def test_an_archive_without_a_journal_is_refused(tmp_path):
    path = archive(tmp_path / "x.tar", {"README": b"hello\n", "x.journal": b"not a journal"})
    with pytest.raises(ForensicsError, match=r"x\.tar contains no journal that can be read: is not a journal file\."):
        ingested(tmp_path, path)


def test_of_an_archive_that_is_cut_off_the_whole_members_count(tmp_path):
    path = archive(tmp_path / "x.tar", {"a.export": text(0, 5), "b.export": text(5, 500)})
    path.write_bytes(path.read_bytes()[:-80_000])
    got, result = ingested(tmp_path, path)
    assert got[:5] == [0, 1, 2, 3, 4]
    assert result.damage


@needs_systemd
def test_compressed_journals_of_a_directory_and_those_of_journal_remote_are_read_too(tmp_path):
    machine = tmp_path / "journal" / ("a" * 32)
    remote = tmp_path / "journal" / "remote"
    for folder in (machine, remote):
        folder.mkdir(parents=True)
    journal(machine / "system.journal", 0, 5)
    (machine / "system@1.journal.zst").write_bytes(zstd(journal(tmp_path / "x.journal", 5, 5).read_bytes()))
    journal(remote / "remote-web1.journal", 10, 5)
    assert ingested(tmp_path, dirs=(tmp_path / "journal",))[0] == list(range(15))


@needs_systemd
def test_a_directory_with_nothing_but_a_remote_directory_is_read(tmp_path):
    remote = tmp_path / "journal" / "remote"
    remote.mkdir(parents=True)
    journal(remote / "remote-web1.journal", 0, 3)
    assert ingested(tmp_path, dirs=(tmp_path / "journal",))[0] == [0, 1, 2]
    with pytest.raises(NothingRecordedError):
        ingested(tmp_path, dirs=(tmp_path,))


@needs_systemd
@pytest.mark.parametrize("form", ["export", "json"])
def test_a_stream_through_a_terminal_is_what_it_was(tmp_path, form, monkeypatch):
    """`ssh -t host journalctl -o export`: the terminal writes CR LF for each LF, also inside of binary values and lengths."""
    entries = [
        [("__REALTIME_TIMESTAMP", b"%d" % (1_700_000_000_000_000 + n)), ("__MONOTONIC_TIMESTAMP", b"%d" % n), ("_BOOT_ID", b"%032x" % 1),
         ("_PID", b"1"), ("_TRANSPORT", b"journal"), ("MESSAGE", b"a\r\nb\n" + b"x" * n)]
        for n in range(1, 300)
    ]  # fmt: skip

    path = make_journal(export(entries), tmp_path / "x.journal")
    plain = subprocess.run(["journalctl", "--file", path, "-a", "-o", form], check=True, capture_output=True).stdout
    wanted, through_a_terminal = opened(tmp_path / "a"), opened(tmp_path / "b")
    monkeypatch.setattr("forensics.journal.stream.PIECE", 1009)
    ingest_stream(wanted, io.BytesIO(plain), "x")
    result = ingest_stream(through_a_terminal, io.BytesIO(plain.replace(b"\n", b"\r\n")), "x")
    assert result.damage == ()
    assert through_a_terminal.entries().drop("bytes").equals(wanted.entries().drop("bytes"))
    assert wanted.entries()["message"][9] == "a\r\nb\n" + "x" * 10


def stream_of(*entries: dict[str, str]) -> io.BytesIO:
    return io.BytesIO("\n".join(json.dumps(HEAD | entry) for entry in entries).encode())


STARTED = {"MESSAGE_ID": "39f53479d3a045ac8e11786248231fbf", "_PID": "1", "_TRANSPORT": "journal", "MESSAGE": "Started x."}


@pytest.mark.parametrize(
    ("entries", "lacking", "reason"),
    [
        ([{"MESSAGE": "x"}], "_PID, _TRANSPORT", "--output-fields=MESSAGE"),
        ([{"MESSAGE": "x", "_TRANSPORT": "stdout", "UNIT": "x.service"}], "_PID", "everything but _PID"),
        ([{"_PID": "7", "_TRANSPORT": "stdout"}], "MESSAGE", "no messages"),
        ([STARTED], "UNIT", "the manager's lines do not name their units"),
        ([STARTED | {"_SYSTEMD_UNIT": "init.scope"}], "UNIT", "nor does where they come from"),
    ],
)
def test_a_stream_without_the_fields_that_are_needed_is_refused(tmp_path, entries, lacking, reason):
    with pytest.raises(ForensicsError) as refusal:
        ingest_stream(opened(tmp_path), stream_of(*entries), "stdin")
    assert str(refusal.value) == f"stdin lacks {lacking}, needed in every journal: export it again without --output-fields.", reason
    assert opened(tmp_path).entries().is_empty()


def test_a_journal_that_no_journald_wrote_is_read_and_what_it_lacks_is_shown(tmp_path):
    entry = {"MESSAGE": "x", "_HOSTNAME": "h", "_MACHINE_ID": "m", "_SYSTEMD_UNIT": "x.service"}
    result = ingest_stream(opened(tmp_path), stream_of(entry), "stdin")
    assert [record.reason for record in result.damage] == ["no entry has _PID, _TRANSPORT: what depends on it cannot be found"]
    assert opened(tmp_path).entries().height == 1
    with pytest.raises(ForensicsError, match="stdin lacks _PID"):
        ingest_stream(opened(tmp_path), stream_of(entry, entry | STARTED | {"_PID": "", "UNIT": "x.service"}), "stdin")


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([STARTED | {"UNIT": "x.service"}], "whole"),
        ([{"MESSAGE": "x", "_TRANSPORT": "kernel"}], "`journalctl -k`: the kernel has no process id"),
        ([{"MESSAGE": "x", "_TRANSPORT": "kernel"}, STARTED | {"UNIT": "x.service"}], "one entry with it is enough"),
    ],
)
def test_a_stream_with_what_is_needed_is_read(tmp_path, entries, reason):
    ingest_stream(opened(tmp_path), stream_of(*entries), "stdin")
    assert opened(tmp_path).entries().height == len(entries), reason


def test_a_compressed_stream_on_standard_input_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(text(0, 3)))))
    assert ingested(tmp_path, STREAM)[0] == [0, 1, 2]
