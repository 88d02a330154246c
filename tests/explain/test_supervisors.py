"""How supervisors report an end is read as the attempt's end: its unit, result and status."""

from pathlib import Path

import pytest

from tests.explain.reading import ASSUMED, read

DIED = "ValueError: the widget is broken\n"


def _rows():
    """Yield (name, attempt, lines of its own, text) of each block of the table."""
    for block in (Path(__file__).parent / "supervisors.txt").read_text().rstrip("\n").split("\n\n"):
        head, *text = block.split("\n")
        name, unit, result, status, *own = (part.strip() for part in head.removeprefix("=").split("|"))
        attempt = (unit, result, None if status == "-" else int(status))
        yield pytest.param(attempt, [int(line) for line in own[0].split()], "\n".join(text) + "\n", id=name)


@pytest.mark.parametrize(("attempt", "lines", "text"), list(_rows()))
def test_the_end_that_a_supervisor_reports_is_read(attempt, lines, text):
    found = read(text)
    assert list(zip(found.attempts, found.lines, strict=True)) == [(attempt, lines)]
    assert found.understood.is_understood


def test_each_end_is_an_attempt():
    text = "".join(f"web-1  | try {n}\nweb-1 exited with code 1 (restarting)\n" for n in range(3))
    assert read(text).attempts == [("web-1", "exit-code", 1)] * 3


def test_lines_of_several_programs_go_to_the_one_that_ends_next():
    text = (
        "2024-01-04 10:00:00,123 INFO spawned: 'web' with pid 7\n2024-01-04 10:00:00,123 INFO spawned: 'job' with pid 8\n"
        f"{DIED}2024-01-04 10:00:01,123 INFO exited: web (exit status 3; not expected)\nstill going\n"
    )
    found = read(text)
    assert dict(zip(found.attempts, found.lines, strict=True)) == {("job", ASSUMED, None): [5], ("web", "exit-code", 3): [3]}


def test_the_words_of_a_program_about_others_are_no_end():
    journal = (
        "Jan 04 10:00:00 box app[7]: worker-3 exited with code 1\nJan 04 10:00:01 box systemd[1]: app.service: Consumed 1s CPU time.\n"
    )
    assert read(journal).attempts == [("app", ASSUMED, None)]


def test_a_supervisor_may_run_under_systemd():
    date, sh = "Jan 04 10:00:00 box", "Jan 04 10:00:00 box sh[11]: 2024-01-04 10:00:00,123"
    text = (
        f"{date} systemd[1]: Started supervisor.service - Supervisor process control system.\n"
        f"{sh} INFO supervisord started with pid 11\n{sh} INFO spawned: 'web' with pid 12\n{date} sh[11]: {DIED}"
        f"{sh} WARN exited: web (terminated by SIGKILL; not expected)\n"
    )
    found = read(text)
    assert found.lines[found.attempts.index(("web", "signal", 9))] == [4]


DESCRIBED = """\
Name:             shop-6f7c9-x2x4z
Containers:
  web:
    Container ID:   containerd://c0ffee
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       {reason}
      Exit Code:    {code}
Events:
  Type     Reason     Age                From     Message
  ----     ------     ----               ----     -------
  Normal   Pulled     2m (x5 over 5m)    kubelet  Container image "shop:1" already present on machine
  Warning  BackOff    10s (x20 over 5m)  kubelet  Back-off restarting failed container web in pod shop-6f7c9-x2x4z
"""
PODS = {
    "OOMKilled": (DESCRIBED.format(reason="OOMKilled", code=137), "oom-kill", 9),
    "Error": (DESCRIBED.format(reason="Error", code=3), "exit-code", 3),
    "killed": (DESCRIBED.format(reason="Error", code=137), "signal", 9),
    "JSON": ('"lastState": {\n  "terminated": {\n    "exitCode": 3,\n    "reason": "Error"\n  }\n},\n"name": "web",\n', "exit-code", 3),
    "YAML": ("    lastState:\n      terminated:\n        exitCode: 137\n        reason: OOMKilled\n    name: web\n", "oom-kill", 9),
}


@pytest.mark.parametrize(("text", "result", "status"), PODS.values(), ids=PODS)
def test_the_last_state_of_a_container_is_its_end(text, result, status):
    assert ("web", result, status) in read(text).attempts


def test_a_list_of_pods_names_those_that_fail():
    text = (
        "NAME    READY   STATUS             RESTARTS     AGE\n"
        "web-1   0/1     CrashLoopBackOff   5 (2m ago)   9m\n"
        "db-1    1/1     Running            0            9m\n"
    )
    assert read(text).attempts[0] == ("web-1", "failed", None)


def test_the_warnings_of_events_are_lines_of_their_pod():
    text = (
        "LAST SEEN   TYPE      REASON        OBJECT       MESSAGE\n"
        '2m          Normal    Pulling       pod/web-1    Pulling image "shop:9"\n'
        '2m          Warning   Failed        pod/web-1    Failed to pull image "shop:9": not found\n'
    )
    found = read(text)
    assert found.lines[found.attempts.index(("web-1", ASSUMED, None))] == [3]
