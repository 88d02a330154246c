"""Check that the libraries of a program or extension resolve in the unit's environment, and that extensions fit the installed PyTorch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from forensics.guard.preflight.checks import OK, Library, Outcome, failed, unknown
from forensics.guard.preflight.elf import read_elf
from forensics.guard.preflight.environment import bundled, module_file, needing, site_packages, torch_library
from forensics.guard.preflight.loader import Trace, belongs_to, trace
from forensics.guard.preflight.unit import Unit, interpreter_of
from forensics.guard.preflight.wrappers import behind, is_python

MOST_NEEDING, MOST_ROUNDS = 8, 3
TORCH_LIBRARY = re.compile(r"lib(?:torch|c10|shm\b|aoti)")
TORCH_SYMBOL = re.compile(r"_Z\w*?(?:3c10|5torch|2at\d|6caffe2)|aoti_torch_")  # as torch.abi-mismatch of the catalogue reads them
PYTHON_SYMBOL = re.compile(r"_?Py[A-Z_]")


@dataclass(frozen=True, slots=True)
class Place:
    """What loads extensions: an interpreter and the folders of its packages."""

    unit: Unit
    interpreter: str
    folders: tuple[Path, ...]


def check_library(check: Library, unit: Unit) -> Outcome:
    """Check a module, a file, or a library that the environment needs."""
    place = place_of(unit, check.program, needs_python=not check.file)
    if isinstance(place, str):
        return unknown(place)
    if check.module or check.file:
        file = Path(check.file) if check.file else module_file(check.module, place.folders)
        if file is None or not file.is_file():
            return unknown(f"{check.subject} is not in this environment")
        return check_file(file, place)
    return _check_name(check.name, place)


def place_of(unit: Unit, program: str = "", *, needs_python: bool = True) -> Place | str:
    """Find what loads the unit's extensions; a sentence where it is not known."""
    named = interpreter_of(unit, program)
    if not named:
        return _why_unknown(unit)
    interpreter = behind(named)
    if not interpreter:
        return f"{named} is a wrapper of Nix that may set where libraries are; name `program` in the checks"
    if not belongs_to(interpreter, unit.users):
        return f"{interpreter} is missing or belongs to another user, and is not handed to the loader"
    if needs_python and not is_python(interpreter):
        return f"{interpreter} is not Python itself; name `program` in the checks"
    return Place(unit, interpreter, site_packages(unit, named))


def check_program(unit: Unit) -> Outcome:
    """Check that the unit's own program finds the libraries that it is linked to: it cannot start without them."""
    interpreter = interpreter_of(unit)
    if not interpreter or read_elf(Path(interpreter)) is None:
        return unknown(_why_unknown(unit))
    if not belongs_to(interpreter, unit.users):
        return unknown(f"{interpreter} is missing or belongs to another user, and is not handed to the loader")
    found = trace(interpreter, (), unit.environment)
    if isinstance(found, str):
        return unknown(found)
    words = [*map(not_found, found.missing), *found.damaged, *(words for words, _ in found.versions)]
    return failed(_first(f"{interpreter}: error while loading shared libraries", words)) if words else OK


def check_file(file: Path, place: Place) -> Outcome:
    """Check a compiled file as an import would load it."""
    elf = read_elf(file)
    if elf is None:
        return _unreadable(file)
    if elf.is_cut:  # mapping it works, and the first access behind the end is a bus error
        return failed(f"{file}: file too short")
    if not belongs_to(str(file), place.unit.users):
        return unknown(f"{file} is missing or belongs to another user, and is not handed to the loader")
    found = loaded(file, place)
    if isinstance(found, str):
        return unknown(found)
    words = list(fatal(found, file, place))
    if words:
        return failed(_first("", words))
    return unknown(f"{file}: undefined symbol: {found.undefined[0][0]}, which another module may bring") if found.undefined else OK


def loaded(file: Path, place: Place) -> Trace | str:
    """Trace a file; what it may find loaded already at an import (PyTorch, bundled libraries) is loaded before it."""
    before: tuple[str, ...] = ()
    found: Trace | str = ""
    elf = read_elf(file)
    if elf is not None and any(map(TORCH_LIBRARY.match, elf.needed)):
        before = _torch(place)
    for _ in range(MOST_ROUNDS):
        found = trace(place.interpreter, [*before, str(file)], place.unit.environment)
        more = () if isinstance(found, str) else tuple(path for path in _brought(found, place) if path not in before)
        if not more:
            return found
        before = (*before, *more)
    return found


def fatal(found: Trace, file: Path, place: Place) -> Iterator[str]:
    """Yield what an import dies of, in the loader's own words; other undefined symbols may come from modules that are loaded before."""
    missing = [name for name in found.missing if bundled(name, place.folders) is None]
    yield from map(not_found, missing)
    yield from found.damaged
    yield from (words for words, _ in found.versions)
    if not missing:
        brought = _torch(place)
        for symbol, of in found.undefined:
            is_torchs = bool(brought) and TORCH_SYMBOL.match(symbol)
            if (is_torchs or PYTHON_SYMBOL.match(symbol)) and of == str(file):
                yield f"{of}: undefined symbol: {symbol}"


def not_found(library: str) -> str:
    """Write what the loader writes when a library is missing."""
    return f"{library}: cannot open shared object file: No such file or directory"


def _check_name(name: str, place: Place) -> Outcome:
    """Check a library of which is only known that something needed it: it is missing when nothing that needs it finds it."""
    files = [file for file in islice(needing(name, place.folders), MOST_NEEDING) if belongs_to(str(file), place.unit.users)]
    if not files:
        return unknown(f"nothing in the environment of {place.interpreter} needs {name}")
    for file in files:
        found = loaded(file, place)
        if isinstance(found, str):
            return unknown(found)
        if name not in found.missing:
            return OK
    return OK if bundled(name, place.folders) else failed(f"{not_found(name)} (needed by {files[0]})")


def _torch(place: Place) -> tuple[str, ...]:
    library = torch_library(place.folders)
    return () if library is None else (str(library),)


def _brought(found: Trace, place: Place) -> Iterator[str]:
    """Yield files that may be loaded before: PyTorch, where its symbols are missing, and libraries that a package brings along."""
    if any(TORCH_SYMBOL.match(symbol) for symbol, _ in found.undefined):
        yield from _torch(place)
    for library in found.missing:
        file = bundled(library, place.folders)
        if file is not None and belongs_to(str(file), place.unit.users):
            yield str(file)


def _first(prefix: str, words: list[str]) -> str:
    more = f" (and {len(words) - 1} more)" if len(words) > 1 else ""
    return f"{prefix}: {words[0]}{more}" if prefix else f"{words[0]}{more}"


def _unreadable(file: Path) -> Outcome:
    """Judge a file that is no ELF file: an empty or cut one cannot be loaded."""
    try:
        with file.open("rb") as stream:
            start = stream.read(64)
    except OSError as error:
        return unknown(f"{file} cannot be read: {error.strerror}")
    if len(start) < 64:
        return failed(f"{file}: file too short")
    return failed(f"{file}: invalid ELF header") if not start.startswith(b"\x7fELF") else unknown(f"{file} is for another machine")


def _why_unknown(unit: Unit) -> str:
    if not unit.program:
        return f"the program of {unit.name} is not known{': ' + unit.silent.rstrip('.') if unit.silent else ''}"
    return f"{unit.program} is, or is started by, a shell, which may set where libraries are; name `program` in the checks"
