"""Check that the receivers of alerts can be reached; nothing is sent to them unless that is asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping

from forensics.alerting.alert import TEST, Alert
from forensics.alerting.sinks.sink import RefusedError, Sink, UnreachableError
from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host, watch_config
from forensics.guard.drill.reach import why_unreachable
from forensics.watch.config import WatchConfig

MEANS = "Alerts for it are queued on disk, and nobody gets them."
REMEDY = "Start the receiver or correct watch.toml; then prove it: `tabby-forensics doctor --send-test-alert`, or a drill."


def check(host: Host) -> Finding:
    config = watch_config(host)
    if not isinstance(config, WatchConfig) or not host.is_here:
        return Finding(UNKNOWN, "no sinks are known, or they cannot be asked from here")
    ask: Callable[[Sink], str] = (lambda sink: _why_not_sent(sink, host.now)) if host.sends_test else _why_unreachable
    reasons = asked_together(config.sinks, ask)
    bad = [f"{name}: {why}" for name, why in reasons.items() if why]
    if bad:
        return Finding(PROBLEM, "; ".join(bad), MEANS, REMEDY)
    how = "took a test alert" if host.sends_test else "can be reached (nothing was sent)"
    return Finding(OK, f"every sink {how}: {', '.join(reasons)}")


def asked_together(sinks: Mapping[str, Sink], ask: Callable[[Sink], str]) -> dict[str, str]:
    """Ask all sinks at the same time; return what is wrong with each, "" for nothing."""
    reasons = dict.fromkeys(sinks, "did not answer in time")

    def one(name: str, sink: Sink) -> None:
        reasons[name] = ask(sink)

    threads = [threading.Thread(target=one, args=(name, sink), daemon=True) for name, sink in sinks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40.0)
    return reasons


def _why_unreachable(sink: Sink) -> str:
    url = getattr(sink, "url", "")
    return why_unreachable(url) if url else ""


def _why_not_sent(sink: Sink, now: float) -> str:
    alert = Alert(TEST, "test.service", os.uname().nodename, "info", "this is a test; nothing is wrong", now)
    try:
        sink.send(alert)
    except (RefusedError, UnreachableError) as error:
        return str(error)
    return ""
