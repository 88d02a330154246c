"""Read the checks of a unit from TOML, with every mistake and its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from forensics.guard.preflight.checks import About, Access, Check, Configuration, Disk, Library, Port, Vram
from forensics.toml_file import Table, read_toml, refuse_mistakes

FOLDER = Path("/etc/tabby-forensics/preflight")
ABOUT = ("class", "optional")
FORMATS = MappingProxyType(
    {".toml": "toml", ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".ini": "ini", ".cfg": "ini"}
)  # suffix → format
LEAST_FREE, LEAST_INODES = 16 << 20, 16
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([KMGT]i?)?B?")
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def default_file(unit: str, *, is_users: bool = False) -> Path:
    """Name the file that `generate preflight` writes for a unit."""
    folder = Path.home() / ".config/tabby-forensics/preflight" if is_users else FOLDER
    return folder / f"{unit}.toml"


def read_checks(file: Path) -> tuple[Check, ...]:
    """Read a file of checks. Raises UsageError with all mistakes."""
    table = read_toml(file)
    table.refuse_unknown_keys((*KINDS, "unit", "program"))
    table.string("unit", "")
    program = _path(table, "program", required=False)
    checks = tuple(read(row, program) for kind, read in KINDS.items() for row in table.tables(kind))
    refuse_mistakes(table)
    return tuple(check for check in checks if check is not None)


def bytes_of(text: str) -> int | None:
    """Read a size such as "21.28 GiB", "500M" or "1000"; None for anything else. Decimal units count as binary ones."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        return None
    return int(float(found[1]) * 1024 ** _POWERS.get((found[2] or " ")[0], 0))


def _library(row: Table, program: str) -> Check | None:
    row.refuse_unknown_keys((*ABOUT, "name", "module", "file"))
    named = [key for key in ("name", "module", "file") if key in row.values]
    if not {"module", "file"} & {*named}:
        name = row.string("name")
        if name and not re.fullmatch(r"[\w.+-]+", name):
            row.refuse("name", "must be the name of a library, such as libstdc++.so.6")
    if {"module", "file"} <= {*named}:
        row.refuse("", "name a module or a file, not both")
    module = row.string("module", "")
    if module and not re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", module):
        row.refuse("module", "must be a module, such as torch._C")
    return Library(_about(row), row.string("name", ""), module, _path(row, "file", required=False), program)


def _port(row: Table, _: str) -> Check | None:
    row.refuse_unknown_keys((*ABOUT, "port", "address"))
    port, address = _number(row, "port"), row.string("address", "")
    if port is not None and not 1 <= port <= 65_535:
        row.refuse("port", "must be from 1 to 65535")
    if address and not re.fullmatch(r"[0-9.]{7,15}|[0-9A-Fa-f:.]{2,45}", address):
        row.refuse("address", "must be an IP address, such as 127.0.0.1")
    return None if port is None else Port(_about(row), port, address)


def _access(row: Table, _: str) -> Check | None:
    row.refuse_unknown_keys((*ABOUT, "path", "access"))
    return Access(_about(row), _path(row, "path"), row.choice("access", ("exists", "read", "write", "execute"), "exists"))


def _configuration(row: Table, _: str) -> Check | None:
    row.refuse_unknown_keys((*ABOUT, "path", "format"))
    path = _path(row, "path")
    return Configuration(_about(row), path, row.choice("format", ("toml", "json", "yaml", "ini"), FORMATS.get(Path(path).suffix)))


def _disk(row: Table, _: str) -> Check | None:
    row.refuse_unknown_keys((*ABOUT, "path", "free", "inodes"))
    inodes = _number(row, "inodes") if "inodes" in row.values else LEAST_INODES
    return Disk(_about(row), _path(row, "path"), _size(row, LEAST_FREE), inodes or 0)


def _vram(row: Table, _: str) -> Check | None:
    row.refuse_unknown_keys((*ABOUT, "free", "gpu"))
    return Vram(_about(row), _size(row, None), _number(row, "gpu") if "gpu" in row.values else None)


def _about(row: Table) -> About:
    return About(row.string("class", ""), row.boolean("optional", default=False))


def _path(row: Table, key: str, *, required: bool = True) -> str:
    path = row.string(key, None if required else "")
    if path and (not path.startswith("/") or "\0" in path):
        row.refuse(key, "must be an absolute path")
        return ""
    return path


def _number(row: Table, key: str) -> int | None:
    value = row.values.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    row.refuse(key, "is missing" if value is None else "must be a whole number, not negative")
    return None


def _size(row: Table, default: int | None) -> int:
    value = row.values.get("free")
    if value is None and default is not None:
        return default
    amount = bytes_of(str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if amount is None:
        row.refuse("free", 'is missing; give a size, such as "2 GiB"' if value is None else 'must be a size, such as "2 GiB"')
    return amount or 0


KINDS: Mapping[str, Callable[[Table, str], Check | None]] = MappingProxyType(
    {"library": _library, "port": _port, "path": _access, "config": _configuration, "disk": _disk, "vram": _vram}
)  # the names of the tables
