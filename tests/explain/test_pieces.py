"""Pieces of logs: journal fields without an end, cut, quoted or indented, and lines that a mail program wrapped."""

import json
import textwrap

import pytest

from forensics.explain.answer import LabelledText, label_text
from forensics.resources import folder
from forensics.signatures import catalogue

REASON = "ModuleNotFoundError: No module named 'torch'"
TRACEBACK = ["Traceback (most recent call last):", '  File "/srv/app/main.py", line 7, in <module>', "    import torch", REASON]
OWN = {"_SYSTEMD_UNIT": "app.service", "_SYSTEMD_INVOCATION_ID": "a" * 32, "_PID": "9", "_COMM": "python3", "_TRANSPORT": "stdout"}
ENTRIES = [
    {"__CURSOR": f"s=ab;i={n:x}", "__REALTIME_TIMESTAMP": f"{1765143000000000 + n}", "_HOSTNAME": "h", **OWN, "MESSAGE": text}
    for n, text in enumerate(["loading", *TRACEBACK])
]
JSON = "".join(json.dumps(entry) + "\n" for entry in ENTRIES)
PRETTY = "".join(json.dumps(entry, indent=8) + "\n" for entry in ENTRIES)
EXPORT = "".join("".join(f"{name}={value}\n" for name, value in entry.items()) + "\n" for entry in ENTRIES)
VERBOSE = "".join(
    f"Sun 2025-12-07 21:30:00.{n:06d} UTC [s=ab;i={n:x};b=bb;m=1;t=6456d7e0a1b40;x=1]\n"
    + "".join(f"    {name}={value}\n" for name, value in entry.items() if not name.startswith("__"))
    for n, entry in enumerate(ENTRIES)
)


@pytest.fixture(scope="module")
def known():
    return catalogue.load((folder("patterns"),))


def quoted(text, mark="> "):
    return "".join(f"{mark}{line}\n" for line in text.split("\n"))


def named(text, known) -> tuple[list[str], LabelledText]:
    found = label_text(text.encode(), known)
    return found.failures["signature"].to_list(), found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (JSON, "no end"),
        (JSON[150:], "its beginning is cut"),
        (JSON[:-3], "its end is cut"),
        (quoted(PRETTY), "quoted"),
        ("".join(f'{{"MESSAGE": {json.dumps(entry["MESSAGE"])}}}\n' for entry in ENTRIES), "messages and nothing else"),
        (EXPORT, "no end"),
        (EXPORT.replace("\n\n", "\n"), "the empty lines are lost"),
        (f"Hello all,\n```\n{EXPORT}```\nthanks\n", "a person's words around it"),
        (quoted(EXPORT, "    "), "indented"),
        (quoted(VERBOSE), "quoted"),
    ],
)
def test_journal_fields_without_an_end_are_explained(known, text, reason):
    classes, found = named(text, known)
    assert classes == ["python.module-missing"], reason
    assert REASON in text.split("\n")[found.line_of(found.failures["row"][0]) - 1].replace('\\"', '"'), reason


def test_whoever_claims_to_be_systemd_ends_nothing(known):
    forged = {**OWN, "__REALTIME_TIMESTAMP": "1765143000000009", "SYSLOG_IDENTIFIER": "systemd"}
    lines = ["app.service: Main process exited, code=exited, status=1/FAILURE", "app.service: Failed with result 'exit-code'."]
    _, found = named("".join(json.dumps(forged | {"MESSAGE": line}) + "\n" for line in lines), known)
    assert found.entries["identifier"].to_list()[:2] == ["python3"] * 2
    assert found.failures["why"].to_list() == ["error line"], "it is a line of the program's, no end that systemd states"


SHORT = [
    "Dec 07 21:30:00 myhost systemd[1]: Started app.service - The application that serves everything.",
    *[f"Dec 07 21:30:02 myhost app[100]: {line}" for line in TRACEBACK],
    "Dec 07 21:30:02 myhost systemd[1]: app.service: Main process exited, code=exited, status=1/FAILURE",
    "Dec 07 21:30:02 myhost systemd[1]: app.service: Failed with result 'exit-code'.",
]


@pytest.mark.parametrize("margin", [72, 76])
@pytest.mark.parametrize(
    ("before", "after", "space", "reason"),
    [
        ("", "", "", "wrapped"),
        ("", "> ", "", "wrapped, then quoted"),
        ("> ", "", "", "quoted, then wrapped"),
        ("", "", " ", "format=flowed"),
    ],
)
def test_lines_that_a_mail_program_wrapped_are_joined(known, margin, before, after, space, reason):
    wrapped = [textwrap.wrap(before + line, margin, break_long_words=False, break_on_hyphens=False) for line in SHORT]
    text = "".join(after + part + (space if n < len(parts) - 1 else "") + "\n" for parts in wrapped for n, part in enumerate(parts))
    classes, found = named(text, known)
    assert classes == ["python.module-missing"], reason
    assert "app.service: Main process exited, code=exited, status=1/FAILURE" in found.entries["message"].to_list()
