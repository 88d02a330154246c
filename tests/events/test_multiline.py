"""Which lines become one event, and which exceptions an event is said to start and end with."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.assembly import assemble
from tests.attempts.building import Journal

TB = "Traceback (most recent call last):"
DURING = "During handling of the above exception, another exception occurred:"
DIRECT = "The above exception was the direct cause of the following exception:"
FRAME = ('  File "/opt/app/main.py", line 3, in load', "    return torch.load(path)", "           ^^^^^^^^^^^^^^^^")


def events(*texts: str, gap: float = 0.00002) -> list[tuple[str, int, str | None, str | None]]:
    journal = Journal()
    journal.manager("started", "r1")
    journal.writes("r1", *texts, gap=gap)
    journal.dies("r1")
    made = assemble(journal.frame()).events
    found = made.filter(pl.col("kind").is_in(["line", "traceback"])).sort("time", "row")
    return [tuple(row) for row in found.select("kind", "rows", "root", "last").iter_rows()]


CASES = [
    ("plain", [TB, *FRAME, "ValueError: x"], [("traceback", 5, "ValueError: x", "ValueError: x")]),
    ("no source lines", [TB, FRAME[0], "ValueError"], [("traceback", 3, "ValueError", "ValueError")]),
    (
        "an exception of an unusual name",
        [TB, *FRAME, "app.errors.Oops: no"],
        [("traceback", 5, "app.errors.Oops: no", "app.errors.Oops: no")],
    ),
    (
        "lines around it stay lines",
        ["before", TB, *FRAME, "OSError: [Errno 98] in use"],
        [("line", 1, None, None), ("traceback", 5, "OSError: [Errno 98] in use", "OSError: [Errno 98] in use")],
    ),
    (
        "repeated frames",
        [TB, *FRAME, "  [Previous line repeated 996 more times]", "RecursionError: deep"],
        [("traceback", 6, "RecursionError: deep", "RecursionError: deep")],
    ),
    (
        "during handling",
        [TB, *FRAME, "KeyError: 'a'", DURING, TB, *FRAME, "RuntimeError: b"],
        [("traceback", 11, "KeyError: 'a'", "RuntimeError: b")],
    ),
    (
        "direct cause",
        [TB, *FRAME, "KeyError: 'a'", DIRECT, TB, *FRAME, "RuntimeError: b"],
        [("traceback", 11, "KeyError: 'a'", "RuntimeError: b")],
    ),
    (
        "three in a chain",
        [TB, FRAME[0], "A.Error: 1", DURING, TB, FRAME[0], "BError: 2", DIRECT, TB, FRAME[0], "CError: 3"],
        [("traceback", 11, "A.Error: 1", "CError: 3")],
    ),
    (
        "a message of several lines between two exceptions",
        [
            TB,
            *FRAME,
            "RuntimeError: CUDA error: x",
            "CUDA kernel errors might be",
            "For debugging consider",
            DURING,
            TB,
            *FRAME,
            "SystemExit: 1",
        ],
        [("traceback", 13, "RuntimeError: CUDA error: x", "SystemExit: 1")],
    ),
    (
        "the rest of the message",
        [TB, *FRAME, "RuntimeError: CUDA error: x", "For debugging consider passing Y", "Compile with Z"],
        [("traceback", 7, "RuntimeError: CUDA error: x", "RuntimeError: CUDA error: x")],
    ),
    (
        "pydantic",
        [
            TB,
            *FRAME,
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for X",
            "field",
            "  Input should be",
            "    For further information",
        ],
        [
            (
                "traceback",
                8,
                "pydantic_core._pydantic_core.ValidationError: 1 validation error for X",
                "pydantic_core._pydantic_core.ValidationError: 1 validation error for X",
            )
        ],
    ),
    ("a header after a level", ["ERROR:    " + TB, *FRAME, "OSError: x"], [("traceback", 5, "OSError: x", "OSError: x")]),
    (
        "a header after a message",
        ["2025-12-07 21:30:00,123 ERROR app: startup failed: " + TB, *FRAME, "OSError: x"],
        [("traceback", 5, "OSError: x", "OSError: x")],
    ),
    (
        "time and level on every line",
        ["2025-12-07 21:30:00.123 ERROR:    " + t for t in (TB, *FRAME, "OSError: x")],
        [("traceback", 5, "OSError: x", "OSError: x")],
    ),
    (
        "vLLM's worker prefix",
        ["(EngineCore_0 pid=12) ERROR 12-07 21:30:00 [core.py:7] " + t for t in (TB, *FRAME, "OSError: x")],
        [("traceback", 5, "OSError: x", "OSError: x")],
    ),
    (
        "a log record is no exception",
        [TB, *FRAME, "2025-12-07 21:30:00.123 INFO:     next"],
        [("traceback", 4, None, None), ("line", 1, None, None)],
    ),
    (
        "syntax error",
        ['  File "/opt/app/main.py", line 3', "    def f(:", "          ^", "SyntaxError: invalid syntax"],
        [("traceback", 4, "SyntaxError: invalid syntax", "SyntaxError: invalid syntax")],
    ),
    (
        "truncated at the beginning",
        [FRAME[1], FRAME[0], FRAME[1], "OSError: x"],
        [("traceback", 4, "OSError: x", "OSError: x")],
    ),
    ("truncated at the end", [TB, *FRAME], [("traceback", 4, None, None)]),
    (
        "NumPy writes the first frame on the header's line",
        [TB + '  File "/opt/app/main.py", line 1, in <module>', "    import x", *FRAME, "AttributeError: _ARRAY_API not found"],
        [("traceback", 6, "AttributeError: _ARRAY_API not found", "AttributeError: _ARRAY_API not found")],
    ),
    (
        "two in a row",
        [TB, *FRAME, "OSError: x", TB, *FRAME, "OSError: y"],
        [("traceback", 5, "OSError: x", "OSError: x"), ("traceback", 5, "OSError: y", "OSError: y")],
    ),
    (
        "exception group",
        [
            "  + Exception Group Traceback (most recent call last):",
            '  |   File "/opt/a.py", line 3, in <module>',
            "  |     raise ExceptionGroup",
            "  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)",
            "  +-+---------------- 1 ----------------",
            "    | Traceback (most recent call last):",
            '    |   File "/opt/a.py", line 1, in f',
            "    | ValueError: one",
            "    +---------------- 2 ----------------",
            "    | Traceback (most recent call last):",
            '    |   File "/opt/a.py", line 2, in g',
            "    | TypeError: two",
            "    +------------------------------------",
        ],
        [("traceback", 13, "ValueError: one", "ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)")],
    ),
    (
        "fatal error",
        [
            "Fatal Python error: Segmentation fault",
            "Current thread 0x00007f0 (most recent call first):",
            '  File "/a.py", line 2 in f',
            "Extension modules: numpy (total: 1)",
        ],
        [("traceback", 4, "Fatal Python error: Segmentation fault", "Fatal Python error: Segmentation fault")],
    ),
    (
        "fatal error at init",
        [
            "Fatal Python error: init_fs_encoding: failed",
            "Python runtime state: core initialized",
            "ModuleNotFoundError: No module named 'encodings'",
            "Current thread 0x00007f0 (most recent call first):",
            "  <no Python frame>",
        ],
        [("traceback", 5, "Fatal Python error: init_fs_encoding: failed", "ModuleNotFoundError: No module named 'encodings'")],
    ),
    (
        "C++ terminate",
        ["terminate called after throwing an instance of 'std::runtime_error'", "  what():  CUDA error: out of memory"],
        [("traceback", 2, "terminate called after throwing an instance of 'std::runtime_error'", "what():  CUDA error: out of memory")],
    ),
    (
        "C++ terminate alone",
        ["terminate called without an active exception"],
        [("traceback", 1, "terminate called without an active exception", "terminate called without an active exception")],
    ),
    (
        "Go",
        [
            "panic: runtime error: index out of range [3]",
            "goroutine 1 [running]:",
            "main.main()",
            "\t/src/main.go:7 +0x1d",
            "exit status 2",
        ],
        [
            ("traceback", 4, "panic: runtime error: index out of range [3]", "panic: runtime error: index out of range [3]"),
            ("line", 1, None, None),
        ],
    ),
    (
        "Rust",
        ["thread 'main' panicked at src/main.rs:2:5:", "no such model", "note: run with `RUST_BACKTRACE=1` environment variable"],
        [("traceback", 3, "no such model", "no such model")],
    ),
    (
        "Java",
        [
            'Exception in thread "main" java.lang.IllegalStateException: x',
            "\tat com.App.main(App.java:3)",
            "Caused by: java.io.IOException: disk",
            "\t... 1 more",
        ],
        [("traceback", 4, "java.io.IOException: disk", 'Exception in thread "main" java.lang.IllegalStateException: x')],
    ),
    (
        "Node",
        ["Error: Cannot find module 'x'", "    at Module._resolve (node:internal:1:2)", "    at main (a.js:1:1)"],
        [("traceback", 3, "Error: Cannot find module 'x'", "Error: Cannot find module 'x'")],
    ),
    (
        "rich's box",
        ["╭───── Traceback (most recent call last) ─────╮", "│ /opt/a.py:3 in f │", "╰──────╯", "ValueError: x"],
        [("traceback", 4, "ValueError: x", "ValueError: x")],
    ),
    ("one entry of several lines", ["\n".join(["oops", TB, *FRAME, "KeyError: 1"])], [("traceback", 1, "KeyError: 1", "KeyError: 1")]),
    ("one entry of several lines that is no traceback", ["one\ntwo"], [("line", 1, None, None)]),
    (
        "frames after a log record",
        ["2026-11-23 09:00:00 ERROR redis: Unhandled error event", "    at connect (a.js:1:2)", "    at main (b.js:1:2)"],
        [("traceback", 3, "redis: Unhandled error event", "redis: Unhandled error event")],
    ),
    ("Samba's heading", ["[2026/11/23 09:00:00.1,  0] ../../source3/x.c:3(main)", "  the share is gone"], [("line", 2, None, None)]),
    (
        ".NET's headings",
        ["info: Acme.Host[0]", "      ready", "fail: Acme.Host[3]", "      the share is gone", "      for good"],
        [("line", 2, None, None), ("line", 2, None, None), ("line", 1, None, None)],
    ),
    ("a kernel's head alone is a line", ["BUG: x", "next"], [("line", 1, None, None)] * 2),
    ("nodes that join are lines", ["Node 1 joined", "Node 2 joined", "Node 3 joined"], [("line", 1, None, None)] * 3),
    (
        "a crash report of Erlang's logger has no exception",
        [f"2026-11-23 09:00:00.1+00:00 [error] <0.153.0> {line}" for line in ("", "  crasher:", "    initial call: x", "    links: []")],
        [("traceback", 4, None, None)],
    ),
    (
        "a crash report of Erlang's logger",
        [
            f"2026-11-23 09:00:00.1+00:00 [error] <0.153.0> {line}"
            for line in (
                "",
                "  crasher:",
                "    pid: <0.153.0>",
                '    exception error: "the cookie is gone"',
                "      in function  auth:init/1 (auth.erl, line 3)",
            )
        ],
        [("traceback", 5, '"the cookie is gone"', '"the cookie is gone"')],
    ),
    (
        "what Erlang's logger informs of are lines",
        [f"2026-11-23 09:00:00.1+00:00 [info] <0.1.0>  {line}" for line in "ab"],
        [("line", 1, None, None)] * 2,
    ),
    ("words like a panic are a line", ["panic: no goroutine follows"], [("line", 1, None, None)]),
    ("an exception's name alone is a line", ["RuntimeError: handled"], [("line", 1, None, None)]),
]


@pytest.mark.parametrize(("texts", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_stacks_become_one_event(texts: list[str], expected: list[object]) -> None:
    assert events(*texts) == expected


def test_what_follows_an_exception_later_is_not_its_message() -> None:
    assert [e[0] for e in events(TB, *FRAME, "OSError: x", "shutting down", gap=0.01)] == ["traceback", "line"]


def test_a_wrapped_traceback_is_joined_before_it_is_read() -> None:
    time = "2025-12-07 21:30:00.123 ERROR:    "
    texts = [
        time + TB,
        time + '  File "/opt/tabby/backends/model.py", line',
        "306, in load",
        time + "RuntimeError: Insufficient VRAM in split for",
        "model and cache",
    ]
    assert events(*texts) == [
        (
            "traceback",
            5,
            "RuntimeError: Insufficient VRAM in split for model and cache",
            "RuntimeError: Insufficient VRAM in split for model and cache",
        )
    ]


STREAMS = [
    [TB, *FRAME, "OSError: a"],
    ["loading", TB, *FRAME, "KeyError: 'b'", DURING, TB, *FRAME, "RuntimeError: b"],
    ["one", "two", "three"],
    ["terminate called after throwing an instance of 'X'", "  what():  d"],
]


@settings(max_examples=25)
@given(st.permutations([n for n, texts in enumerate(STREAMS) for _ in texts]))
def test_interleaving_processes_changes_no_event(order: list[int]) -> None:
    journal = Journal()
    journal.manager("started", "r1")
    rest = [iter(texts) for texts in STREAMS]
    for n in order:
        journal.writes("r1", next(rest[n]), pid=200 + n, after=0.00002)
    journal.dies("r1")
    made = assemble(journal.frame()).events.filter(pl.col("kind").is_in(["line", "traceback"]))
    found = sorted(made.select("pid", "kind", "rows", "text").iter_rows())
    expected = [
        (200, "traceback", 5, "\n".join(STREAMS[0])),
        (201, "line", 1, "loading"),
        (201, "traceback", 11, "\n".join(STREAMS[1][1:])),
        *[(202, "line", 1, text) for text in sorted(STREAMS[2])],
        (203, "traceback", 2, "\n".join(STREAMS[3])),
    ]
    assert found == sorted(expected)


def test_every_line_of_an_ended_attempt_is_in_exactly_one_event() -> None:
    journal = Journal()
    for n, texts in enumerate(STREAMS):
        journal.writes("r1", *texts, pid=300 + n)
    journal.dies("r1")
    made = assemble(journal.frame()).events.filter(pl.col("kind").is_in(["line", "traceback"]))
    assert made["rows"].sum() == sum(map(len, STREAMS))
    assert sorted("\n".join(made["text"]).split("\n")) == sorted(line for texts in STREAMS for line in texts)


@pytest.mark.parametrize("portion", [1, 2, 5, 1000])
def test_how_many_lines_are_folded_at_once_changes_no_event(portion: int, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal()
    for run in ("r1", "r2"):
        journal.manager("started", run)
        for n, texts in enumerate(STREAMS):
            journal.writes(run, *texts, pid=300 + n, gap=0.00002)
        journal.dies(run)
    frame = journal.frame()
    expected = assemble(frame).events
    monkeypatch.setattr("forensics.events.multiline.PORTION", portion)
    assert assemble(frame).events.equals(expected)


def test_the_evidence_of_a_traceback_is_the_line_that_says_why() -> None:
    journal = Journal()
    journal.writes("r1", TB, *FRAME, "OSError: a")
    journal.dies("r1")
    frame = journal.frame()
    row = assemble(frame).events.filter(pl.col("kind") == "traceback")["row"].item()
    assert frame["message"][row] == "OSError: a"
