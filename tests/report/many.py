"""Twelve incidents as a bad week has them: four units after one change, three within a minute, one unit three times, two that go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from forensics.model.values import Bin, Detection, Incident, Report
from tests.report import sample

_CLASSES = ("torch.abi-mismatch", "cuda.out-of-memory", "port.in-use", "loader.library-missing")


def report() -> Report:
    base = sample.several(12)
    made = tuple(_made(base.incidents[0], k) for k in range(12))
    return replace(
        base,
        units=tuple(dict.fromkeys(incident.unit for incident in made)),
        incidents=made,
        restarts=replace(base.restarts, in_incidents=sum(incident.restarts for incident in made)),
    )


def _made(first: Incident, k: int) -> Incident:
    """One phase of the seed's incident for most; the whole of it for the first."""
    if k == 0:
        return first
    unit, start, hours, name, ongoing = _PLAN[k - 1]
    end = start + timedelta(hours=hours)
    row = replace(next(row for row in first.classes if row.signature == _CLASSES[name]), restarts=40 * k, failures=40 * k, share=1.0)
    shared = k < 4
    return replace(
        first,
        id=f"hydra-ai/{unit}/{start:%Y-%m-%dT%H:%M:%SZ}",
        unit=unit,
        ongoing=ongoing,
        start=start,
        end=None if ongoing else end,
        restarts=40 * k,
        failures=40 * k,
        downtime_s=hours * 3600,
        phases=(replace(first.phases[0], start=start, end=end, restarts=40 * k, primary=row.signature, classes={row.signature: 40 * k}),),
        classes=(row,),
        changes=first.changes[:1] if shared else (),
        trigger=first.trigger if shared else None,
        trigger_text=first.trigger_text if shared else "no change found",
        fix_attempts=(),
        detection=Detection(None, None if k % 2 else start + timedelta(minutes=k), None, None),
        recovery=None if ongoing else end,
        time_to_recover_s=None if ongoing else hours * 3600,
        verdict=f"{unit} restarted {40 * k} times: {row.title}.",
        beside=(),
        bins=tuple(Bin(start + timedelta(hours=h), row.signature, 40 * k // (int(hours) + 1)) for h in range(int(hours) + 1)),
    )


def _at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return sample.START.replace(month=11 if day > 17 else 12, day=day, hour=hour, minute=minute, second=second)


_PLAN = (
    ("embeddings.service", _at(7, 21, 30, 4), 30.0, 3, False),
    ("litellm-proxy-for-the-whole-of-the-department.service", _at(7, 21, 31), 12.0, 3, False),
    ("whisper.service", _at(7, 21, 33), 4.0, 0, False),
    ("backup.service", _at(20, 3), 0.2, 2, False),
    ("backup.service", _at(24, 3), 0.2, 2, False),
    ("backup.service", _at(12, 3), 0.3, 2, False),
    ("worker@1.service", _at(2, 9, 0, 10), 6.0, 1, False),
    ("worker@2.service", _at(2, 9, 0, 40), 7.0, 1, False),
    ("worker@3.service", _at(2, 9, 1, 20), 5.5, 1, False),
    ("postgres-exporter.service", _at(16, 5), 43.0, 2, True),
    ("grafana-agent.service", _at(17, 12), 12.0, 0, True),
)
