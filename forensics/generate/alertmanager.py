"""Write a configuration of Alertmanager that delivers the generated rules: routes, a receiver, and which alerts hide others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from forensics.generate.basis import Basis, head
from forensics.generate.receivers import Receiver
from forensics.generate.yaml_text import yaml_text

CRITICAL_WAIT_S = 5  # long enough for an alert that hides others to arrive first
GROUPED_BY = ["alertname", "host", "unit"]
_HAS_UNIT = 'unit=~".+"'  # without it, alerts that have no unit at all would hide each other


def configuration(receiver: Receiver, watchdog: Receiver | None = None) -> dict[str, Any]:
    """Build the configuration. watchdog: a dead man's switch that complains when Watchdog stops arriving."""
    receivers = [{"name": receiver.kind, **receiver.integration}]
    receivers.append({"name": "watchdog", **(_without_resolved(watchdog) if watchdog else {})})
    return {
        "route": {
            "receiver": receiver.kind,
            "group_by": GROUPED_BY,
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "4h",
            "routes": [
                {
                    "matchers": ['alertname="Watchdog"'],
                    "receiver": "watchdog",
                    "group_wait": "0s",
                    "group_interval": "1m",
                    "repeat_interval": "1m",
                },
                {
                    "matchers": ['severity="critical"'],
                    "receiver": receiver.kind,
                    "group_wait": f"{CRITICAL_WAIT_S}s",
                    "group_interval": "1m",
                    "repeat_interval": "1h",
                },
            ],
        },
        "receivers": receivers,
        "inhibit_rules": [
            {
                "source_matchers": ['alertname=~"UnitDown|UnitFailed"', _HAS_UNIT],
                "target_matchers": ['alertname="UnitRestartLoop"', _HAS_UNIT],
                "equal": ["host", "unit"],
            }
        ],
    }


def alertmanager_text(head: str, receiver: Receiver, watchdog: Receiver | None = None) -> str:
    """Write alertmanager.yml. head: comments."""
    return head + yaml_text(configuration(receiver, watchdog))


def head_lines(basis: Basis, receiver: Receiver, watchdog: Receiver | None) -> Iterator[str]:
    """Yield the lines at the head of the file; no URL is in them."""
    yield from head(basis, "Alertmanager", "alertmanager", [])
    yield f"Alerts go to {receiver.described}. {receiver.needs}".strip()
    if watchdog is None:
        yield (
            "Watchdog goes nowhere yet: give the receiver `watchdog` a dead man's switch (--watchdog), which complains when Watchdog "
            "no longer arrives; nothing else shows that Prometheus or Alertmanager is down."
        )
    else:
        yield f"Watchdog goes to {watchdog.described}. {watchdog.needs}".strip()
    yield (
        f"A critical alert leaves {CRITICAL_WAIT_S} s after it fires (group_wait), again each hour. UnitDown and UnitFailed hide "
        "UnitRestartLoop of the same host and unit. `host` is a label of your scrape configuration or external_labels; without it alerts "
        "are grouped by name and unit only."
    )
    yield (
        "Not proven here: that the receiver answers. `replay --rules FILE --alertmanager FILE` shows when a page would have left, "
        "`audit --alertmanager URL --send-test-alert` sends one."
    )
    yield "Check it with `amtool check-config FILE`, and see who gets what with `amtool config routes test severity=critical unit=…`."


def _without_resolved(watchdog: Receiver) -> dict[str, Any]:
    """Send no "resolved" to a dead man's switch, which would count it as a sign of life."""
    return {name: [{**element, "send_resolved": False} for element in elements] for name, elements in watchdog.integration.items()}
