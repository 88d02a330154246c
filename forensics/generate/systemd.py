"""Write the systemd unit of `watch`."""

from __future__ import annotations

from forensics.generate.settings import DESCRIPTION, NAME, SETTINGS

_REPEATED = {"SystemCallFilter"}  # a list with one line per element


def unit_text(program: str, listen: str | None) -> str:
    """Write tabby-forensics.service. program: the command that starts the program; listen: HOST:PORT for metrics."""
    command = f"{program} watch" + (f" --listen {listen}" if listen else "")
    lines = [
        f"# {NAME}.service: copy it to /etc/systemd/system and the configuration to /etc/{NAME}/watch.toml.",
        "[Unit]",
        f"Description={DESCRIPTION}",
        "Wants=network-online.target",
        "After=network-online.target systemd-journald.service",
        "",
        "[Service]",
        f"ExecStart={command}",
        *(line for name, value in SETTINGS.items() for line in _lines(name, value)),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _lines(name: str, value: object) -> list[str]:
    """The lines of one setting."""
    if name in _REPEATED and isinstance(value, list):
        return [f"{name}={element}" for element in value]
    if isinstance(value, list):
        return [f"{name}={' '.join(value)}"]
    return [f"{name}={ ({True: 'yes', False: 'no'}[value] if isinstance(value, bool) else value) }"]
