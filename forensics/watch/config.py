"""`watch.toml` in, what `watch` shall do out; all mistakes of the file at once. Secrets stand in files or the environment.

A setting of a sink may be given as `<name>_file` (its content) or `<name>_env` (a variable) instead of `<name>`.
"""

from __future__ import annotations

import os
import shutil
import tomllib
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
from forensics.wording import plural

TOP = {"units": list, "learn": str, "listen": str, "sink": list}
TYPES = {"json_lines": bool, "command": list}  # all other settings are texts
SAID = {list: "list", str: "text", bool: "truth value"}


@dataclass(frozen=True, slots=True)
class Config:
    """sinks by name. units: shell patterns. listen: HOST:PORT of the exporter, None for none."""

    sinks: Mapping[str, Sink]
    units: tuple[str, ...] = ("*",)
    learn: str = "30d"
    listen: str | None = None


def read_config(file: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """The settings in `file`; without one, alerts go to standard output. Raises UsageError with every mistake."""
    if file is None:
        return Config({"stdout": Stdout()})
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"'{file}' cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    wrong = [f"there is no setting '{name}'" for name in values if name not in TOP]
    wrong += [f"'{name}' is no {SAID[kind]}" for name, kind in TOP.items() if name in values and not isinstance(values[name], kind)]
    tables = values.get("sink", [])
    sinks, mistakes = _sinks(tables if isinstance(tables, list) else [], environment)
    wrong += mistakes
    units = values.get("units", ["*"])
    if isinstance(units, list) and not all(isinstance(unit, str) for unit in units):
        wrong.append("'units' is not a list of texts")
    elif isinstance(units, list):
        units = [unit_pattern(unit) for unit in units]
    if isinstance(values.get("learn"), str) and not _is_time(values["learn"]):
        wrong.append(f"'learn' is no time such as 30d: '{values['learn']}'")
    if isinstance(values.get("listen"), str) and address(values["listen"]) is None:
        wrong.append("'listen' is not HOST:PORT")
    if wrong:
        raise UsageError(f"'{file}' has {plural(len(wrong), 'mistake')}: {'; '.join(wrong)}.")
    return Config(sinks or {"stdout": Stdout()}, tuple(units), values.get("learn", "30d"), values.get("listen"))


def address(text: str) -> tuple[str, int] | None:
    """HOST:PORT, also [::1]:PORT; None for anything else."""
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isascii() and port.isdigit() and int(port) < 65536 else None


def _sinks(tables: list[Any], environment: Mapping[str, str]) -> tuple[dict[str, Sink], list[str]]:
    sinks: dict[str, Sink] = {}
    wrong: list[str] = []
    for number, table in enumerate(tables, start=1):
        values = table if isinstance(table, dict) else {}
        name = str(values.get("name") or f"{values.get('type')}-{number}")
        made, mistakes = _sink(values, environment)
        wrong += [f"sink {name}: {mistake}" for mistake in mistakes]
        if name in sinks:
            wrong.append(f"sink {name}: this name is used twice")
        if made is not None:
            sinks[name] = made
    return sinks, wrong


def _sink(table: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[Sink | None, list[str]]:
    kind = table.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        return None, [f"there is no type '{kind}'; there are {', '.join(KINDS)}"]
    make, needed, possible = KINDS[kind]
    settings: dict[str, Any] = {}
    wrong: list[str] = []
    for key, value in table.items():
        if key not in {"type", "name"}:
            name, read, mistake = _setting(key, value, environment, (*needed, *possible))
            settings[name] = tuple(read) if isinstance(read, list) else read
            wrong += [mistake] if mistake else []
    wrong += [f"'{name}' is missing" for name in needed if name not in settings]
    if wrong:
        return None, wrong
    try:
        return make(**settings), []
    except ValueError as error:  # what a sink itself knows
        return None, [str(error)]


def _is_time(text: str) -> bool:
    try:
        return isinstance(parse_time(text, now=datetime.now(UTC), zone=UTC), datetime)
    except UsageError:
        return False


def _setting(key: str, value: Any, environment: Mapping[str, str], known: tuple[str, ...]) -> tuple[str, Any, str]:
    """The setting's name, its value, and what is wrong with it."""
    base, _, source = key.rpartition("_")
    if key not in known and base in known and source in {"file", "env"} and isinstance(value, str):
        read, mistake = _secret(source, value, environment)
        return base, read, f"'{key}': {mistake}" if mistake else _mistake(base, read)
    return key, value, _mistake(key, value) if key in known else f"there is no setting '{key}'"


def _secret(source: str, name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    if source == "env":
        return environment.get(name, ""), "" if environment.get(name) else f"the variable {name} is not set"
    try:
        return Path(name).expanduser().read_text(encoding="utf-8").strip(), ""
    except (OSError, RuntimeError, UnicodeDecodeError) as error:  # RuntimeError: there is no such user
        return "", f"'{name}' cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"


def _mistake(name: str, value: Any) -> str:
    """What is wrong with a value; never the value itself, it may be a secret."""
    kind: type[Any] = TYPES.get(name, str)
    if not isinstance(value, kind):
        return f"'{name}' is no {SAID[kind]}"
    if name == "url" and not is_address(value):
        return "'url' is no http or https address"
    if name == "command" and not (value and all(isinstance(part, str) for part in value)):
        return "'command' is not a list of texts"
    if name == "command" and shutil.which(value[0]) is None:
        return f"'command': there is no program '{value[0]}'"
    return ""


def is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and text.isprintable() and " " not in text
