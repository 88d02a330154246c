"""Gather an inventory from the sources that the user names, all servers at the same time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forensics.audit.inventory.alertmanager import Alertmanager, read_alertmanager
from forensics.audit.inventory.alertmanager_server import ask_alertmanager
from forensics.audit.inventory.found import Inventory
from forensics.audit.inventory.host_units import read_host
from forensics.audit.inventory.kuma import Kuma, ask_kuma, read_kuma
from forensics.audit.inventory.litellm import LiteLlm, ask_litellm, merged, read_litellm, with_answers
from forensics.audit.inventory.prometheus import Prometheus, read_prometheus
from forensics.audit.inventory.prometheus_server import ask_prometheus
from forensics.audit.inventory.selectors import tree_of
from forensics.audit.inventory.subject import Journal, Subject
from forensics.audit.inventory.units import Units, read_directory
from forensics.errors import UsageError
from forensics.rules import Rule
from forensics.sanitize import sanitized
from forensics.web import Server, is_url

VARIABLE = "TABBY_FORENSICS_{}_TOKEN"  # an environment variable: a token on the command line is seen by every user


@dataclass(frozen=True, slots=True)
class Asked:
    """Where to look: files or URLs. units: a directory of unit files. is_this_host: the running systemd is the audited host's."""

    prometheus: tuple[str, ...] = ()
    alertmanager: str = ""
    litellm: tuple[str, ...] = ()
    kuma: str = ""
    units: Path | None = None
    is_this_host: bool = False


def gather(asked: Asked, subject: Subject, journal: Journal, environment: Mapping[str, str] = os.environ) -> Inventory:
    """Look at all sources and redact what they hold. Raises UsageError as `refuse_missing` does."""
    refuse_missing(asked)
    tokens = {name: token_of(name, environment) for name in ("prometheus", "alertmanager", "litellm", "kuma")}
    jobs: dict[str, Callable[[], Any]] = {
        "prometheus": lambda: _prometheus(asked.prometheus, tokens["prometheus"], subject.unit),
        "alertmanager": lambda: _alertmanager(asked.alertmanager, tokens["alertmanager"]),
        "litellm": lambda: _litellm(asked.litellm, tokens["litellm"]),
        "kuma": lambda: _kuma(asked.kuma, tokens["kuma"]),
        "units": lambda: _units(asked, subject.manager),
    }
    return sanitized(Inventory(subject, journal, **_together(jobs)), redact=True)


def token_of(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the login of a server: a token, or user:password."""
    return environment.get(VARIABLE.format(name.upper()), "")


def refuse_missing(asked: Asked) -> None:
    """Raises UsageError for a file that is not there, and an address that is none."""
    for name in filter(None, (*asked.prometheus, asked.alertmanager, *asked.litellm, asked.kuma)):
        if is_url(name):
            Server(name)
        elif not Path(name).exists():
            raise UsageError(f"'{name}' does not exist; give a file, or a URL that starts with http:// or https://.")
    if asked.units is not None and not asked.units.is_dir():
        raise UsageError(f"--units: there is no directory '{asked.units}'.")


def _prometheus(names: tuple[str, ...], token: str, unit: str) -> Prometheus | None:
    """Look at Prometheus; of a file and a server the server counts, and what only the file has is not loaded."""
    found = [ask_prometheus(Server(name, token), unit) if is_url(name) else read_prometheus(Path(name)) for name in names]
    running = [each for each in found if each.is_running]
    configured = [each for each in found if not each.is_running]
    if not running or not configured:
        return found[0] if found else None
    loaded = {_identity(state.rule) for state in running[0].rules or ()}
    only_in_file = tuple(state.rule for state in configured[0].rules or () if _identity(state.rule) not in loaded)
    return replace(running[0], not_loaded=only_in_file, mistakes=configured[0].mistakes)


def _identity(rule: Rule) -> tuple[str, object]:
    """Identify a rule by its name and what its expression means: a server writes it in its own layout."""
    return rule.alert, tree_of(rule) or rule.expr


def _alertmanager(name: str, token: str) -> Alertmanager | None:
    if not name:
        return None
    return ask_alertmanager(Server(name, token)) if is_url(name) else read_alertmanager(Path(name))


def _litellm(names: tuple[str, ...], token: str) -> LiteLlm | None:
    found = [ask_litellm(Server(name, token)) if is_url(name) else read_litellm(Path(name)) for name in names]
    running, configured = [each for each in found if each.is_running], [each for each in found if not each.is_running]
    if not found:
        return None
    return with_answers(merged(configured[0], running[0]) if running and configured else found[0])


def _units(asked: Asked, manager: str) -> Units | None:
    if asked.units is not None:
        return read_directory(asked.units)
    return read_host(manager) if asked.is_this_host else None


def _kuma(name: str, token: str) -> Kuma | None:
    if not name:
        return None
    # an API key is sent as the password of a user without a name
    return ask_kuma(Server(name, token if ":" in token or not token else f":{token}")) if is_url(name) else read_kuma(Path(name))


def _together(jobs: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Run all jobs at once; the first error is raised when all are over."""
    results: dict[str, Any] = {}
    errors: list[Exception] = []

    def run(name: str) -> None:
        try:
            results[name] = jobs[name]()
        except Exception as error:  # noqa: BLE001 - it is raised below, in the thread that can handle it
            errors.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
