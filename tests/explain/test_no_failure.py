"""A text in which no attempt failed may still show a problem, and a text without one does not."""

from __future__ import annotations

import pytest

from forensics import resources
from forensics.explain import explain
from forensics.signatures import catalogue

STARTED = "Nov 23 08:00:00 box systemd[1]: Started app.service - App."
ENDED = "Nov 23 08:00:09 box systemd[1]: app.service: Deactivated successfully."
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/srv/app/feed.py", line 4, in pull',
    "    raise RuntimeError('generator broke')",
    "RuntimeError: generator broke",
)


@pytest.fixture(scope="module")
def known():
    return catalogue.load([resources.folder("patterns")])


def served(*lines: str) -> bytes:
    """A service that logs the lines and is stopped without a failure."""
    return "\n".join([STARTED, *(f"Nov 23 08:00:05 box python[7]: {line}" for line in lines), ENDED]).encode()


def test_an_exception_that_was_never_retrieved_is_shown_by_its_last_line(known):
    found = explain(served("Task exception was never retrieved", *TRACEBACK), known)
    assert found.signature is not None
    assert "generator broke" in found.signature.title
    assert "keeps running" in found.why


def test_an_expected_exception_is_not_a_failure(known):
    assert explain(served("WARNING: the cache is not there, going on without", *TRACEBACK), known).signature is None


def test_the_exception_of_a_stop_is_not_a_failure(known):
    assert explain(served(*TRACEBACK[:2], "asyncio.exceptions.CancelledError"), known).signature is None


def test_a_harmful_problem_of_a_service_that_keeps_running_is_shown(known):
    found = explain(served("WARNING:  Port 5000 is currently in use. Switching to 5001."), known)
    assert found.signature is not None
    assert found.signature.id == "tabby.port-fallback"
    assert found.line == 2


def test_a_known_problem_logged_as_an_error_comes_before_a_harmful_one(known):
    found = explain(
        served(
            "WARNING:  Port 5000 is currently in use. Switching to 5001.", "ERROR: torch.OutOfMemoryError: CUDA out of memory. Tried to"
        ),
        known,
    )
    assert found.signature is not None
    assert (found.signature.id, found.line) == ("gpu.vram-exhausted", 3)


def test_a_known_problem_logged_as_information_is_not_shown(known):
    assert explain(served("INFO: recovered from torch.OutOfMemoryError: CUDA out of memory. Tried to"), known).signature is None


def test_a_failed_attempt_comes_before_a_problem_that_only_harms(known):
    text = served("WARNING:  Port 5000 is currently in use. Switching to 5001.") + (
        b"\nNov 23 08:01:00 box systemd[1]: Started app.service - App."
        b"\nNov 23 08:01:01 box python[8]: ModuleNotFoundError: No module named 'loguru'"
        b"\nNov 23 08:01:01 box systemd[1]: app.service: Main process exited, code=exited, status=1/FAILURE"
        b"\nNov 23 08:01:01 box systemd[1]: app.service: Failed with result 'exit-code'."
    )
    found = explain(text, known)
    assert found.signature is not None
    assert found.signature.id == "python.module-missing"


def test_what_prevented_a_start_is_the_cause_where_the_text_shows_it(known):
    prevented = "Nov 23 08:00:00 box systemd[1]: Dependency failed for app.service - App."
    job = "Nov 23 08:00:00 box systemd[1]: app.service: Job app.service/start failed with result 'dependency'."
    taken = "Nov 23 08:00:00 box systemd[1]: app.socket: Failed to create listening socket (0.0.0.0:80): Address already in use"
    found = explain(f"{taken}\n{prevented}\n{job}".encode(), known)
    assert found.signature is not None
    assert (found.signature.id, found.line) == ("port.conflict", 1)
    alone = explain(f"{prevented}\n{job}".encode(), known)
    assert alone.signature is not None
    assert (alone.signature.id, alone.line) == ("systemd.dependency", 1)
