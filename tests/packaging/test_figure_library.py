"""A checkout on a machine without npm gets the small figure library all the same."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def build():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def commands(build, monkeypatch, tmp_path):
    """Record what would be run on a machine without npm."""
    made = []

    def run(command, **_options):
        made.append(command)
        if "pack" in command:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build.subprocess, "run", run)
    return made


def test_pip_brings_an_npm_for_as_long_as_it_takes(build, commands, tmp_path):
    with pytest.raises(build.FetchError, match="npm could not fetch"):
        build.fetch(tmp_path / "out", may_install_npm=True)
    install, pack = commands
    target = Path(install[install.index("--target") + 1])
    assert install[:4] == [sys.executable, "-m", "pip", "install"]
    assert install[-1] == build.NPM_FROM_PIP
    assert Path(pack[0]).is_relative_to(target)
    assert not target.exists()


def test_building_a_wheel_installs_no_npm(build, commands, tmp_path):
    with pytest.raises(build.FetchError, match="npm is not installed"):
        build.fetch(tmp_path / "out")
    assert commands == []
