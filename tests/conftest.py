"""Set up every test session: one seed incident for all workers, slow tests first, no skipped test where every real part exists."""

import fcntl
import gc
import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
hypothesis.settings.register_profile("any machine", deadline=None)  # an example may be slow where the machine is
hypothesis.settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keep all that collecting makes out of every collection of garbage, the ones of the collecting itself too: a quarter of its time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    """Run files with slow tests first, so that no worker is left with one at the end; one file makes the seed while others need none."""
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, _needs_seed(item)))
    maker = next((item.path for item in items if _needs_seed(item)), None)
    items.sort(key=lambda item: item.path != maker)


def _needs_seed(item):
    return "seed" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def seed(tmp_path_factory, worker_id):
    """Make the seed incident: a directory with seed.export, truth.json and, where systemd-journal-remote exists, journal/."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder = shared / "seed"
    with (shared / "seed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers, one seed
        if not (folder / "done").exists():
            subprocess.run([sys.executable, "-m", "fixtures.seed", "--out", str(folder)], check=True, cwd=ROOT)
            (folder / "done").touch()
    return folder


_skipped: list[str] = []


def pytest_runtest_logreport(report):
    if report.skipped and "real" in report.keywords and not hasattr(report, "wasxfail") and not _is_optional(report):
        _skipped.append(report.nodeid)


def _is_optional(report):
    """Whether a skipped test needs a part that a target of its own brings."""
    return "make check-" in str(report.longrepr)


def pytest_collectreport(report):
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session):
    if _skipped and os.environ.get("TABBY_FORENSICS_NO_SKIPS"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if _skipped and os.environ.get("TABBY_FORENSICS_NO_SKIPS"):
        terminalreporter.write_line(f"skipped, though all real parts should be here: {', '.join(_skipped)}", red=True)
