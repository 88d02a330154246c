"""The script of the figures: fetched by npm and checked; without it the one of the Python package stands in."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from forensics.report import csp

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def build():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def npm_that(folder, lines):
    """A stand-in for npm, as the build finds it on PATH."""
    (folder / "npm").write_text("#!/bin/sh\n" + lines + "\n")
    (folder / "npm").chmod(0o755)
    return str(folder)


def test_without_npm_the_build_is_told_so(build, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.FetchError, match="npm is not installed"):
        build.fetch(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_npm_that_fails_is_told_so(build, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", npm_that(tmp_path, "exit 1"))
    with pytest.raises(build.FetchError, match="could not fetch"):
        build.fetch(tmp_path / "out")


def test_a_package_with_another_checksum_stops_the_build(build, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", npm_that(tmp_path, "echo forged > package.tgz"))
    with pytest.raises(SystemExit, match="checksum"):
        build.fetch(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.real
@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_the_real_package_has_the_pinned_checksum(build, tmp_path):
    try:
        build.fetch(tmp_path / "out")
    except build.FetchError as error:
        pytest.skip(str(error))
    assert (tmp_path / "out/plotly-basic.min.js").read_text(encoding="utf-8").startswith("/**\n* plotly.js (basic - minified) v4.1.1")
    assert (tmp_path / "out/LICENSE").exists()


def test_what_was_fetched_is_not_fetched_again(build, tmp_path, monkeypatch):
    for name in build.FILES.values():
        (tmp_path / name).touch()
    (tmp_path / "INTEGRITY").write_text(build.INTEGRITY)
    monkeypatch.setenv("PATH", "")
    build.fetch(tmp_path)


def test_without_the_fetched_script_the_python_package_has_one(monkeypatch, tmp_path):
    monkeypatch.setattr(csp, "folder", lambda name: tmp_path / name)
    assert len(csp.plotly_script()) > 4_000_000


def test_the_script_cannot_end_its_element():
    assert "</script" not in csp.plotly_script().lower()
    assert csp.safe_inside_html('a = "</script><!--";') == r'a = "<\/script><\!--";'
