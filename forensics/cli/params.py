"""The options that several commands share. Only declarations: what they mean is in `meaning`, imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_TIMES = "30d, 1h30m, yesterday, '2025-12-07 21:30', @epoch, RFC 3339, boot, boot-1"

Since = Annotated[str | None, typer.Option(metavar="TIME", help=f"Start of the window: {_TIMES}. Default: where the journal begins.")]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="End of the window, written like --since. Default: where the journal ends.")
]
Zone = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="Time zone of times without one, and of the report. Default: the host's."),
]
Unit = Annotated[list[str] | None, typer.Option(metavar="UNIT", help="Only this unit; repeatable, shell patterns allowed.")]
JournalDir = Annotated[list[Path] | None, typer.Option(metavar="DIR", readable=False, help="A copied journal directory; repeatable.")]
File = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        readable=False,
        help="A .journal file, or the output of journalctl -o export or -o json ('-' is standard input); repeatable.",
    ),
]
StoreFolder = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Where the Parquet data set lives. Default: $XDG_STATE_HOME/tabby-forensics."),
]
Patterns = Annotated[list[Path] | None, typer.Option(metavar="DIR", help="A folder of further patterns; repeatable.")]
