"""Locate the files that ship with the program, in a wheel or in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The directory `name` ("patterns", "reports"): `forensics/data/<name>` in an installed wheel, else `<checkout>/<name>`."""
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
