"""Choose the format, the target and the colours of a command's output, and show its progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from forensics.errors import UsageError

FORMAT_OF_SUFFIX = {".html": "html", ".htm": "html", ".md": "md", ".json": "json", ".txt": "term"}


def format_for(path: Path, named: str | None) -> str:
    """The format to write `path` in: the one its name says, else the one the user named. Raises UsageError when neither does."""
    found = FORMAT_OF_SUFFIX.get(path.suffix.lower(), named)
    if found is None:
        raise UsageError(f"'{path}': which format? Name it .html, .md, .json or .txt, or add --format.")
    return found


def refuse_bad_target(path: Path) -> None:
    """Raises UsageError when nothing can be written to `path`, so that this is said before the work and not after it."""
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"'{path}' cannot be written: there is no folder '{path.parent}'.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"'{path}' may not be written by this user.")


def wants_color(environment: dict[str, str] | os._Environ[str] = os.environ) -> bool:
    """Whether standard output gets colours: NO_COLOR and TERM=dumb say no, FORCE_COLOR yes, else whether it is a terminal."""
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return bool(environment.get("FORCE_COLOR")) or sys.stdout.isatty()


def progress(label: str) -> Callable[[int, int], None] | None:
    """A bar on stderr for long work, fed with (done, all); None when stderr is no terminal."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        share = done / total if total else 1.0
        filled = int(share * 30)
        end = "\r\033[K" if done >= total else ""
        sys.stderr.write(f"\r{label} [{'█' * filled}{'░' * (30 - filled)}] {share:4.0%}{end}")
        sys.stderr.flush()

    return show
