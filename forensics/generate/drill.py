"""Write a timer that drills once a month, and the service that it starts, for systemd or as a NixOS module."""

from __future__ import annotations

import re
from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.generate import nix_syntax
from forensics.generate.settings import NAME
from forensics.timespec import span_seconds
from forensics.web import Server

UNIT = "tabby-drill"
DESCRIPTION = "Prove that failures of services still reach somebody"
HEAD = (
    "Fails when a link of the alerting was silent: `journalctl -u tabby-drill` names it, and --on-failure UNIT notifies another way.",
    'Drills are in no report, and their alerts carry the label drill="true".',
)
SETTINGS = {
    "Type": "oneshot",
    "TimeoutStartSec": "2h",
    "StateDirectory": UNIT,
    "StateDirectoryMode": "0700",
    "NoNewPrivileges": "yes",
    "PrivateTmp": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "read-only",
}  # as root: it starts a unit, and reads the state of `watch`
ENVIRONMENT = {"XDG_STATE_HOME": f"/var/lib/{UNIT}", "XDG_CONFIG_HOME": "/etc", "POLARS_SKIP_CPU_CHECK": "1"}
TIMER = {"RandomizedDelaySec": "6h", "Persistent": "true"}
LONGEST_S = 3600.0
_CLASS = re.compile(r"[a-z0-9][a-z0-9.:/_-]{1,200}")
_CALENDAR = re.compile(r"[A-Za-z0-9 *,.:/~+-]{1,200}")
_UNIT = re.compile(r"[A-Za-z0-9:_.@%-]{1,248}\.[a-z]{4,9}")  # with %-specifiers, as OnFailure= takes them
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Monthly:
    """What to drill and when. classes: none for those that the host has shown; on_failure: a unit to start when a link is silent."""

    classes: tuple[str, ...] = ()
    calendar: str = "monthly"
    within: str = "5min"
    pages: tuple[str, ...] = ()
    on_failure: str = ""

    @property
    def needs_history(self) -> bool:
        """Whether words of the journal are played, and not only those of the catalogue."""
        return not self.classes or any(name.startswith("mined:") for name in self.classes)


def refuse_mistakes(wanted: Monthly) -> None:
    """Raises UsageError for what systemd or `drill` would refuse."""
    for name in wanted.classes:
        if not _CLASS.fullmatch(name):
            raise UsageError(f"--class: '{name}' is not the name of a class.")
    if not _CALENDAR.fullmatch(wanted.calendar):
        raise UsageError(f"--calendar: '{wanted.calendar}' is not a time such as monthly or 'Mon *-*-01 09:00'.")
    if not 1 <= (span_seconds(wanted.within) or 0.0) <= LONGEST_S:
        raise UsageError(f"--within {wanted.within}: must be from 1 s to 1 h, such as 5min.")
    if wanted.on_failure and not _UNIT.fullmatch(wanted.on_failure):
        raise UsageError(f"--on-failure: '{wanted.on_failure}' is not the name of a unit.")
    for page in wanted.pages:
        Server(page)


def drill_files(program: str, wanted: Monthly) -> dict[str, str]:
    """Write the service and the timer: file name → text."""
    return {f"{UNIT}.service": _service(program, wanted), f"{UNIT}.timer": _timer(wanted)}


def _service(program: str, wanted: Monthly) -> str:
    failure = [f"OnFailure={wanted.on_failure}"] if wanted.on_failure else []
    history = [f"ExecStartPre=-{program} ingest"] if wanted.needs_history else []
    lines = [
        f"# {UNIT}.service: copy it and {UNIT}.timer to /etc/systemd/system, then `systemctl enable --now {UNIT}.timer`.",
        *(f"# {line}" for line in HEAD),
        "[Unit]",
        f"Description={DESCRIPTION}",
        "Wants=network-online.target",
        f"After=network-online.target {NAME}.service",
        *failure,
        "",
        "[Service]",
        *history,
        f"ExecStart={program} {arguments(wanted)}",
        *(f"{name}={value}" for name, value in SETTINGS.items()),
        f"Environment={' '.join(f'{name}={value}' for name, value in ENVIRONMENT.items())}",
    ]
    return "\n".join(lines) + "\n"


def _timer(wanted: Monthly) -> str:
    timer = {"OnCalendar": wanted.calendar, **TIMER}
    settings = "".join(f"{name}={value}\n" for name, value in timer.items())
    return f"[Unit]\nDescription={DESCRIPTION}\n\n[Timer]\n{settings}\n[Install]\nWantedBy=timers.target\n"


def arguments(wanted: Monthly) -> str:
    """Spell the command's arguments for ExecStart=."""
    pages = [part for page in wanted.pages for part in ("--page", page)]
    return " ".join(_quoted(word) for word in ("drill", *(wanted.classes or ("--all",)), "--within", wanted.within, *pages))


def _quoted(word: str) -> str:
    """Quote a word for ExecStart=, where a percent sign and a dollar sign mean something (systemd.syntax(7))."""
    escaped = word.replace("%", "%%").replace("$", "$$")
    if _PLAIN.fullmatch(escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def nix_module(wanted: Monthly) -> str:
    """Write a NixOS module with the timer and its service; the program is that of `generate nix`, services.tabby-forensics.package."""
    program = f"${{config.services.{NAME}.package}}/bin/{NAME}"
    settings = {name: nix_syntax.string(value) for name, value in SETTINGS.items()}
    settings |= {"ExecStartPre": f'"-{program} ingest"'} if wanted.needs_history else {}
    settings["ExecStart"] = f'"{program} " + {nix_syntax.string(arguments(wanted))}'
    failure = f"    onFailure = [ {nix_syntax.string(wanted.on_failure)} ];\n" if wanted.on_failure else ""
    head = "".join(
        f"# {line}\n" for line in (f"{UNIT} as a NixOS module, beside that of `generate nix`: imports = [ ./{UNIT}.nix ];", *HEAD)
    )
    return f"""{head}{{ config, ... }}:
{{
  systemd.services.{UNIT} = {{
    description = {nix_syntax.string(DESCRIPTION)};
    wants = [ "network-online.target" ];
    after = [ "network-online.target" "{NAME}.service" ];
{failure}    environment = {{
{_assigned({name: nix_syntax.string(value) for name, value in ENVIRONMENT.items()})}    }};
    serviceConfig = {{
{_assigned(settings)}    }};
  }};
  systemd.timers.{UNIT} = {{
    description = {nix_syntax.string(DESCRIPTION)};
    wantedBy = [ "timers.target" ];
    timerConfig = {{
{_assigned({name: nix_syntax.string(value) for name, value in {"OnCalendar": wanted.calendar, **TIMER}.items()})}    }};
  }};
}}
"""


def _assigned(values: dict[str, str]) -> str:
    return "".join(f"      {name} = {value};\n" for name, value in values.items())
