"""What several stages' tests need: the seed incident, made once a run."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def seed(tmp_path_factory, worker_id):
    """A folder with the seed incident: seed.export, truth.json and, where systemd-journal-remote exists, journal/."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder = shared / "seed"
    with (shared / "seed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers, one seed
        if not (folder / "done").exists():
            subprocess.run([sys.executable, "-m", "fixtures.seed", "--out", str(folder)], check=True, cwd=ROOT)
            (folder / "done").touch()
    return folder
