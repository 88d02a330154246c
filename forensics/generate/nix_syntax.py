"""Write strings and names of Nix, in which ${ begins an expression."""

from __future__ import annotations

import json


def string(text: str) -> str:
    """Write a string; Nix has no escapes of JSON's for other than ASCII."""
    return json.dumps(text, ensure_ascii=False).replace("${", "\\${")


def indented(text: str) -> str:
    """Escape a text for an indented string."""
    return text.replace("''", "'''").replace("${", "''${")


def service(unit: str, *, is_users: bool) -> str:
    """Name the option of a service."""
    return f"systemd{'.user' if is_users else ''}.services.{string(unit.removesuffix('.service'))}"
