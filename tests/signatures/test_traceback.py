"""The fingerprint of a traceback survives benign changes and detects true differences."""

from __future__ import annotations

import re

import polars as pl
import pytest

from forensics.signatures import mask
from forensics.signatures.traceback import outline, split_exception

BASE = """Traceback (most recent call last):
  File "/opt/app/main.py", line 40, in <module>
    run(settings)
  File "/opt/app/main.py", line 22, in run
    pipe.load(settings.model)
  File "/opt/app/nodes/loader.py", line 88, in load
    return torch.load(path, map_location="cuda:0")
  File "/opt/venv/lib/python3.11/site-packages/torch/serialization.py", line 1026, in load
    return _load(opened_zipfile, map_location)
  File "/opt/venv/lib/python3.11/site-packages/torch/serialization.py", line 1438, in _load
    result = unpickler.load()
torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.65 GiB."""

INNER = '  File "/opt/venv/lib/python3.11/site-packages/torch/serialization.py", line 9, in persistent_load\n    tensor()'
WALK = '  File "/opt/app/nodes/graph.py", line 7, in walk\n    walk(n)\n'
CAUSE = """Traceback (most recent call last):
  File "/opt/app/nodes/cache.py", line 12, in get
    return self.kept[k]
KeyError: 'sdxl'

During handling of the above exception, another exception occurred:

"""


def fingerprint(text: str) -> str:
    found = outline(text, None, None)
    return mask.mined_id(found.key(mask.keys(pl.Series([found.message]))[0]))


def changed(*pairs: tuple[str, str]) -> str:
    text = BASE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def recursing(times: int) -> str:
    return changed(("    pipe.load(settings.model)\n", "    pipe.load(settings.model)\n" + WALK * times))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (changed(("2.00 GiB", "512.00 MiB"), ("23.65 GiB", "31.4 GiB")), "values of the message"),
        (changed(("line 88", "line 91"), ("line 22", "line 25"), ("line 40", "line 44")), "application lines shift"),
        (changed(("line 1026", "line 1103"), ("line 1438", "line 1502")), "library lines shift"),
        (
            changed(
                (
                    "    result = unpickler.load()",
                    "    result = unpickler.load()\n" + INNER,
                )
            ),
            "one more frame inside the library",
        ),
        (changed(("/opt/app", "/home/u/project"), ("/opt/venv", "/home/u/.venv")), "another install prefix"),
        (
            changed(("python3.11", "python3.13"), ("    run(settings)", "    run(settings)\n    ~~~^^^^^^^^^^")),
            "Python 3.13 and its carets",
        ),
        (changed(('map_location="cuda:0")', "map_location=device)")), "edited source text"),
        (re.sub(r"\n    [^ F].*", "", BASE), "no source lines"),
    ],
)
def test_a_benign_change_keeps_the_fingerprint(text: str, why: str) -> None:
    assert fingerprint(text) == fingerprint(BASE), why


def test_the_depth_of_a_recursion_does_not_matter() -> None:
    assert fingerprint(recursing(3)) == fingerprint(recursing(30))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (changed(("torch.cuda.OutOfMemoryError: CUDA out of memory", "RuntimeError: unexpected EOF")), "another exception"),
        (changed(("in load\n    return torch.load", "in load_lora\n    return torch.load")), "another call site"),
        (CAUSE + BASE, "another cause"),
        (
            BASE.split("torch.cuda.Out", maxsplit=1)[0] + "torch.cuda.OutOfMemoryError: allocator disabled by policy",
            "another message at the same call site",
        ),
        (changed(("site-packages/torch/", "site-packages/safetensors/")), "another library raised"),
    ],
)
def test_a_true_difference_changes_the_fingerprint(text: str, why: str) -> None:
    assert fingerprint(text) != fingerprint(BASE), why


def test_known_root_and_last_lines_are_used() -> None:
    found = outline("Traceback …", "pkg.errors.RootError: no 3", "builtins.LastError: no")
    assert (found.root, found.last, found.message) == ("RootError", "LastError", "no 3")


@pytest.mark.parametrize(
    ("line", "type_", "message"),
    [
        ("OSError: [Errno 28] No space left", "OSError", "[Errno 28] No space left"),
        ("a.b.C_Error", "C_Error", ""),
        ("panic: runtime error", "panic", "runtime error"),
        ("something happened here", "", "something happened here"),
    ],
)
def test_an_exception_line_is_split_into_bare_type_and_message(line: str, type_: str, message: str) -> None:
    assert split_exception(line) == (type_, message)
