"""Choose the format, the target and the colours of a command's output; show notices and progress on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import ForensicsError, NotPermittedError, UsageError
from forensics.files import PRIVATE_FILE, write_atomically

if TYPE_CHECKING:
    from forensics.cli.progress import Progress

FORMAT_OF_SUFFIX = {".html": "html", ".htm": "html", ".md": "md", ".json": "json", ".txt": "term"}


_is_quiet = False
_bar: Progress | None = None  # the one that is drawn


def be_quiet(wanted: bool) -> None:
    """Show no notices and no progress from now on, as --quiet asks, or show them again."""
    global _is_quiet  # noqa: PLW0603 - of the process: notices come from everywhere
    _is_quiet = wanted


def notice(sentence: str) -> None:
    """Print a sentence for the user on stderr."""
    if _is_quiet:
        return
    clear_progress()
    print(f"tabby-forensics: {shown(sentence)}", file=sys.stderr)  # noqa: T201


def shown(sentence: str) -> str:
    """Make a sentence harmless to a terminal: it may name files, units, and what a server answered."""
    from forensics.sanitize.characters import make_visible, without_controls

    return make_visible(without_controls(sentence))


def write(content: bytes | str, target: Path | None, *, redacted: bool = True) -> None:
    """Write to a file, which is its user's own where it is not redacted, or to standard output when none is named."""
    if target is None:
        import typer

        typer.echo(content, nl=False)
    else:
        write_atomically(target, content, mode=0o666 if redacted else PRIVATE_FILE)
        notice(f"wrote {target}")


def format_for(path: Path, default: str | None) -> str:
    """Choose the format of `path` by its suffix, else the default. Raises UsageError without either."""
    format_ = FORMAT_OF_SUFFIX.get(path.suffix.lower(), default)
    if format_ is None:
        raise UsageError(f"'{path}': unknown format. Name the file .html, .md, .json or .txt, or add --format.")
    return format_


def refuse_bad_target(path: Path | None) -> None:
    """Refuse a target that nothing can be written to, before any work is done; None is standard output.

    Raises UsageError for a wrong path, NotPermittedError where this user may not write, ForensicsError where there is no room.
    """
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"'{path}' is a directory; name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"'{path}' cannot be written: there is no directory '{path.parent}'.")
    written, access = path, os.W_OK  # a device or a pipe
    if not path.exists() or path.is_file():  # these are replaced
        written, access = path.resolve().parent, os.W_OK | os.X_OK
        _refuse_no_room(path, written)
    if not os.access(written, access, effective_ids=True):
        raise NotPermittedError(f"'{path}' may not be written by this user.")


def _refuse_no_room(path: Path, directory: Path) -> None:
    """Raises ForensicsError where the file system takes nothing."""
    system = os.statvfs(directory)
    if system.f_flag & os.ST_RDONLY:
        raise ForensicsError(f"'{path}' cannot be written: its file system is read-only.")
    if system.f_blocks and not (system.f_bavail if os.geteuid() else system.f_bfree):
        raise ForensicsError(f"'{path}' cannot be written: the disk is full. Free some space or name another place.")


def wants_color(environment: dict[str, str] | os._Environ[str] = os.environ) -> bool:
    """Whether standard output gets colours: not with NO_COLOR or TERM=dumb, always with FORCE_COLOR, else on a terminal."""
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return bool(environment.get("FORCE_COLOR")) or sys.stdout.isatty()


def width() -> int:
    """Return the columns of the terminal, or of COLUMNS; 100 where there is neither."""
    import shutil  # 3 ms, and few commands need it

    return shutil.get_terminal_size((100, 24)).columns


def progress(label: str) -> Callable[[int, int], None] | None:
    """Make a progress bar on stderr, to be called with (done, total); None when stderr is not a terminal."""
    global _bar  # noqa: PLW0603 - of the terminal: what is printed next has to begin on a line of its own
    if _is_quiet or not sys.stderr.isatty():
        return None
    from forensics.cli.progress import Progress

    _bar = Progress(label, sys.stderr, width)
    return _bar


def clear_progress() -> None:
    """Take away the progress bar, if there is one: something else is printed."""
    if _bar is not None:
        _bar.clear()
