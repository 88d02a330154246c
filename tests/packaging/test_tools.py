"""The wheel installed as people install programs, by pipx and by uv, each into an empty home: `make check-install`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHEEL = os.environ.get("TABBY_TEST_WHEEL", "")

pytestmark = pytest.mark.skipif(not WHEEL, reason="installs the wheel by pipx and uv: make check-install")


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """Install pipx and uv themselves."""
    folder = tmp_path_factory.mktemp("tools")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin/pip"), "install", "--quiet", "pipx", "uv"], check=True)
    return folder / "bin"


@pytest.fixture
def home(tmp_path):
    """Give an environment with an empty home; what this machine has set for pip and certificates stays, the lock does not."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG_", "PYTHON", "VIRTUAL_ENV")) and name != "PIP_CONSTRAINT"
    }
    return {**kept, "HOME": str(tmp_path), "PATH": f"{tmp_path}/.local/bin:/usr/local/bin:/usr/bin:/bin", "UV_NO_PROGRESS": "1"}


@pytest.mark.parametrize(
    "words",
    [["pipx", "install", "--python", sys.executable], ["uv", "tool", "install", "--python", sys.executable]],
    ids=lambda words: words[0],
)
def test_the_installed_program_reports(tools, home, tmp_path, words, seed):
    subprocess.run([str(tools / words[0]), *words[1:], str(ROOT / WHEEL)], env=home, cwd=tmp_path, check=True, capture_output=True)
    program = tmp_path / ".local/bin/tabby-forensics"
    checked = subprocess.run([str(program), "patterns", "check"], env=home, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "patterns OK" in checked.stdout
    window = ["--since", "2025-11-18", "--until", "2025-12-18", "--tz", "UTC"]
    command = [str(program), "report", *window, "--file", str(seed / "seed.export"), "-o", "page.html"]
    subprocess.run(command, env=home, cwd=tmp_path, check=True, capture_output=True)
    assert "13,936" in (tmp_path / "page.html").read_text()
