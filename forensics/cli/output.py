"""Where a command's text goes: standard output, or files that appear whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

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


def write_file(path: Path, content: str | bytes) -> None:
    """Write `content` to `path` through a temporary file beside it, so that a reader never sees half of it.

    A device or a pipe is written to as it is; of a symbolic link its target is replaced.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(_bytes(content))
        return
    try:
        _replace(path.resolve(), _bytes(content))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _replace(path: Path, content: bytes) -> None:
    with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        try:
            draft.write(content)
            draft.flush()
            os.fsync(draft.fileno())
            os.chmod(draft.name, 0o666 & ~_umask())  # noqa: PTH101 - a temporary file is private, a report is not more private than the user's others
            os.replace(draft.name, path)  # noqa: PTH105
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
