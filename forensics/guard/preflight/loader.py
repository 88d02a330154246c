"""Ask the dynamic loader what a program with its extensions would find, with LD_TRACE_LOADED_OBJECTS as ldd(1) does.

The loader is started itself with the program as its argument, and never the program: ldd's own warning, that a file may be executed,
is about files that name another loader. In this mode it maps and relocates, and calls no code of the files (glibc's rtld.c: RTLD_NOIFUNC).
Extensions are traced as LD_PRELOAD of their interpreter, so that `Py*` symbols are found where they are at an import: in the program.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.guard.preflight.elf import read_elf
from forensics.guard.systemctl import NoManagerError, called

WITHIN_S = 4.0
GLIBC = re.compile(r"/ld-linux[\w.-]*\.so\.\d+$|/ld64\.so\.\d+$")
# Names of another form are filters (DT_AUXILIARY), which may be missing
_MISSING = re.compile(r"^[ \t]+(\S{0,300}\.so\S{0,80}) => not found$", re.MULTILINE)
_UNDEFINED = re.compile(r"^(?:.{0,400}: )?undefined symbol: ([^\s,]+)(?:, version \S+)?\s+\((.{1,400})\)$", re.MULTILINE)
_VERSION = re.compile(r"^.{0,400}?(/[^:\n]{1,400}: version `[^'\n]{1,80}' not found \(required by (.{1,400})\))$", re.MULTILINE)
_REFUSED = re.compile(r"object '([^'\n]+)' from LD_PRELOAD cannot be preloaded \((.{1,400}?)\): ignored", re.MULTILINE)
_DAMAGED = re.compile(
    r"^.{0,400}?(/[^:\n]{1,400}: (?:file too short|invalid ELF header|wrong ELF class: \w+"
    r"|ELF load command[ \w/]+|cannot map zero-fill pages))[^\n]*$", re.MULTILINE
)  # fmt: skip
_UNUSABLE = re.compile(r"[\s:$]")  # what separates the files of LD_PRELOAD, and what the loader replaces in their names


@dataclass(frozen=True, slots=True)
class Trace:
    """What the loader could not do. missing: libraries; undefined: (symbol, file); versions: (its words, file); damaged: its words."""

    missing: tuple[str, ...]
    undefined: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    damaged: tuple[str, ...]


NOTHING_WRONG = Trace((), (), (), ())


def trace(program: str, preloaded: Sequence[str], environment: Mapping[str, str]) -> Trace | str:
    """Trace a program with files loaded before it; a sentence where that cannot be done."""
    program = os.path.realpath(program)  # its $ORIGIN is where the file is, not where the link of a virtual environment is
    elf = read_elf(Path(program))
    if elf is None or not GLIBC.search(elf.interpreter):
        return f"{program} is not a program that glibc's loader starts"
    if not belongs_to(elf.interpreter, {0, os.geteuid()}):
        return f"the loader {elf.interpreter} of {program} is missing or belongs to another user"
    if any(_UNUSABLE.search(file) for file in preloaded):
        return "a path with a space, a colon or a $ cannot be traced"
    own = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "1", "LD_BIND_NOW": "1", "LC_ALL": "C"}
    files = [*(environment.get("LD_PRELOAD") or "").split(), *preloaded]
    try:
        done = called([elf.interpreter, program], WITHIN_S, {**environment, **own, **({"LD_PRELOAD": ":".join(files)} if files else {})})
    except (NoManagerError, OSError, subprocess.SubprocessError) as error:
        return f"the loader {elf.interpreter} could not be asked: {error}"
    found = parse(done.stdout + done.stderr, preloaded)
    return found if done.stdout or found != NOTHING_WRONG else f"the loader could not trace {program}"


def belongs_to(file: str, users: Collection[int]) -> bool:
    """Whether a file belongs to one of these users; others' files are not handed to the loader."""
    try:
        return Path(file).stat().st_uid in users
    except (OSError, ValueError):
        return False


def parse(text: str, preloaded: Sequence[str] = ()) -> Trace:
    """Read what the loader printed."""
    damaged = [match[1] for match in _DAMAGED.finditer(text) if "from LD_PRELOAD" not in match[0]]
    damaged += [f"{file}: {words}" for file, words in _REFUSED.findall(text) if file in preloaded]
    return Trace(
        tuple(dict.fromkeys(_MISSING.findall(text))),
        tuple(dict.fromkeys(_UNDEFINED.findall(text))),
        tuple(dict.fromkeys(_VERSION.findall(text))),
        tuple(dict.fromkeys(damaged)),
    )
