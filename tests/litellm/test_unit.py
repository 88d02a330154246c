"""The unit of the proxy, installed on a real systemd as its own head tells, starts LiteLLM with the breaker."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.lab.systemd import booted, why_not
from tests.litellm.proxy import LITELLM, generate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real,
    pytest.mark.skipif("TABBY_TEST_LITELLM" not in os.environ, reason="needs the LiteLLM proxy, 740 MB: make check-litellm"),
    pytest.mark.skipif(why_not() is not None, reason=f"cannot boot a systemd here: {why_not()}"),
]
# the interpreter may be in somebody's home, which ProtectHome= hides
START = """#!/bin/sh
export PYTHONPATH=/lab/packages LD_LIBRARY_PATH=/lab/python/lib
exec /lab/python/bin/python3 -c 'from litellm import run_server; run_server()' "$@"
"""


def commands(unit: str) -> list[str]:
    """Return what the head tells to do as root."""
    head = " ".join(line.removeprefix("#").strip() for line in unit.splitlines() if line.startswith("#"))
    install, key = re.search(r"Install as root: (.+?)\. Then the key: (.+?); add ", head).groups()
    return [f"cd /lab/files; {install}", key, "systemctl daemon-reload; systemctl start litellm"]


def test_the_unit_starts_as_its_head_tells(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    dead = [SimpleNamespace(name="tabby", url="http://127.0.0.1:1"), SimpleNamespace(name="ollama-cpu", url="http://127.0.0.1:2")]
    generate(files, dead, "--program", "/lab/start")
    packages = next(LITELLM.parents[1].glob("lib/python*/site-packages"))
    python = Path(os.path.realpath(LITELLM.with_name("python"))).parents[1]
    shared = {"packages": packages, "python": python, "files": files}
    asks = "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:4001/health/liveliness"
    with booted({}, tmp_path, programs={"start": START}, shared=shared) as lab:
        for command in commands((files / "litellm.service").read_text()):
            lab.run(["sh", "-c", command])
        lab.wait_until(lambda: lab.run(["sh", "-c", asks], check=False) == "200", 300)
        lab.wait_until(lambda: "tabby is open" in lab.run(["journalctl", "-u", "litellm", "--no-pager"]), 120)  # its health checks fail
        assert lab.run(["stat", "-c", "%U %a", "/etc/litellm/tabby_breaker.json", "/etc/litellm/litellm.env"]).split() == [
            *("litellm", "600", "root", "600"),
        ]
