"""Ctrl-C at any moment ends with 130 and no traceback."""

import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

DELAYS_MS = [0, 5, 20, 40, 60, 80, 120, 160, 200, 300, 400, 700]  # from the first line of the program on


def interrupted(arguments, delay_ms, **options):
    """Start the program, send SIGINT that long after its own first line, and return its exit code and stderr."""
    # the interpreter's own start cannot be caught: it ends by the signal, or with a traceback of the module `site`
    started = "import sys; from forensics.__main__ import main; print('started', file=sys.stderr, flush=True); main()"
    command = [sys.executable, "-c", started, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        assert process.stderr.readline() == "started\n"
        time.sleep(delay_ms / 1000)
        was_running = process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    return process.returncode, errors, was_running


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
@pytest.mark.parametrize("command", ["report", "watch", "--help"])
def test_an_interruption_ends_with_130_and_no_traceback(command, delay_ms, tmp_path):
    (tmp_path / "journal").mkdir()
    arguments = {
        "report": ["report", "--file", "-", "--store", str(tmp_path / "store")],
        "watch": ["watch", "--journal-dir", str(tmp_path / "journal"), "--store", str(tmp_path / "store")],
        "--help": ["--help"],
    }[command]
    code, errors, _ = interrupted(arguments, delay_ms)
    assert "Traceback" not in errors
    assert "KeyboardInterrupt" not in errors
    assert code == 130 or (command == "--help" and code == 0)  # it may be done


def test_the_installed_command_starts_where_an_interruption_is_caught():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"tabby-forensics": "forensics.__main__:main"}
