"""Find what the sandbox of the unit of `watch` could not read or execute of the program that it starts."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from forensics.errors import UsageError
from forensics.generate.settings import NAME, SETTINGS

# systemd.exec(5): what a setting hides from the unit
HIDDEN_BY = {
    "ProtectHome": (Path("/home"), Path("/root"), Path("/run/user")),
    "PrivateTmp": (Path("/tmp"), Path("/var/tmp")),  # noqa: S108 - the names of what is hidden
    "PrivateDevices": (Path("/dev"),),
}
SHEBANG = "#!"
_LONG = re.compile(r"""'''exec' "?(/[^"\n]{1,4000}?)"? "\$0\"""")
LONGEST_LINE = 4096  # bytes of a script's first line, or of a .pth file
MOST_LINKS = 40  # as the kernel follows


def refuse_hidden(command: str) -> None:
    """Raises UsageError for a program that the unit's sandbox cannot read or execute, with a place where it can."""
    try:
        program = Path(shlex.split(command)[0])
    except (ValueError, IndexError):
        raise UsageError(f"'{command}' is not a command.") from None
    paths = list(_needed(program))
    for why_not in (_hidden, _forbidden):
        for path in paths:
            if why := why_not(path):
                needs = "" if path == program else f" needs '{path}', which"
                raise UsageError(
                    f"'{program}'{needs} {why}, so the unit could not start it: install it as a deb, or in /opt/{NAME}, and name it: "
                    f"--program /opt/{NAME}/bin/{NAME}."
                )


def _needed(program: Path) -> Iterator[Path]:
    """List what a start reads: the program, its interpreter, what links lead to, and a package that is installed from elsewhere."""
    yield from _linked(program)
    interpreter = _interpreter(program)
    if interpreter is None:
        return
    yield from _linked(interpreter)
    environment = interpreter.parent.parent
    settings = environment / "pyvenv.cfg"
    if settings.is_file():
        yield from (Path(value.strip()) for name, _, value in _pairs(settings) if name.strip() == "home")
        for file in sorted(environment.glob("lib/python3*/site-packages/*.pth")):
            yield from (Path(line) for line in _text(file).splitlines() if line.startswith("/"))


def _pairs(file: Path) -> Iterator[tuple[str, str, str]]:
    return (line.partition("=") for line in _text(file).splitlines())


def _linked(path: Path) -> Iterator[Path]:
    """Follow symbolic links one by one: each of them must be reachable."""
    for _ in range(MOST_LINKS):
        yield path
        try:
            path = path.parent / path.readlink()
        except OSError:  # no link
            break
    yield path.resolve()


def _interpreter(program: Path) -> Path | None:
    """Return what runs a script, or the program itself where it is a Python; null for any other."""
    first, _, rest = _text(program).partition("\n")
    if first.startswith(SHEBANG) and first[2:].split():
        long = _LONG.match(rest)  # as pip writes a path that is too long for the kernel, or has spaces
        return Path(long[1] if long else first[2:].split()[0])
    return program if program.name.startswith("python") else None


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(LONGEST_LINE).decode(errors="replace")
    except OSError:
        return ""


def _hidden(path: Path) -> str:
    """Name the setting that hides a path from the unit; empty for none."""
    for setting, directories in HIDDEN_BY.items():
        for directory in directories if SETTINGS.get(setting) else ():
            if any(path.is_relative_to(place) for place in {directory, directory.resolve()}):
                return f"is in {directory}, which {setting}= hides"
    return ""


def _forbidden(path: Path) -> str:
    """Name what of a path the unit's user may not read, who owns nothing; empty for nothing, or where there is no such file."""
    real = path.resolve()
    try:
        for directory in reversed(real.parents):
            if not directory.stat().st_mode & stat.S_IXOTH:
                return f"is below '{directory}', which other users may not enter"
        status = real.stat()
    except PermissionError:
        return "is in a directory that other users may not enter"
    except OSError:
        return ""
    wanted = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(status.st_mode) or os.access(real, os.X_OK) else stat.S_IROTH
    return "" if status.st_mode & wanted == wanted else "may not be read and executed by other users"
