"""The wheel itself: built, installed somewhere else and run, it brings its catalogue and templates along."""

import email
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
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
def test_the_wheel_brings_what_a_checkout_has(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("patterns", "reports"):
        files = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert len(files) > 2
        assert {f"forensics/data/{file}" for file in files} <= names
    (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
    assert "tabby-forensics = forensics.__main__:main" in zipfile.ZipFile(wheel).read(entry_points).decode()


@pytest.mark.slow
def test_the_wheel_depends_on_what_the_program_imports(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    required = email.message_from_bytes(archive.read(name)).get_all("Requires-Dist")
    needed = {_plain(re.match(r"[\w.-]+", each)[0]) for each in required if "extra ==" not in each}
    extras = {_plain(re.match(r"[\w.-]+", each)[0]) for each in required if re.search("extra == .(live|gpu)", each)}
    imported = {
        found
        for path in (ROOT / "forensics").rglob("*.py")
        for found in re.findall(r"^ *(?:import|from) ([A-Za-z_]\w*)(?=[. \n])", path.read_text(encoding="utf-8"), re.MULTILINE)
    } - sys.stdlib_module_names
    distributions = packages_distributions()
    chosen = {"scikit-learn"}  # used by benchmarks.ranking alone
    assert needed - chosen == {_plain(each) for name in imported for each in distributions.get(name, [])} - extras


def _plain(name):
    """Write the name of a distribution as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


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
    for name in (
        "requirements.lock",
        "pyproject.toml",
        "Makefile",
        ".ci/system-packages",
        ".ci/systemd-python",
        ".ci/install",
        "hatch_build.py",
        "packaging/oci",
    ):
        assert "://" not in (ROOT / name).read_text(), name
