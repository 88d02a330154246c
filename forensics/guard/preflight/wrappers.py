"""Find the program behind a wrapper of Nix, which names in its own text what it starts with which environment.

Source: nixpkgs, pkgs/build-support/setup-hooks/make-binary-wrapper/make-binary-wrapper.sh (`docstring`, `formatArgs`).
"""

from __future__ import annotations

import re
from pathlib import Path

from forensics.guard.preflight.elf import excerpt, read_elf

WRAPPER, LONGEST = b"\nmakeCWrapper ", 16_384
PYTHON = b"\0PyErr_SetString\0"  # a function that each Python has
MOST_WRAPPERS = 3  # around one another
_TARGET = re.compile(rb"'(/[^'\0\n]+)'")
_SETS_LIBRARIES = re.compile(rb"'(?:LD_[A-Z_]+|PYTHONPATH|NIX_LD\w*)'|--run|--chdir")


def behind(program: str) -> str:
    """Return the program that a wrapper starts, any other program as it is; "" for a wrapper that may set where libraries are."""
    for _ in range(MOST_WRAPPERS):
        command = excerpt(Path(program), WRAPPER, LONGEST)
        if command is None:
            return program
        command = command.partition(b"\n\n")[0].partition(b"\0")[0]
        target = _TARGET.match(command)
        if target is None or _SETS_LIBRARIES.search(command):
            return ""
        program = target[1].decode("utf-8", "surrogateescape")
    return ""


def is_python(program: str) -> bool:
    """Whether a program is the interpreter itself, by the library that it needs or a function that it has."""
    elf = read_elf(Path(program))
    by_library = elf is not None and any(name.startswith("libpython") for name in elf.needed)
    return by_library or excerpt(Path(program), PYTHON) is not None
