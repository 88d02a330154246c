"""Check that the libraries and programs are there which `watch`, the reports and the guard need."""

from __future__ import annotations

import shutil
from importlib import import_module

from forensics.doctor.host import OK, PROBLEM, Finding, Host

NEEDED = {"polars": "reports and alerts", "pyarrow": "reports and alerts"}
OF_WATCH = {"systemd.journal": "`watch` cannot follow the journal", "prometheus_client": "`watch` has no metrics"}
DAMAGED = "The program cannot do what it is for; often a library of the system was removed or replaced."
AGAIN = "Install it again: `pip install --force-reinstall tabby-forensics`."
LIVE = "Install the extra `live`: tabby-forensics[live]."
OPTIONAL = ("nvidia-smi", "journalctl", "systemd-run")


def check(host: Host) -> Finding:
    broken = [f"{name} ({what}): {why}" for name, what in NEEDED.items() if (why := _why_not(name))]
    if broken:
        return Finding(PROBLEM, f"cannot be loaded: {'; '.join(broken)}", DAMAGED, AGAIN)
    lacking = [f"{name}: {what}" for name, what in OF_WATCH.items() if _why_not(name)]
    if lacking and host.watcher is None:
        return Finding(PROBLEM, "; ".join(lacking), "Nothing is alerted by this installation.", LIVE)
    there = [name for name in OPTIONAL if shutil.which(name)]
    return Finding(OK, f"all libraries can be loaded; programs of the host that are used: {', '.join(there) or 'none is there'}")


def _why_not(name: str) -> str:
    try:
        import_module(name)
    except Exception as error:  # noqa: BLE001 - a damaged library raises anything
        return f"{type(error).__name__}: {error}"
    return ""
