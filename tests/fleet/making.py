"""report.json files of many hosts, made from the golden report of the seed: other names, ids and times, or nothing that failed."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

SEED = Path(__file__).resolve().parents[2] / "fixtures/golden/seed.json"
NAME, MACHINE = "hydra-ai", "7c1e0a5d9b4f4c5f8a3e2d6b91f0c4a7"
TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z"')
WELL = {"incidents": [], "isolated": [], "classes": []}


@cache
def seed_text() -> str:
    return SEED.read_text()


def machine_id(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


def host_name(number: int) -> str:
    return f"gpu{number:04}"


def failed_text(number: int, later: timedelta = timedelta()) -> str:
    """Write the report of a host that failed as the seed did, `later` than it."""
    text = seed_text().replace(NAME, host_name(number)).replace(MACHINE, machine_id(number))
    return TIME.sub(lambda found: f'"{_moved(found[1], later)}Z"', text) if later else text


def failed(number: int, later: timedelta = timedelta(), **changed) -> dict:
    return {**json.loads(failed_text(number, later)), **changed}


def well(number: int, **changed) -> dict:
    """Make the report of a host on which nothing failed, as earlier versions wrote it: it names no machine and lists no changes."""
    report = {name: value for name, value in json.loads(seed_text()).items() if name not in ("machines", "changes")}
    totals = {name: dict.fromkeys(report[name], 0) for name in ("failures", "restarts")}
    return {**report, "host": host_name(number), "hosts": [host_name(number)], **WELL, **totals, **changed}


def _moved(text: str, later: timedelta) -> str:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) + later).replace(tzinfo=None).isoformat()
