"""Real servers that tests start, ask and stop: Alertmanager, Prometheus, node_exporter."""

import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress

import pytest

NEEDS_PROMETHEUS = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("prometheus-alertmanager") is None, reason="prometheus-alertmanager is not installed"),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed"),
]  # of a test that starts both


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http_get(url: str, timeout=5):
    with urllib.request.build_opener().open(url, timeout=timeout) as page:
        return page.read()


def wait_for(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


@contextmanager
def running_server(command, url, folder):
    """Start a server, wait until it is ready, and yield its process."""

    def ready():
        with suppress(OSError):
            return http_get(f"{url}/-/ready") is not None
        return False

    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process:
        try:
            wait_for(ready)
            yield process
        finally:
            process.kill()
