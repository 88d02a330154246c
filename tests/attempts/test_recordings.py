"""Real recordings of systemd 252 and 257: what the unit files make happen is what is found (fixtures/journals/README.md)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from forensics.assembly import Assembly, assemble
from tests.attempts.loading import export_file

JOURNALS = Path(__file__).parents[2] / "fixtures" / "journals"
VERSIONS = ("252", "257")

# unit, starts, outcome of each, result, exit code, exit status, Exec line, last restart refused; why
EXPECTED: list[tuple[str, int, str, str, str | None, int | None, str | None, bool, str]] = [
    ("lab-always0.service", 3, "clean", "success", None, 0, None, True, "Restart=always, exit 0, burst 3"),
    ("lab-chdir.service", 2, "failed", "exit-code", "exited", 200, "ExecStart", True, "no working directory, burst 2"),
    ("lab-condexec255.service", 2, "failed", "exit-code", "exited", 255, "ExecCondition", True, "ExecCondition 255 is a failure"),
    ("lab-cpu.service", 2, "failed", "exit-code", "exited", 1, "ExecStart", True, "burst 2"),
    ("lab-direct.service", 4, "failed", "exit-code", "exited", 10, "ExecStart", True, "RestartMode=direct, burst 4"),
    ("lab-flood.service", 1, "clean", "success", None, 0, None, False, "no restart"),
    ("lab-forking.service", 2, "failed", "timeout", None, None, None, True, "TimeoutStartSec"),
    ("lab-leftover.service", 2, "failed", "exit-code", "exited", 9, "ExecStart", True, "a child is left over"),
    ("lab-noexec.service", 3, "failed", "exit-code", "exited", 203, "ExecStart", True, "203/EXEC, burst 3"),
    ("lab-nouser.service", 2, "failed", "exit-code", "exited", 217, "ExecStart", True, "217/USER"),
    ("lab-oneshot-once.service", 1, "failed", "exit-code", "exited", 8, "ExecStart", False, "oneshot"),
    ("lab-oneshot.service", 2, "failed", "exit-code", "exited", 6, "ExecStart", True, "oneshot with Restart="),
    ("lab-onfail.service", 2, "failed", "exit-code", "exited", 11, "ExecStart", True, "OnFailure="),
    ("lab-prevent.service", 1, "failed", "exit-code", "exited", 5, "ExecStart", False, "RestartPreventExitStatus=5"),
    ("lab-protocol.service", 2, "failed", "protocol", None, None, None, True, "Type=notify, exit 0 before READY=1"),
    ("lab-runtimemax.service", 2, "failed", "timeout", None, None, None, True, "RuntimeMaxSec"),
    ("lab-segv.service", 3, "failed", "core-dump", "dumped", 11, "ExecStart", True, "segfault, burst 3"),
    ("lab-startpre.service", 3, "failed", "exit-code", "exited", 4, "ExecStartPre", True, "ExecStartPre, burst 3"),
    ("lab-starttimeout.service", 2, "failed", "timeout", None, None, None, True, "TimeoutStartSec, notify"),
    ("lab-stoppost.service", 1, "stopped", "exit-code", "exited", 14, "ExecStop", False, "stopped, its ExecStop failed"),
    ("lab-stoptimeout.service", 1, "stopped", "timeout", "killed", 9, "ExecStart", False, "stopped, killed after TimeoutStopSec"),
    ("lab-user@a.service", 2, "failed", "exit-code", "exited", 12, "ExecStart", True, "template instance"),
    ("lab-watchdog.service", 2, "failed", "watchdog", "dumped", 6, "ExecStart", True, "WatchdogSec"),
    ("tabby-user.service", 3, "failed", "exit-code", "exited", 1, "ExecStart", True, "user manager, burst 3"),
]
NEVER_STARTED = ("lab-condexec.service", "lab-condpath.service", "lab-assert.service", "lab-badsetting.service")


def path(version: str) -> Path:
    return JOURNALS / f"{version}-events.export.zst"


@cache
def recording(version: str) -> tuple[pl.DataFrame, Assembly]:
    frame = export_file(path(version))
    return frame, assemble(frame)


def unit(version: str, name: str) -> pl.DataFrame:
    return recording(version)[1].attempts.filter(pl.col("unit") == name)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("expected", EXPECTED, ids=[case[0] for case in EXPECTED])
def test_attempts_are_what_the_unit_file_makes_happen(version: str, expected: tuple[object, ...]) -> None:
    name, starts, outcome, result, code, status, command, refused, _ = expected
    found = unit(version, str(name))
    ends = found.select("outcome", "result", "exit_code", "exit_status", "command")
    assert list(ends.iter_rows()) == [(outcome, result, code, status, command)] * int(str(starts))
    assert found["refused"].to_list() == [False] * (int(str(starts)) - 1) + [refused]
    assert found["automatic"].to_list() == [False] + [True] * (int(str(starts)) - 1)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", NEVER_STARTED)
def test_what_never_started_is_no_attempt(version: str, name: str) -> None:
    assert unit(version, name).is_empty()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_unit_whose_dependency_failed_has_failed_without_an_attempt_at_it(version: str) -> None:
    failures = unit(version, "lab-needsfailed.service")
    assert failures.select("outcome", "result", "exit_status", "uptime_s", "lines").rows() == [("failed", "dependency", None, 0.0, 0)]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_scheduled_restart_of_the_text_is_a_restart_and_none_is_lost(version: str) -> None:
    with pa.input_stream(str(path(version)), compression="zstd") as stream:
        scheduled = stream.read().count(b"\nMESSAGE_ID=5eb03494b6584870a536b337290809b3\n")
    frame, made = recording(version)
    assert made.restarts.height == scheduled
    assert not made.restarts["lost"].any()
    assert frame["restart_counter"].gather(made.restarts["row"]).null_count() == 0
    by_attempt = made.restarts.join(made.attempts, on="attempt", validate="1:1")
    assert by_attempt.height == scheduled
    assert (by_attempt["time"] >= by_attempt["ended"]).all()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_start_limit_refused_as_often_as_it_says(version: str) -> None:
    frame, made = recording(version)
    said = frame.filter(pl.col("code_func") == "unit_test_start_limit").height
    assert made.restarts["refused"].sum() == said - 1  # one was a manual start
    assert unit(version, "lab-startlimit.service")["refused"].to_list() == [False, False, True] * 2


@pytest.mark.parametrize("version", VERSIONS)
def test_a_clients_hand_is_told_from_an_automatic_restart(version: str) -> None:
    healthy = unit(version, "lab-healthy.service")
    assert list(healthy.select("outcome", "automatic").iter_rows()) == [("stopped", False), ("failed", False), ("stopped", True)]
    assert healthy["ready"].null_count() == 0
    killed = unit(version, "lab-sigterm.service")
    assert killed["outcome"].to_list() == ["failed", "clean", "clean", "failed", "stopped"]
    assert killed["exit_status"].to_list()[::3] == [9, 6]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_replayed_incident_fails_until_its_last_run(version: str) -> None:
    runs = unit(version, "tabbyapi.service")
    assert runs["outcome"].to_list() == ["failed"] * (runs.height - 1) + ["stopped"]
    assert runs["restart_counter"].to_list() == [*range(1, runs.height), None]


@pytest.mark.parametrize("version", VERSIONS)
def test_core_dumps_and_dropped_lines_find_their_attempts(version: str) -> None:
    assert unit(version, "lab-segv.service")["dumped_core"].all()
    made = recording(version)[1]
    dumped = made.events.filter(pl.col("kind") == "coredump").join(made.attempts, on="attempt")
    assert sorted(dumped["unit"]) == ["lab-segv.service"] * 3 + ["lab-sigterm.service"] + ["lab-watchdog.service"] * 2
    assert unit(version, "lab-flood.service")["lost"].to_list() == [125]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python_failure_is_one_traceback(version: str) -> None:
    made = recording(version)[1]
    found = made.events.filter(pl.col("kind") == "traceback").join(made.attempts, on="attempt")
    says = {
        "lab-missinglib.service": "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory",
        "lab-port.service": "OSError: [Errno 98] Address already in use",
        "tabby-user.service": "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory",
    }
    for name, root in says.items():
        assert found.filter(pl.col("unit") == name)["root"].to_list() == [root] * unit(version, name).height
    runs = unit(version, "tabbyapi.service").filter(pl.col("outcome") == "failed")
    assert found.filter(pl.col("unit") == "tabbyapi.service")["attempt"].to_list() == runs["attempt"].to_list()
    assert not made.events.filter(pl.col("kind") == "line")["text"].str.contains("Traceback|^ ").any()
