"""Decide what a drill's unit logs, and how it ends, so that its failure is of a given class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from forensics.errors import ForensicsError, UsageError
from forensics.model.systemd import signal_name
from forensics.sanitize import redacted, safe_line
from forensics.signatures.pattern import Catalogue, Pattern

MOST_WORDS = 64 << 10  # bytes: what decides a failure is short, and an argument of a program has at most 128 KB
UNEXPLAINED = ("low", "info")  # severities that never explain the end of an attempt
TRACEBACK = "Traceback "  # of examples, one of these is played: it also shows that lines are put together
# signals that end a program and are a failure: HUP, INT, PIPE and TERM are clean ends (systemd.service(5), SuccessExitStatus=)
FATAL_SIGNALS = (
    "QUIT",
    "ILL",
    "TRAP",
    "ABRT",
    "BUS",
    "FPE",
    "KILL",
    "USR1",
    "SEGV",
    "USR2",
    "ALRM",
    "XCPU",
    "XFSZ",
    "VTALRM",
    "PROF",
    "SYS",
)
LAST_STATUS = 199  # above, systemd's own codes begin (systemd.exec(5), "Process Exit Codes")
_EXIT = re.compile(r"exit:(exit-code|signal)/([0-9]{1,3})")


class UnplayableError(ForensicsError):
    """The class cannot be brought about by a unit that logs words and ends."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """words: what the unit logs; status: of its exit; signal: the one that it dies of instead."""

    signature: str
    title: str
    words: str = ""
    status: int = 1
    signal: str = ""


def scene_of(signature: str, catalogue: Catalogue, texts: Mapping[str, str]) -> Scene:
    """Find the words of a class. texts: what decided its failures, by class. Raises UsageError, UnplayableError."""
    pattern = catalogue.pattern(signature)
    if pattern is not None:
        return _of_pattern(pattern)
    if found := _EXIT.fullmatch(signature):
        return _of_exit(signature, found[1], int(found[2]))
    if signature.startswith("exit:"):
        raise UnplayableError(f"{safe_line(signature)} cannot be drilled: no program can end with this result by itself.")
    if text := texts.get(signature, "").strip("\n"):
        return _of_recorded(signature, text)
    raise UsageError(
        f"There is no class '{safe_line(signature)}' in the catalogue, and none in the recorded history. "
        "`tabby-forensics patterns list` and `tabby-forensics classes` show which there are; "
        "`tabby-forensics ingest` adds what the journal has."
    )


def _of_pattern(pattern: Pattern) -> Scene:
    own = [example.message.strip("\n") for example in pattern.examples if not example.columns]
    if not own:
        raise UnplayableError(f"{pattern.id} cannot be drilled: systemd or the kernel reports it, not the service that fails.")
    if pattern.severity in UNEXPLAINED:
        raise UnplayableError(f"{pattern.id} cannot be drilled: with severity {pattern.severity} it never explains the end of a service.")
    return Scene(pattern.id, pattern.title, max(own, key=lambda words: words.startswith(TRACEBACK)))


def _of_exit(signature: str, result: str, number: int) -> Scene:
    name = signal_name(number).removeprefix("SIG") if result == "signal" else ""
    if not (name in FATAL_SIGNALS if result == "signal" else 1 <= number <= LAST_STATUS):
        raise UnplayableError(f"{signature} cannot be drilled: a program cannot fail so by itself.")
    return Scene(signature, "the exit alone", status=number, signal=name)


def _of_recorded(signature: str, text: str) -> Scene:
    """Play recorded words without their secrets, which would be logged once more, perhaps on another host."""
    words = redacted({"text": text})["text"]
    if len(words.encode("utf-8", "replace")) > MOST_WORDS:
        raise UnplayableError(f"{safe_line(signature)} cannot be drilled: its recorded words are longer than {MOST_WORDS >> 10} KB.")
    return Scene(signature, "unknown to the catalogue", words)
