"""Run the project inside a lab: its Python, its packages and its sources, and the commands that start it there."""

import shutil
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = f"/lab/python/bin/{Path(sys.executable).resolve().name}"
VARIABLES = "LD_LIBRARY_PATH=/lab/python/lib:/lab/libraries PYTHONPATH=/lab/project:/lab/packages PYTHONDONTWRITEBYTECODE=1"
WRAPPER = f'#!/bin/sh\nexport {VARIABLES}\nexec {PYTHON} -m forensics "$@"\n'
NEEDED_OF_HOST = ("libffi.so.8", "libstdc++.so.6", "libgcc_s.so.1")  # by Python and its packages, where another system is booted


def shared(folder: Path) -> dict[str, Path]:
    """Say what `booted` shares with a lab so that these commands work there. folder: for copies of the host's libraries."""
    libraries = folder / "libraries"
    libraries.mkdir()
    for name in NEEDED_OF_HOST:
        for found in list(Path("/usr/lib").glob(f"*-linux-gnu/{name}"))[:1]:
            shutil.copy(found, libraries)
    return {"python": Path(sys.base_prefix), "packages": Path(sysconfig.get_path("purelib")), "project": ROOT, "libraries": libraries}
