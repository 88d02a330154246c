"""Write a tracker as rows of JSON, one per class, unit and alert, so that only what changed is written, and read it back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

from forensics.alerting.alert import Alert
from forensics.alerting.stored_values import rebuilt
from forensics.model.values import UnitKey
from forensics.policy.class_state import ClassState
from forensics.watch.families import Families
from forensics.watch.floods import Flood, Floods, NewClasses
from forensics.watch.logged_before import LoggedBefore
from forensics.watch.open_alerts import OpenAlerts
from forensics.watch.tracked import StoredUnit, TrackedMachine, TrackedUnit, restored_unit, stored_unit, this_boot
from forensics.watch.tracker import Tracker
from forensics.watch.wordings import Wordings

Row = tuple[str, str]  # kind, key
Rows = Mapping[Row, str]


@dataclass(frozen=True, slots=True)
class Host:
    """What a tracker knows of its host. clock: the boot that steady clocks count from."""

    host: str = ""
    lost_at: float = 0.0
    clock: str = ""
    delivered: list[tuple[float, bool]] = field(default_factory=list)


def parts_of(tracker: Tracker) -> dict[str, Mapping[Any, Any]]:
    """List what is stored of a tracker, by kind and key."""
    floods = tracker.alerts.floods
    return {
        "class": tracker.classes,
        "unit": tracker.units,
        "machine": tracker.machines,
        "open": tracker.alerts.by_key,
        "flood": floods.of_units,
        "host flood": {} if floods.of_host is None else {"": floods.of_host},
        "job": tracker.jobs,
        "once": tracker.families.once,
        "repeated": tracker.families.repeated,
        "nonfatal": tracker.nonfatal,
        "wording": tracker.wordings.known,
        "logged": tracker.logged,
        "host": {"": Host(tracker.host, tracker.lost_at, this_boot(), floods.delivered)},
    }


def rows_of(tracker: Tracker) -> dict[Row, str]:
    """Write all rows, for `restored_tracker`."""
    return {(kind, _key(key)): _text(value) for kind, part in parts_of(tracker).items() for key, value in part.items()}


@dataclass(slots=True)
class WrittenRows:
    """Find out what changed since the last time. written: the values of then; stored: rows on disk that were not compared yet."""

    stored: set[Row] = field(default_factory=set)
    written: dict[str, dict[Any, Any]] = field(default_factory=dict)

    def changes(self, tracker: Tracker) -> tuple[dict[Row, str], list[Row]]:
        """Return the rows that are new or changed, and those that are gone."""
        changed: dict[Row, str] = {}
        gone: list[Row] = []
        for kind, part in parts_of(tracker).items():
            before = self.written.setdefault(kind, {})
            for key in [key for key, value in part.items() if key not in before or before[key] != value]:
                changed[kind, _key(key)] = _text(part[key])
                before[key] = deepcopy(part[key])
            if len(before) > len(part):
                left = [key for key in before if key not in part]
                gone += [(kind, _key(key)) for key in left]
                for key in left:
                    del before[key]
        gone += [row for row in self.stored if row not in changed]
        self.stored = set()
        return changed, gone


def restored_tracker(rows: Rows) -> Tracker:
    """Read what `rows_of` wrote. Raises ValueError."""
    parts: dict[str, dict[str, str]] = {}
    try:
        for (kind, key), text in rows.items():
            parts.setdefault(kind, {})[key] = text
        return _restored(parts)
    except (TypeError, AttributeError, RecursionError, OverflowError, IndexError) as error:
        raise ValueError(str(error)) from error


def _restored(parts: Mapping[str, Mapping[str, str]]) -> Tracker:
    def part(kind: str, of: Any, key_of: Callable[[str], Any] = _unit_key) -> dict[Any, Any]:
        return {key_of(key): rebuilt(of, json.loads(text)) for key, text in parts.get(kind, {}).items()}

    host = part("host", Host, str).get("", Host())
    machines = part("machine", TrackedMachine, str)
    if host.clock != this_boot():  # the host was booted since: its clock began anew
        for machine in machines.values():
            machine.offset = None
    return Tracker(
        classes=part("class", ClassState, _class_key),
        units={key: restored_unit(stored) for key, stored in part("unit", StoredUnit).items()},
        machines=machines,
        alerts=OpenAlerts(
            part("open", Alert, str),
            Floods(part("flood", NewClasses, str), part("host flood", Flood, str).get(""), host.delivered),
            grouped=Counter(),
        ),
        jobs=part("job", type(None)),
        families=Families(part("once", dict[str, None]), part("repeated", type(None))),
        nonfatal=part("nonfatal", type(None), _class_key),
        wordings=Wordings(part("wording", tuple[str, int], str)),
        logged=part("logged", LoggedBefore),
        host=host.host,
        lost_at=host.lost_at,
    )


def rows_of_version_2(text: str) -> dict[Row, str]:
    """Split the JSON of everything that version 2 wrote into rows. Raises ValueError, TypeError or KeyError."""
    values = json.loads(text)
    families = values.get("families", {"once": [], "repeated": []})
    host = {name: values[name] for name in ("host", "lost_at", "clock")}
    parts: dict[str, Iterable[tuple[Any, Any]]] = {
        "class": (((key[:3], key[3]), value) for *key, value in values["classes"]),
        "unit": ((key, _unit_of_version_2(value)) for *key, value in values["units"]),
        "machine": values["machines"],
        "open": ((key, json.loads(alert)) for key, alert in values["open"]),
        "job": ((key, None) for key in values["jobs"]),
        "once": ((key[:3], dict.fromkeys(key[3:])) for key in families["once"]),
        "repeated": ((key, None) for key in families["repeated"]),
        "nonfatal": (((key[:3], key[3]), None) for key in values["nonfatal"]),
        "host": [("", host)],
    }
    return {(kind, _key(key)): json.dumps(value) for kind, part in parts.items() for key, value in part}


def _unit_of_version_2(unit: dict[str, Any]) -> dict[str, Any]:
    return {"unit": unit, "last_is_in_span": unit["state"]["last_is_in_span"]}


def _key(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key)


def _text(value: Any) -> str:
    if isinstance(value, TrackedUnit):
        return json.dumps(stored_unit(value))
    return json.dumps(asdict(value) if is_dataclass(value) and not isinstance(value, type) else value)


def _unit_key(text: str) -> UnitKey:
    unit: UnitKey = rebuilt(UnitKey, json.loads(text))
    return unit


def _class_key(text: str) -> tuple[UnitKey, str]:
    key: tuple[UnitKey, str] = rebuilt(tuple[UnitKey, str], json.loads(text))
    return key
