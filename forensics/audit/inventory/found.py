"""Define the inventory: all that an audit judges, gathered once, so that it can be repeated anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.audit.inventory.alertmanager import Alertmanager
from forensics.audit.inventory.kuma import Kuma
from forensics.audit.inventory.litellm import LiteLlm
from forensics.audit.inventory.prometheus import Prometheus
from forensics.audit.inventory.subject import Journal, Subject
from forensics.audit.inventory.units import Unit, Units


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is audited, and what is there; null: that source was not given."""

    subject: Subject
    journal: Journal
    prometheus: Prometheus | None = None
    alertmanager: Alertmanager | None = None
    units: Units | None = None
    litellm: LiteLlm | None = None
    kuma: Kuma | None = None

    @property
    def unit(self) -> Unit | None:
        """Return the audited unit as it is configured."""
        return self.units.units.get(self.subject.unit) if self.units is not None else None

    @property
    def systemd(self) -> int | None:
        """Return systemd's version: of the running one, else of the last boot in the journal."""
        running = self.units.systemd if self.units is not None else None
        return running if running is not None else self.journal.systemd
