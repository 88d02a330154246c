"""Following a journal while it is written: every entry once and in order, also where the reader is renewed on the way."""

import re
import subprocess
import time
from datetime import UTC, datetime

import pytest

from forensics.journal import follow
from tests.journal.edge import edge_entries
from tests.journal.oracle import JOURNAL_REMOTE, environment, export, journalctl, needs_systemd

pytest.importorskip("systemd.journal")
pytestmark = [pytest.mark.real, needs_systemd]
COUNT = 600
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def numbers(path) -> list[int]:
    return [int(number, 16) for number in re.findall(rb"(?m)^__CURSOR=s=\w+;i=(\w+)", journalctl(path, "-o", "export"))]


@pytest.mark.parametrize("reopened_after", [1, 70, 20_000])
def test_every_entry_of_a_growing_journal_comes_once(tmp_path, monkeypatch, reopened_after):
    monkeypatch.setattr(follow, "REOPENED_AFTER", reopened_after)
    path, command = tmp_path / "a.journal", [JOURNAL_REMOTE, "-o", tmp_path / "a.journal", "-"]
    entries = edge_entries(COUNT)
    follower, taken = None, []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as writer:
        for start in range(0, COUNT, 50):
            writer.stdin.write(export(entries[start : start + 50]))
            writer.stdin.flush()
            if follower is None and path.exists():
                follower = follow.open_follower(tmp_path, since=LONG_AGO)
            if follower is not None:
                taken += follower.take(30)["seqnum"].to_pylist()
        writer.stdin.close()
        writer.wait()
    deadline = time.monotonic() + 20
    while len(taken) < COUNT and time.monotonic() < deadline:
        time.sleep(0.05)
        taken += follower.take(1000)["seqnum"].to_pylist()
    assert taken == numbers(path)
    assert len(taken) == COUNT
