"""Judge links by what the history shows: alerts in the journal, the replay of the incident."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.audit.checks.chain import DELIVERED, FIRES
from forensics.audit.inventory import Inventory
from forensics.model import controls
from forensics.model.controls import Link, Replayed
from forensics.wording import duration, plural


def delivered_by_journal(found: Inventory, otherwise: str) -> Link:
    """Judge by the alerts about the unit in the journal. otherwise: why none is there."""
    alerts = found.journal.alerts
    if alerts.count:
        return Link(DELIVERED, True, f"the journal has {plural(alerts.count, 'alert')} about the unit, last: {alerts.text}")
    return Link(DELIVERED, None, otherwise)


def fires_in_replay(replayed: Sequence[Replayed], fires: str) -> Link:
    """Judge by the first control that fired in the replay. fires: what is between its name and the time."""
    firing = next((each for each in replayed if each.status == controls.FIRES), None)
    if firing is not None:
        return Link(FIRES, True, f"{firing.control}{fires} {duration(firing.after_s)} after the start of the incident")
    return Link(FIRES, False if replayed else None, replayed[0].reason if replayed else "it was not replayed")
