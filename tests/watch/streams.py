"""A failing unit's entries as `watch` gets them: as rows of sd-journal or as tables of a few lines."""

import json

from forensics.journal.damage import DamageLog
from forensics.journal.json_lines import read_json
from tests.export.failing_unit import write_journal

TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/main.py", line 7, in <module>
ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory"""


def rows_of(folder, **options):
    """Entries as sd-journal gives them."""
    return [json.loads(line) for line in write_journal(folder, **options).read_bytes().splitlines()]


def tables(folder, lines=1000, **options):
    rows = write_journal(folder, **options).read_bytes().splitlines(keepends=True)
    for start in range(0, len(rows), lines):
        yield from read_json(iter([b"".join(rows[start : start + lines])]), "live", DamageLog("live"))
