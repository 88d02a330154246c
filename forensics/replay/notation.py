"""Parse controls as they are written on a command line, such as 5/300 or 15s,for=1m,ready=45s."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from forensics.errors import UsageError
from forensics.policy.restart_setting import POLICIES
from forensics.replay.asked import DEFAULT_LIMIT, Probe, UnitFile
from forensics.replay.backoff import Pauses
from forensics.replay.limiters import StartLimit
from forensics.replay.litellm import Router
from forensics.replay.polls import Poll
from forensics.replay.reel import SHORTEST_S as SHORTEST_INTERVAL_S
from forensics.unit_file import UnitSettings, read_files, read_units, seconds

SHORTEST_S, LONGEST_S = 0.1, 366 * 86_400.0
LIMIT, PROBE, POLL, ROUTER = "5/300", "15s,for=1m,ready=45s", "60s,retries=2", "4/60s,requests=10s,retries=0"


def start_limit(text: str) -> StartLimit:
    """Parse `5/300` or `5/5min`: starts, and the interval in seconds or as systemd writes it."""
    burst, slash, interval = text.partition("/")
    return StartLimit(_whole(burst, text, LIMIT), _span(interval, text, LIMIT, least=0.0)) if slash else _refuse(text, LIMIT)


def probe(text: str) -> Probe:
    """Parse `15s,for=1m,ready=45s`."""
    every, given = _parts(text, PROBE, ("for", "ready"))
    default = Probe()
    return Probe(
        _span(every, text, PROBE),
        _span(given["for"], text, PROBE, least=0.0) if "for" in given else default.hold_s,
        _span(given["ready"], text, PROBE, least=0.0) if "ready" in given else default.ready_s,
    )


def poll(text: str) -> Poll:
    """Parse `60s,retries=2`."""
    every, given = _parts(text, POLL, ("retries",))
    return Poll(_span(every, text, POLL), _whole(given.get("retries", "0"), text, POLL))


def router(text: str) -> Router:
    """Parse `4/60s,requests=10s,retries=0`: allowed_fails and cooldown_time, how often requests come, num_retries."""
    first, given = _parts(text, ROUTER, ("requests", "retries"))
    fails, slash, cooldown = first.partition("/")
    if not slash:
        return _refuse(text, ROUTER)
    default = Router()
    return Router(
        _whole(fails, text, ROUTER),
        _span(cooldown, text, ROUTER),
        _whole(given["retries"], text, ROUTER) if "retries" in given else default.num_retries,
        _span(given["requests"], text, ROUTER) if "requests" in given else default.request_s,
    )


def interval_s(text: str) -> float:
    """Parse an interval of scrapes or evaluations, such as 15s. Raises UsageError."""
    return _span(text, text, "15s, and 1s at least", least=SHORTEST_INTERVAL_S)


def unit_files(path: Path) -> list[UnitFile]:
    """Read a unit file or drop-in, or all services below a directory, each with its drop-ins."""
    if path.is_dir():
        found = [settings for name, settings in read_units(path).items() if name.endswith(".service") and settings.values]
        if not found:
            raise UsageError(f"There is no unit file of a service in '{path}'.")
        return [replace(_of_settings(settings, f"{path}/{settings.unit}"), unit=settings.unit) for settings in found]
    settings = read_files(path.name, [path, *sorted(path.with_name(f"{path.name}.d").glob("*.conf"))])
    if not settings.files:
        raise UsageError(f"'{path}' cannot be read as a unit file.")
    return [_of_settings(settings, str(path))]


def _of_settings(settings: UnitSettings, file: str) -> UnitFile:
    """Take from a unit file what decides about restarts; what it sets wrongly systemd ignores."""
    burst = settings.last("StartLimitBurst")
    interval = seconds(settings.last("StartLimitIntervalSec"))
    limit = StartLimit(
        int(burst) if burst.isdecimal() else DEFAULT_LIMIT.burst, DEFAULT_LIMIT.interval_s if interval is None else min(interval, LONGEST_S)
    )
    policy = settings.last("Restart")
    first = seconds(settings.last("RestartSec"))
    steps, longest = settings.last("RestartSteps"), seconds(settings.last("RestartMaxDelaySec"))
    return UnitFile(
        file, limit, policy if policy in POLICIES else None,
        None if first is None else Pauses(first, int(steps) if steps.isdecimal() else 0, math.inf if longest is None else longest),
        settings.last("OnFailure"), settings.last("RestartMode") == "direct",
    )  # fmt: skip


def _parts(text: str, example: str, names: tuple[str, ...]) -> tuple[str, Mapping[str, str]]:
    first, *rest = (part.strip() for part in text.split(","))
    given = dict(part.partition("=")[::2] for part in rest)
    if any(name not in names for name in given) or any("=" not in part for part in rest):
        return _refuse(text, example)
    return first, given


def _whole(number: str, text: str, example: str) -> int:
    return int(number) if number.strip().isdecimal() and len(number) < 10 else _refuse(text, example)


def _span(span: str, text: str, example: str, *, least: float = SHORTEST_S) -> float:
    parsed = seconds(span)
    return parsed if parsed is not None and least <= parsed <= LONGEST_S else _refuse(text, example)


def _refuse(text: str, example: str) -> NoReturn:
    raise UsageError(f"'{text}' is not written like {example}.")
