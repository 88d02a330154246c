"""Check that the user's files have no mistakes, and that an alert reaches a person."""

from __future__ import annotations

import os

from forensics.alerting.sinks.loki import Loki
from forensics.alerting.sinks.stdout import Stdout
from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host, watch_config
from forensics.errors import UsageError
from forensics.guard.drill.watch_files import environment_of
from forensics.paths import overrides_file

CHECK = "`tabby-forensics watch --check-config` names each mistake."


def check(host: Host) -> Finding:
    config = watch_config(host)
    if config is None:
        return Finding(UNKNOWN, "no configuration of `watch` is known", "Which sinks there are is not known.", "Give --config.")
    if isinstance(config, str):
        means = "`watch` would not start again, and does not take the changes over."
        return Finding(PROBLEM, config, means, CHECK)
    from forensics.classes.overrides import read_overrides  # noqa: PLC0415 - it needs polars, which may be what is broken

    try:
        read_overrides(overrides_file(os.environ if host.watcher is None else environment_of(host.watcher)))
    except UsageError as error:
        return Finding(PROBLEM, str(error), "`watch` would not start again.", CHECK)
    if all(isinstance(sink, Stdout | Loki) for sink in config.sinks.values()):
        means = "Alerts are written down, and nobody receives them."
        return Finding(PROBLEM, f"no sink reaches a person: {', '.join(config.sinks)}", means, "Add one, such as ntfy, to watch.toml.")
    return Finding(OK, f"watch.toml has no mistakes; sinks: {', '.join(config.sinks)}; units: {', '.join(config.units)}")
