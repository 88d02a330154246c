"""Which lines report an error, which are everyday output."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.signatures import line_level


def holds(rule: object, text: str) -> bool:
    return bool(pl.select(rule(pl.lit(text))).item())  # type: ignore[operator]


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: no such model",
        "2026-11-23 08:40:43.217 ERROR:    Ports are gone",
        "2026-11-23 08:40:43 | CRITICAL | app - gone",
        "E1123 09:15:00.123456  1234 file.cc:33] bad",
        'time="2026-11-23T09:00:00Z" level=fatal msg="no such host"',
        '{"level": "error", "msg": "gone"}',
        "panic: runtime error: index out of range",
        "Error: listen tcp: no",
        "main.py: error: argument --port: invalid int value: 'x'",
        "ValueError: bad",
        "pkg.mod.SomeError",
        "llama_model_load: error loading model: missing tensor",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "thread 'main' panicked at src/main.rs:3:5:",
        "Fatal Python error: Segmentation fault",
        "/opt/venv/bin/python: can't open file '/srv/server.py': [Errno 2] No such file or directory",
        "Failed to open the database",
    ],
)
def test_an_error_line_reports_an_error(line: str) -> None:
    assert holds(line_level.reports_error, line)


@pytest.mark.parametrize(
    "line",
    [
        "INFO: 0 errors, all fine",
        'INFO:     127.0.0.1:51146 - "GET /error HTTP/1.1" 500',
        "WARNING:urllib3.connectionpool:Retrying after 'NewConnectionError: refused'",
        "ERROR: ld.so: object '/usr/lib/libtcmalloc.so.4' from LD_PRELOAD cannot be preloaded (cannot open shared object file): ignored.",
        "2026-11-23 08:45:13.985 INFO:     The 'config.yml' file cannot be found",
        "Loading model modules",
        "training error 0.013",
        "errors.log rotated",
        "",
    ],
)
def test_everyday_output_reports_no_error(line: str) -> None:
    assert not holds(line_level.reports_error, line)


@pytest.mark.parametrize(
    ("line", "ordinary"),
    [
        ("INFO: ready", True),
        ("DEBUG 11-23 x", True),
        ('127.0.0.1 - - [23/Nov/2026 09:38:57] "GET / HTTP/1.1" 200 -', True),
        ("level=info msg=ready", True),
        ("WARNING: disk nearly full", False),
        ("giving up on the queue", False),
    ],
)
def test_ordinary_lines_do_not_explain_an_end(line: str, ordinary: bool) -> None:
    assert holds(line_level.is_ordinary, line) is ordinary


@pytest.mark.parametrize(
    ("line", "farewell"), [("Exiting.", True), ("Application startup failed. Exiting.", True), ("", True), ("No such model", False)]
)
def test_a_farewell_only_announces_the_end(line: str, farewell: bool) -> None:
    assert holds(line_level.is_farewell, line) is farewell
