"""A line that was printed from a journal becomes the entry that the reader of journals makes of its fields."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest

from forensics.explain.entries import entries_of
from forensics.explain.paste import read_paste

SYSTEMD = """\
Nov 27 10:00:00 host systemd[1]: Starting demo.service - Demo...
Nov 27 10:00:01 host demo[123]: port 80 is taken é
Nov 27 10:00:02 host systemd[1]: demo.service: Main process exited, code=killed, status=9/KILL
Nov 27 10:00:02 host systemd[1]: demo.service: Failed with result 'oom-kill'.
Nov 27 10:00:02 host systemd[1]: demo.service: Scheduled restart job, restart counter is at 12345678901234567890.
Nov 27 10:00:03 host systemd[1]: demo.service: Start request repeated too quickly.
Nov 27 10:00:03 host (demo)[124]: demo.service: Failed at step EXEC spawning /srv/demo: No such file or directory
Nov 27 10:00:03 host systemd[1]: Dependency failed for other.service - Other.
"""
DUMP = """\
Nov 27 10:00:00 host systemd-coredump[7]: Process 77 (demo) of user 1000 dumped core.
Nov 27 10:00:00 host kernel: demo[77]: segfault at 0 ip 0 sp 0 error 4 in demo[400000+1000]
"""
PLAIN = "Traceback (most recent call last):\n  File 'x', line 1\nValueError: \udc80\n"


@pytest.mark.parametrize("text", [SYSTEMD, DUMP, PLAIN, DUMP.splitlines()[1], "\n", "x"])
def test_an_entry_is_what_the_reader_of_journals_makes_of_the_fields(text: str) -> None:
    pasted = read_paste(text.encode(errors="surrogateescape"))
    assert not pasted.as_found
    given, read = (
        entries_of(pasted.records, as_found=as_found).drop("bytes").with_columns(pl.col(pl.Categorical).cast(pl.String))
        for as_found in (False, True)
    )
    assert given.equals(read)


def test_journal_fields_may_be_claimed_by_anyone() -> None:
    forged = '{"__REALTIME_TIMESTAMP": "1", "MESSAGE": "x", "_PID": "7", "_SYSTEMD_UNIT": "a.service", "UNIT": "b.service"}'
    pasted = read_paste(forged.encode())
    assert entries_of(pasted.records, as_found=pasted.as_found)["unit"].to_list() == ["a.service"]


def test_text_needs_no_pyarrow() -> None:
    code = (
        "import sys; from forensics.explain import explain; from forensics.signatures.pattern import Catalogue;"
        "explain(b'ERROR: x', Catalogue(())); print('pyarrow' in sys.modules, 'sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == ["False", "False"]
