"""Somebody who waits for an exported file sees how far it is."""

import os
import threading

from forensics.ingest.counted import opened
from forensics.ingest.sources import ingest_sources
from forensics.query import Sources
from tests.attempts.building import Journal
from tests.cli.journals import export_format


def test_an_exported_file_counts_its_bytes_and_all_of_them_at_the_end_only(tmp_path):
    journal = Journal()
    journal.writes("run", *(f"line {number}" for number in range(20)))
    path = tmp_path / "log.export"
    path.write_text(export_format(journal))
    size = path.stat().st_size
    calls = []
    ingest_sources(Sources(files=(path,)), tmp_path / "store", lambda done, whole: calls.append((done, whole)))
    assert calls[-1] == (size, size)
    assert calls[:-1] == sorted(calls[:-1])
    assert {whole for _, whole in calls} == {size}
    assert len(calls) > 1
    assert all(done < size for done, _ in calls[:-1])


def test_a_pipe_has_no_progress(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"abc",)).start()
    calls = []
    with opened(tmp_path / "pipe", lambda *step: calls.append(step)) as stream:
        assert stream.read() == b"abc"
    assert calls == []
