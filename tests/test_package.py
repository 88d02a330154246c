"""The wheel itself: built, installed somewhere else and run, it brings its catalogue and templates along."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_installs_one_top_level_name(wheel):
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"forensics"}


@pytest.mark.slow
def test_the_installed_wheel_has_its_catalogue_and_templates(wheel, tmp_path):
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "site"), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    run = subprocess.run(
        [sys.executable, "-m", "forensics", "patterns", "check"], capture_output=True, text=True, cwd=tmp_path, env=environment, check=True
    )
    assert "patterns OK" in run.stdout
    assert (tmp_path / "site/forensics/data/reports").is_dir()


def test_the_checkout_keeps_no_copy_of_its_data():
    assert not (ROOT / "forensics" / "data").exists()


def test_locked_versions_name_no_registry():
    for name in ("requirements.lock", "pyproject.toml", "Makefile", ".ci/system-packages", ".ci/systemd-python", "hatch_build.py"):
        assert "://" not in (ROOT / name).read_text(), name
