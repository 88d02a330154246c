"""Whom an entry is about, case by case and against a plain restatement of the rule."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.journal.attribution import FIELDS, attribute_entries
from forensics.journal.dictionary import encoded
from forensics.model.own_entries import GATE_OPENED
from tests.journal import restated

COREDUMP = "fc2e22bc6ee647b6b90729ab34a250b1"
SPAWN_FAILED = "641257651c1b4ec9a8624d7a40a9e1e7"
USER = {"_SYSTEMD_UNIT": "user@1000.service", "_SYSTEMD_OWNER_UID": "1000"}

CASES = [  # fields, (manager, unit, invocation), reason
    ({}, (None, None, None), "the kernel speaks of no unit"),
    ({"_SYSTEMD_UNIT": "a.service", "_SYSTEMD_INVOCATION_ID": "i1"}, ("system", "a.service", "i1"), "a service's own line"),
    ({"_SYSTEMD_UNIT": "a.service", "_SYSTEMD_INVOCATION_ID": ""}, ("system", "a.service", None), "an empty invocation is none"),
    (
        {"_PID": "1", "_SYSTEMD_UNIT": "init.scope", "_SYSTEMD_INVOCATION_ID": "i0", "UNIT": "a.service", "INVOCATION_ID": "i1"},
        ("system", "a.service", "i1"),
        "PID 1 speaks of the unit it names",
    ),
    ({"_PID": "1", "_SYSTEMD_UNIT": "init.scope"}, ("system", "init.scope", None), "PID 1 about itself"),
    (
        {"_PID": "7", "_SYSTEMD_UNIT": "evil.service", "_SYSTEMD_INVOCATION_ID": "i6", "UNIT": "a.service", "INVOCATION_ID": "i1"},
        ("system", "evil.service", "i6"),
        "a service cannot speak for another",
    ),
    (
        {"_UID": "0", "MESSAGE_ID": GATE_OPENED, "OBJECT_SYSTEMD_UNIT": "a.service"},
        ("system", "a.service", None),
        "this program as root, gone before journald asked for its cgroup",
    ),
    (
        {
            "_UID": "0",
            "MESSAGE_ID": GATE_OPENED,
            "OBJECT_SYSTEMD_UNIT": "a.service",
            "_SYSTEMD_UNIT": "a.service",
            "_SYSTEMD_INVOCATION_ID": "i1",
        },
        ("system", "a.service", "i1"),
        "its gate runs in the unit itself, and so in its invocation",
    ),
    (
        {"_UID": "991", "MESSAGE_ID": GATE_OPENED, "OBJECT_SYSTEMD_UNIT": "a.service", "_SYSTEMD_UNIT": "evil.service"},
        ("system", "evil.service", None),
        "a service does not speak as this program",
    ),
    (
        USER | {"_UID": "1000", "_SYSTEMD_USER_UNIT": "run-1.service", "MESSAGE_ID": GATE_OPENED, "OBJECT_SYSTEMD_USER_UNIT": "a.service"},
        ("user:1000", "a.service", None),
        "this program as a user, about a unit of that user",
    ),
    (
        USER | {"_UID": "1000", "MESSAGE_ID": GATE_OPENED, "OBJECT_SYSTEMD_USER_UNIT": "a.service", "OBJECT_UID": "1001"},
        ("system", "user@1000.service", None),
        "it does not speak about another user's",
    ),
    ({"_PID": "7", "UNIT": "a.service", "INVOCATION_ID": "i1"}, (None, None, None), "a process whose cgroup is not known"),
    ({"_PID": "7", "_UID": "0", "UNIT": "a.service"}, (None, None, None), "not even root's, about anything"),
    (
        {"_PID": "7", "_UID": "0", "MESSAGE_ID": SPAWN_FAILED, "UNIT": "a.service", "INVOCATION_ID": "i1"},
        ("system", "a.service", "i1"),
        "root's forked child that could not execute a program, gone before journald asked for its cgroup",
    ),
    (
        {"_PID": "7", "_UID": "991", "MESSAGE_ID": SPAWN_FAILED, "UNIT": "a.service", "INVOCATION_ID": "i1"},
        (None, None, None),
        "anybody's process can be gone as fast",
    ),
    (
        {"_PID": "7", "_COMM": "(a)", "_SYSTEMD_UNIT": "a.service", "UNIT": "a.service", "INVOCATION_ID": "i1"},
        ("system", "a.service", "i1"),
        "a forked child in the unit's cgroup already",
    ),
    (
        {
            "_PID": "7",
            "_COMM": "a",
            "_SYSTEMD_UNIT": "a.service",
            "_SYSTEMD_INVOCATION_ID": "i1",
            "UNIT": "a.service",
            "INVOCATION_ID": "i2",
        },
        ("system", "a.service", "i1"),
        "a service does not name its own invocation",
    ),
    (
        {"_PID": "7", "_COMM": "(a)", "_EXE": "/srv/a", "_SYSTEMD_UNIT": "a.service", "UNIT": "a.service", "INVOCATION_ID": "i2"},
        ("system", "a.service", None),
        "nor does one that is named as a forked child",
    ),
    ({**USER, "_SYSTEMD_USER_UNIT": "b.service", "_SYSTEMD_INVOCATION_ID": "i2"}, ("user:1000", "b.service", "i2"), "a user's service"),
    (
        {**USER, "_SYSTEMD_USER_UNIT": "init.scope", "USER_UNIT": "b.service", "USER_INVOCATION_ID": "i2"},
        ("user:1000", "b.service", "i2"),
        "a user's manager speaks of the unit it names",
    ),
    (
        {**USER, "_SYSTEMD_USER_UNIT": "c.service", "USER_UNIT": "b.service"},
        ("user:1000", "c.service", None),
        "a user's service cannot speak for another",
    ),
    (
        {"_SYSTEMD_UNIT": "session-1.scope", "_UID": "1000", "USER_UNIT": "b.service"},
        ("system", "session-1.scope", None),
        "a login session is not a manager",
    ),
    ({**USER, "UNIT": "a.service"}, ("system", "user@1000.service", None), "a user's process cannot speak for the system's manager"),
    (
        {
            "_UID": "0",
            "_SYSTEMD_UNIT": "systemd-journald.service",
            "OBJECT_SYSTEMD_UNIT": "a.service",
            "OBJECT_SYSTEMD_INVOCATION_ID": "i1",
        },
        ("system", "a.service", "i1"),
        "journald says that it dropped a service's lines",
    ),
    (
        {"_UID": "1000", "_SYSTEMD_UNIT": "x.service", "OBJECT_SYSTEMD_UNIT": "a.service"},
        ("system", "x.service", None),
        "only root may speak of others",
    ),
    (
        {
            "MESSAGE_ID": COREDUMP,
            "_UID": "996",
            "_SYSTEMD_UNIT": "systemd-coredump@1-187-0.service",
            "_SYSTEMD_INVOCATION_ID": "i9",
            "COREDUMP_UNIT": "a.service",
        },
        ("system", "a.service", None),
        "a core dump is about the unit that crashed, and names no invocation of it",
    ),
    (
        {
            "MESSAGE_ID": COREDUMP,
            "_UID": "0",
            "COREDUMP_UNIT": "user@1000.service",
            "COREDUMP_USER_UNIT": "b.service",
            "COREDUMP_UID": "1000",
        },
        ("user:1000", "b.service", None),
        "of a user's service both units are named",
    ),
    (
        {"MESSAGE_ID": COREDUMP, "_UID": "1000", "_SYSTEMD_UNIT": "x.service", "COREDUMP_UNIT": "a.service"},
        ("system", "x.service", None),
        "a core dump that another service writes is forged",
    ),
    (
        {"MESSAGE_ID": COREDUMP, "_UID": "996", "COREDUMP_UNIT": "a.service"},
        (None, None, None),
        "a system user without a cgroup may be systemd-coredump or any service",
    ),
    (
        {"MESSAGE_ID": COREDUMP, "_UID": "0", "_SYSTEMD_UNIT": "x.service", "COREDUMP_UNIT": "a.service"},
        ("system", "x.service", None),
        "a root service is not systemd-coredump",
    ),
    ({"MESSAGE_ID": COREDUMP, "_UID": "1000", "COREDUMP_UNIT": "a.service"}, (None, None, None), "a person is not systemd-coredump"),
    ({"_UID": "0", "_SYSTEMD_UNIT": "x.service", "COREDUMP_UNIT": "a.service"}, ("system", "x.service", None), "not a core dump's line"),
]


def table(entries: list[dict[str, str]]) -> list[tuple[str | None, str | None, str | None]]:
    names = sorted({name for entry in entries for name in entry})
    fields = {name: encoded(pa.array([entry.get(name) for entry in entries], pa.string())) for name in names}
    unit, invocation, manager = (column.to_pylist() for column in attribute_entries(fields, len(entries)))
    return list(zip(manager, unit, invocation, strict=True))


@pytest.mark.parametrize(("fields", "expected", "reason"), CASES, ids=[case[2] for case in CASES])
def test_an_entry_is_attributed_to_its_unit(fields, expected, reason):
    assert table([fields]) == [expected]
    assert restated.attribution(fields) == expected


def test_neighbours_do_not_change_the_attribution_of_an_entry():
    assert table([case[0] for case in CASES]) == [case[1] for case in CASES]


VALUES = st.sampled_from(
    [
        "",
        "0",
        "1",
        "1000",
        "init.scope",
        "a.service",
        "b.service",
        "systemd-journald.service",
        "systemd-coredump@1.service",
        COREDUMP,
        SPAWN_FAILED,
        GATE_OPENED,
        "(a)",
        "/usr/lib/systemd/systemd",
        "driver",
    ]
)
ENTRIES = st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=14), min_size=1, max_size=12)


@given(ENTRIES)
def test_the_rule_holds_for_any_combination_of_fields(entries):
    assert table(entries) == [restated.attribution(entry) for entry in entries]
