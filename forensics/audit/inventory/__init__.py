"""Find out what controls are there: in Prometheus, Alertmanager, unit files, LiteLLM, Uptime Kuma and the journal. Nothing is changed."""

from forensics.audit.inventory.dump import as_json, read_json
from forensics.audit.inventory.found import Inventory
from forensics.audit.inventory.gather import Asked

__all__ = ["Asked", "Inventory", "as_json", "read_json"]
