"""Which ends systemd restarts: the table of systemd.service(5), with exit statuses and signals."""

import pytest

from forensics.guard.gate.restarting import is_restarted

RESULTS = ("success", "exit-code", "signal", "core-dump", "timeout", "watchdog", "oom-kill", "exec-condition")
USUAL = {"Restart": "on-failure", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1"}
NONE = {"RestartPreventExitStatus": "", "RestartForceExitStatus": ""}


@pytest.mark.parametrize(
    ("policy", "restarted"),
    [
        ("no", ()),
        ("always", RESULTS[:-1]),
        ("on-success", ("success",)),
        ("on-failure", RESULTS[1:-1]),
        ("on-abnormal", ("signal", "core-dump", "timeout", "watchdog", "oom-kill")),
        ("on-abort", ("signal", "core-dump")),
        ("on-watchdog", ("watchdog",)),
        ("of-a-version-to-come", RESULTS),
    ],
)
def test_the_policies(policy, restarted):
    assert tuple(result for result in RESULTS if is_restarted({**USUAL, **NONE, "Restart": policy, "Result": result})) == restarted


@pytest.mark.parametrize(
    ("end", "settings", "restarted", "reason"),
    [
        ({}, {"RestartPreventExitStatus": "1 78"}, False, "an exit code that prevents it"),
        ({"ExecMainStatus": "2"}, {"RestartPreventExitStatus": "1 78"}, True, "another one"),
        ({"ExecMainStatus": "12"}, {"RestartPreventExitStatus": "1 2"}, True, "not a part of one"),
        ({"ExecMainCode": "2", "ExecMainStatus": "9", "Result": "signal"}, {"RestartPreventExitStatus": "9"}, True, "9 is an exit code"),
        ({"ExecMainCode": "2", "ExecMainStatus": "9", "Result": "signal"}, {"RestartPreventExitStatus": "KILL"}, False, "a signal"),
        (
            {"ExecMainCode": "3", "ExecMainStatus": "11", "Result": "core-dump"},
            {"RestartPreventExitStatus": "SIGSEGV"},
            False,
            "its long name",
        ),
        ({"Restart": "on-abort"}, {"RestartForceExitStatus": "1"}, True, "an exit code that forces it"),
        ({"ExecMainCode": "", "ExecMainStatus": ""}, {"RestartPreventExitStatus": "1"}, True, "nothing is known"),
    ],
)
def test_exit_statuses(end, settings, restarted, reason):
    assert is_restarted({**USUAL, **end, **NONE, **settings}) is restarted, reason
