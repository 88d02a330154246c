"""The checks, one file each, in the order in which an alert depends on them."""

from collections.abc import Callable

from forensics.doctor.checks import (
    clock,
    configuration,
    disk,
    exporter,
    gates,
    permissions,
    persistence,
    programs,
    prometheus,
    queue,
    rate_limits,
    retention,
    sinks,
    systemd_version,
    watch_alive,
    watch_unit,
)
from forensics.doctor.host import Finding, Host

CHECKS: dict[str, Callable[[Host], Finding]] = {
    "systemd": systemd_version.check,
    "programs": programs.check,
    "permissions": permissions.check,
    "persistence": persistence.check,
    "retention": retention.check,
    "rate-limits": rate_limits.check,
    "clock": clock.check,
    "disk": disk.check,
    "watch-unit": watch_unit.check,
    "watch-alive": watch_alive.check,
    "configuration": configuration.check,
    "sinks": sinks.check,
    "queue": queue.check,
    "exporter": exporter.check,
    "prometheus": prometheus.check,
    "gates": gates.check,
}

__all__ = ["CHECKS"]
