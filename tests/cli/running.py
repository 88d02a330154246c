"""Run the program in this process, as its entry point does, or in one of its own."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

import typer

from forensics.cli import main

# The commands are built once for all calls: a fifth of what a short command takes.
_get_command = cache(typer.main.get_command)


@dataclass(frozen=True)
class Result:
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, input: str = "", env: Mapping[str, str] | None = None, encoding: str = "utf-8") -> Result:  # noqa: A002
    """Call the entry point with these arguments; `env` replaces the whole environment."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    stderr = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace", write_through=True)
    stdin = io.TextIOWrapper(io.BytesIO(input.encode()), encoding=encoding)
    descriptor = os.dup(1)  # the entry point closes it to a standard output that cannot be written
    try:
        with (
            patch.multiple(sys, argv=["tabby-forensics", *arguments], stdin=stdin, stdout=stdout, stderr=stderr),
            patch.dict(os.environ, dict(env or {}), clear=env is not None),
            patch.object(typer.main, "get_command", _get_command),
        ):
            returncode = _exit_code()
    finally:
        os.dup2(descriptor, 1)
        os.close(descriptor)
    return Result(returncode, *(stream.buffer.getvalue().decode(encoding) for stream in (stdout, stderr)))


def _exit_code() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0


def run_in_own_process(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forensics", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def assert_one_sentence(result, exit_code, *words):
    """Assert that the program failed with one message that has these words."""
    assert result.returncode == exit_code, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("tabby-forensics: ")
    for word in words:
        assert word in result.stderr
