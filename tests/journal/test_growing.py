"""A file that is read while its writer writes, and one whose writer was killed."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from forensics.journal.columns import Batch
from forensics.journal.decode import load_block
from forensics.journal.reader import NotAJournal, load
from tests.journal.edge import edge_entries
from tests.journal.oracle import JOURNAL_REMOTE, environment, export, journalctl, needs_systemd, parse_export, shown

pytestmark = [pytest.mark.real, needs_systemd]
COUNT = 1500


def whole_journal(path: Path) -> Batch | None:
    """None before the writer has made the file."""
    try:
        return load(path)
    except NotAJournal:
        return None


@pytest.mark.parametrize("compact", [True, False])
def test_a_growing_file_is_read_up_to_a_complete_entry_and_a_killed_writers_to_the_last(tmp_path: Path, compact: bool):
    path = tmp_path / "a.journal"
    entries = edge_entries(COUNT)
    snapshots: list[Batch] = []
    command = [JOURNAL_REMOTE, "-o", path, "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(compact=compact)) as writer:
        assert writer.stdin is not None
        for start in range(0, COUNT, 50):
            writer.stdin.write(export(entries[start : start + 50]))
            writer.stdin.flush()
            snapshots += [batch for batch in [whole_journal(path)] if batch is not None]
        deadline = time.monotonic() + 20
        while load(path).table.num_rows < COUNT // 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    final = load(path)
    assert final.header is not None
    assert final.header.state == "online"
    assert final.damage == ()
    assert any(0 < batch.table.num_rows < final.table.num_rows for batch in snapshots)
    for batch in snapshots:
        assert batch.damage == ()
        numbers = ["seqnum", "offset", "bytes", "time", "pid", "priority"]
        assert batch.table.select(numbers).equals(final.table.select(numbers).slice(0, batch.table.num_rows))
    expected = [dict(reversed(entry)) for entry in parse_export(journalctl(path, "-o", "export"))]
    block = load_block(path, ["MESSAGE"])
    assert block.column(0).to_pylist() == [shown(entry["MESSAGE"]) if "MESSAGE" in entry else None for entry in expected]
