"""Write packaging/wheels.json, the wheels that flake.nix takes with their checksums: `python packaging/wheels.py`.

The versions are those of requirements.lock. pip resolves them for each platform without installing anything; where from is left to Nix.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.13"  # python313 of flake.nix
PLATFORMS = {
    "x86_64-linux": ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64"],
    "aarch64-linux": ["manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64"],
}


def wheels(platforms: list[str]) -> list[dict[str, str]]:
    """Resolve the program's dependencies for a platform."""
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    with tempfile.TemporaryDirectory() as scratch:
        target = ["--dry-run", "--ignore-installed", "--only-binary", ":all:", "--python-version", PYTHON, "--target", scratch]
        tags = [word for platform in platforms for word in ("--platform", platform)]
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--report", str(report), "-c", str(ROOT / "requirements.lock")]
        subprocess.run([*command, *target, *tags, *needed], check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return sorted((wheel(each["download_info"]) for each in found), key=lambda each: each["pname"].lower())


def wheel(download: dict) -> dict[str, str]:
    """Describe a wheel as Nix's fetchPypi wants it."""
    file = download["url"].rpartition("/")[2].removesuffix(".whl")
    pname, version, python, abi, platform = file.split("-")
    checksum = bytes.fromhex(download["archive_info"]["hashes"]["sha256"])
    return {
        "pname": pname,
        "version": version,
        "python": python,
        "abi": abi,
        "platform": platform,
        "hash": f"sha256-{base64.b64encode(checksum).decode()}",
    }


def main() -> None:
    text = json.dumps({system: wheels(tags) for system, tags in PLATFORMS.items()}, indent=1)
    (ROOT / "packaging/wheels.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
