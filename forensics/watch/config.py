"""Read watch.toml; report all its mistakes at once.

A setting of a sink may be given as `<name>_file` (a file that holds it) or `<name>_env` (a variable) instead of `<name>`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from forensics.alerting.sinks import KINDS
from forensics.alerting.sinks.sink import Sink
from forensics.alerting.sinks.stdout import Stdout
from forensics.errors import UsageError
from forensics.query import unit_pattern
from forensics.timespec import parse_time
from forensics.toml_file import Table, UnreadableError, read_toml, read_utf8, refuse_mistakes

KEYS = ("units", "learn", "listen", "sink")
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%\w+)?)\]|([^\[\]:]+)):([0-9]{1,5})")
LONGEST_NAME, LONGEST_SETTING = 100, 8192  # characters of a sink's name, and of a URL, token or tenant: what servers take in a header
NOT_STRINGS = ("json_lines", "command")  # all other settings of sinks are strings


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """sinks: by name. units: shell patterns. listen: HOST:PORT of the exporter, None for none."""

    sinks: Mapping[str, Sink]
    units: tuple[str, ...] = ("*",)
    learn: str = "30d"
    listen: str | None = None


def read_config(file: Path | None, environment: Mapping[str, str] = os.environ) -> WatchConfig:
    """Read the settings in `file`; without one, alerts go to standard output. Raises UsageError with every mistake."""
    if file is None:
        return WatchConfig({"stdout": Stdout()})
    table = read_toml(file)
    table.refuse_unknown_keys(KEYS)
    config = WatchConfig(
        sinks=_sinks(table, environment),
        units=tuple(unit_pattern(unit) for unit in table.strings("units", ("*",))),
        learn=_learn(table),
        listen=_listen(table),
    )
    refuse_mistakes(table)
    return config


def host_and_port(text: str) -> tuple[str, int] | None:
    """Split HOST:PORT; an IPv6 address is in brackets, as in [::1]:PORT. None for anything else."""
    address = _ADDRESS.fullmatch(text) if text.isprintable() else None
    return (address[1] or address[2], int(address[3])) if address and int(address[3]) < 65536 else None


def url_problem(text: str) -> str | None:
    """What is wrong with the URL of a receiver; None for nothing."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return "must have no spaces, line ends, control characters or letters beyond ASCII; write those as %XX"
    try:
        parts = urlsplit(text)
        has_port = parts.port != 0
    except ValueError:
        parts, has_port = urlsplit(""), False
    if parts.scheme not in {"http", "https"} or not parts.hostname or not has_port:
        return "must start with http:// or https://, a host and, if there is one, a port from 1 to 65535"
    return "must have no user and no password before the host; give a token instead" if "@" in parts.netloc else None


def _learn(table: Table) -> str:
    learn = table.string("learn", "30d")
    if learn and not _is_time(learn):
        table.refuse("learn", "expected a duration such as 30d")
    return learn


def _is_time(text: str) -> bool:
    try:
        return isinstance(parse_time(text, now=datetime.now(UTC), zone=UTC), datetime)
    except UsageError:
        return False


def _listen(table: Table) -> str | None:
    if "listen" not in table.values:
        return None
    listen = table.string("listen")
    if listen and host_and_port(listen) is None:
        table.refuse("listen", "must be HOST:PORT, such as 127.0.0.1:9847 or [::1]:9847")
    return listen


def _sinks(table: Table, environment: Mapping[str, str]) -> dict[str, Sink]:
    sinks: dict[str, Sink] = {}
    for number, row in enumerate(table.tables("sink"), start=1):
        kind = row.choice("type", KINDS)
        name = _sink_name(row) or f"{kind}-{number}"
        sink = _sink(row, kind, environment) if kind else None
        if name in sinks:
            row.refuse("name", "another sink has this name")
        if sink is not None:
            sinks[name] = sink
    return sinks or {"stdout": Stdout()}


def _sink_name(row: Table) -> str:
    name = row.string("name", "", may_be_blank=True)
    if not name.isprintable() or len(name) > LONGEST_NAME:
        row.refuse("name", f"must be one line of at most {LONGEST_NAME} visible characters")
        return ""
    return name


def _sink(row: Table, kind: str, environment: Mapping[str, str]) -> Sink | None:
    """Make the sink of a [[sink]] table, None when something is wrong with it."""
    make, required, optional = KINDS[kind]
    mistakes_before = len(row.mistakes)
    settings = _settings(row, (*required, *optional), environment)
    for name in required:
        if name not in settings:
            row.refuse(name, "is missing")
    if len(row.mistakes) > mistakes_before:
        return None
    try:
        return make(**settings)
    except ValueError as error:  # what only the sink itself can check
        row.refuse("", str(error))
        return None


def _settings(row: Table, names: tuple[str, ...], environment: Mapping[str, str]) -> dict[str, Any]:
    """Read the settings of a sink from the table, from files and from the environment."""
    settings: dict[str, Any] = {}
    for key in row.values:
        name, _, source = key.rpartition("_")
        if key in names:
            settings[key] = _setting(row, key)
        elif name in names and name not in NOT_STRINGS and source in {"file", "env"}:
            settings[name] = _read_secret(row, key, environment)
            _check(row, key, name, settings[name])
        elif key not in {"type", "name"}:
            row.refuse(key, f"unknown setting; expected {', '.join(names) or 'type and name only'}")
    return settings


def _setting(row: Table, name: str) -> Any:
    if name == "json_lines":
        return row.boolean(name)
    if name == "command":
        return _command(row)
    value = row.string(name, may_be_blank=True)
    _check(row, name, name, value if isinstance(row.values[name], str) else None)
    return value


def _command(row: Table) -> tuple[str, ...]:
    command = row.strings("command")
    if any("\0" in part for part in command):
        row.refuse("command", "must have no null character")
    elif command and shutil.which(command[0]) is None:
        row.refuse("command", f"there is no program '{command[0]}'")
    return command


def _read_secret(row: Table, key: str, environment: Mapping[str, str]) -> str | None:
    """Read what the file or the variable holds that `key` names; None for nothing. A mistake may have put the secret itself there."""
    source = row.string(key)
    if not source:
        return None
    if key.endswith("_env"):
        if not environment.get(source):
            row.refuse(key, "this environment variable is not set")
        return environment[source].strip() if environment.get(source) else None
    try:
        value = read_utf8(Path(source).expanduser()).strip()
    except UnreadableError as error:
        row.refuse(key, error.mistake.text)
    except RuntimeError:
        row.refuse(key, "cannot be read: there is no such user")
    else:
        if value:
            return value
        row.refuse(key, "is empty")
    return None


def _check(row: Table, key: str, name: str, value: str | None) -> None:
    """Refuse what cannot be sent: a URL that is none, or a token or tenant that does not fit into a header of HTTP."""
    if value is None:
        return
    if len(value) > LONGEST_SETTING:
        row.refuse(key, f"is longer than {LONGEST_SETTING:,} characters")
    elif name == "url":
        if problem := url_problem(value):
            row.refuse(key, problem)
    elif not (value.isascii() and value.isprintable()):
        row.refuse(key, "must be one line of visible ASCII characters")
