"""Read a journal file of an unknown format through the installed journalctl."""

from __future__ import annotations

import logging
import subprocess
import tempfile
from pathlib import Path
from typing import IO, BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc

from forensics.errors import ForensicsError
from forensics.journal.columns import SCHEMA, Batch
from forensics.journal.file import header
from forensics.journal.format import HINT, NotAJournal
from forensics.journal.stream import read_stream
from forensics.model.values import Damage

NOTICE = (
    "%s has a journal format that this program does not know (flags %#x): reading it through journalctl, which takes several times longer."
)


def load_with_journalctl(path: Path, after_seqnum: int = 0) -> Batch:
    """Read a file as `reader.load` does, except that `offset` counts entries and `bytes` is the size of the exported text.

    Logs a warning. Raises NotAJournal when journalctl is missing, or does not know the format either.
    """
    head = header(path)
    unknown = f"{path} has a journal format that this program does not know (flags {head.unknown_flags:#x})"
    command = ["journalctl", "--file", str(path), "--output", "export", "--all", "--quiet", "--no-pager"]
    with tempfile.TemporaryFile() as errors:
        try:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as journalctl:
                batches = list(read_stream(cast("BinaryIO", journalctl.stdout), str(path)))
        except FileNotFoundError as error:
            raise NotAJournal(f"{unknown}, and this machine has no journalctl; {HINT.format(name=path)}.") from error
        except ForensicsError as error:
            raise NotAJournal(f"{unknown}, and the output of journalctl cannot be read either: {error}") from error
        complaint = _first_line(errors)
    if journalctl.returncode and not batches:
        raise NotAJournal(f"{unknown}, and neither does the journalctl of this machine ({complaint}); {HINT.format(name=path)}.")
    logging.getLogger(__name__).warning(NOTICE, path, head.unknown_flags)
    damage = [record for batch in batches for record in batch.damage]
    if complaint or journalctl.returncode:
        damage.append(Damage(str(path), None, f"journalctl failed: {complaint or f'status {journalctl.returncode}'}"))
    table = pa.concat_tables([SCHEMA.empty_table(), *(batch.table for batch in batches)]).unify_dictionaries().combine_chunks()
    return Batch(table.filter(pc.greater(table["seqnum"], after_seqnum)), tuple(damage), head)


def _first_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.readline(1000).decode("utf-8", "backslashreplace").strip()
