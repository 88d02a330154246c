"""Entries of two units that fail: one of a known problem, the other of whatever a test makes it log."""

import json

from tests.export.failing_unit import INVOCATION
from tests.watch.streams import TRACEBACK, rows_of


def rows_of_two(tmp_path, hostile_line):
    """Make entries of a.service, which fails of a known problem, and of b.service, which logs the hostile line and fails."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours = rows_of(tmp_path / "a", line=TRACEBACK, restarts=1)
    text = json.dumps(rows_of(tmp_path / "b", line=hostile_line, restarts=1))
    theirs = json.loads(text.replace("a.service", "b.service").replace(INVOCATION, "2" * 31))
    both = sorted(ours + theirs, key=lambda row: int(row["__REALTIME_TIMESTAMP"]))
    return [row | {"__CURSOR": f"c{number}"} for number, row in enumerate(both)]
