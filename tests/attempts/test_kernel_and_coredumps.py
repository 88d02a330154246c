"""Kernel lines and core dumps find the run they are about: by unit path or process, and by time."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.assembly import assemble
from tests.attempts.building import Journal

CONSTRAINT = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg={0},task_memcg={0},task=python3,pid={1},uid=0"
KILLED = "Memory cgroup out of memory: Killed process {0} (python3) total-vm:75328kB, anon-rss:61240kB"


def killed_run(journal: Journal, run: str, pid: int, counter: int) -> None:
    journal.manager("started", run)
    journal.writes(run, "loading", pid=pid)
    journal.manager("exit", run, after=2, EXIT_CODE="killed", EXIT_STATUS="9", COMMAND="ExecStart")
    journal.manager("failed", run, UNIT_RESULT="signal")
    journal.manager("restart", run, after=0.2, N_RESTARTS=str(counter))


def oom_loop(*, at: str) -> Journal:
    """Three runs killed alike; the kernel's lines about the second stand where `at` says."""
    journal = Journal()
    killed_run(journal, "r1", 801, 1)
    journal.manager("started", "r2")
    journal.writes("r2", "loading", pid=802)
    journal.now += 2_000_000
    died = 1_000_000 + journal.now

    def speak() -> None:
        for text in (CONSTRAINT.format("/system.slice/app.service", 802), KILLED.format(802)):
            journal.kernel(text, source=died)

    if at == "before":
        speak()
    journal.manager("exit", "r2", EXIT_CODE="killed", EXIT_STATUS="9", COMMAND="ExecStart")
    journal.manager("failed", "r2", UNIT_RESULT="signal")
    if at == "after":
        speak()
    journal.manager("restart", "r2", after=0.2, N_RESTARTS="2")
    if at == "after the restart":
        speak()
    killed_run(journal, "r3", 803, 3)
    if at == "after the next run":
        speak()
    return journal


@pytest.mark.parametrize("at", ["before", "after", "after the restart", "after the next run"])
def test_an_oom_kill_is_known_from_the_kernels_lines_wherever_they_stand(at: str) -> None:
    made = assemble(oom_loop(at=at).frame())
    assert made.attempts["oom_killed"].to_list() == [False, True, False]
    assert made.events.filter(pl.col("kind") == "kernel")["attempt"].to_list() == [1, 1]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/system.slice/app.service", True),
        ("/system.slice/app.service/workers", True),
        ("/machine.slice/app.service", True),
        ("/system.slice/other.service", False),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/app.service", False),
        ("/system.slice/docker-0123.scope", False),
    ],
)
def test_the_path_names_the_service(path: str, *, found: bool) -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.kernel(CONSTRAINT.format(path, 7))
    journal.dies("r1", status=137)
    assert assemble(journal.frame()).attempts["oom_killed"].to_list() == [found]


def test_the_managers_word_is_enough() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.manager("oom", "r1", text="app.service: A process of this unit has been killed by the OOM killer.")
    journal.dies("r1", status=21)
    assert assemble(journal.frame()).attempts["oom_killed"].to_list() == [True]


def test_other_kernel_lines_are_events_of_the_process_they_name() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.writes("r1", "hello", pid=42)
    journal.kernel("python3[42]: segfault at 0 ip 00007f sp 00007ffc error 4 in libc.so.6")
    journal.kernel("NVRM: Xid (PCI:0000:01:00): 31, pid=42, name=python3, Ch 00000008")
    journal.kernel("python3[43]: segfault at 0 ip 00007f sp 00007ffc error 4 in libc.so.6")
    journal.dies("r1")
    made = assemble(journal.frame())
    assert made.events.filter(pl.col("kind") == "kernel").height == 2
    assert made.attempts["oom_killed"].to_list() == [False]


def test_the_fault_of_a_silent_process_is_known_by_its_signal_and_time() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.kernel("llama-server[900]: segfault at 0 ip 00007f sp 00007ffc error 4 in libc.so.6", after=5)
    journal.kernel("traps: other[901] trap invalid opcode ip:55 sp:7f error:0", after=0.001)
    journal.manager("exit", "r1", EXIT_CODE="killed", EXIT_STATUS="11", COMMAND="ExecStart")
    journal.manager("failed", "r1", UNIT_RESULT="signal")
    journal.kernel("third[902]: segfault at 0 ip 00007f sp 00007ffc error 4 in libc.so.6", after=60)
    made = assemble(journal.frame()).events.filter(pl.col("kind") == "kernel")
    assert made["text"].str.slice(0, 12).to_list() == ["llama-server"]


def test_a_core_dump_that_names_no_unit_is_known_by_its_process() -> None:
    journal = Journal()
    crash(journal, "r1", 41, 1)
    dump(journal, 41, 0.1)
    del journal.lines[-1]["COREDUMP_UNIT"]
    assert assemble(journal.frame()).attempts["dumped_core"].to_list() == [True]
    assert assemble(journal.frame()).events.filter(pl.col("kind") == "coredump")["attempt"].to_list() == [0]


def dump(journal: Journal, pid: int, after: float) -> None:
    journal.add(
        after,
        {
            "_PID": "9",
            "_COMM": "systemd-coredum",
            "_TRANSPORT": "journal",
            "_SYSTEMD_UNIT": "systemd-coredump@0.service",
            "MESSAGE_ID": "fc2e22bc6ee647b6b90729ab34a250b1",
            "COREDUMP_UNIT": "app.service",
            "COREDUMP_PID": str(pid),
            "COREDUMP_SIGNAL": "11",
            "PRIORITY": "2",
            "MESSAGE": f"Process {pid} (python3) of user 0 dumped core.\n\nStack trace of thread {pid}:\n#0 x",
        },
    )


def crash(journal: Journal, run: str, pid: int | None, counter: int) -> None:
    journal.manager("started", run)
    if pid is not None:
        journal.writes(run, "hello", pid=pid)
    journal.manager("exit", run, after=1, EXIT_CODE="dumped", EXIT_STATUS="11", COMMAND="ExecStart")
    journal.manager("failed", run, UNIT_RESULT="core-dump")
    journal.manager("restart", run, after=1, N_RESTARTS=str(counter))


def test_a_core_dump_belongs_to_its_process_even_when_it_is_logged_runs_later() -> None:
    journal = Journal()
    for n, pid in enumerate((41, 42, 43), 1):
        crash(journal, f"r{n}", pid, n)
    dump(journal, 41, 1)
    found = assemble(journal.frame()).events.filter(pl.col("kind") == "coredump")
    assert found["attempt"].to_list() == [0]
    assert found["text"][0].startswith("Process 41")


def test_the_core_dump_of_a_silent_process_belongs_to_the_run_that_dumped_last() -> None:
    journal = Journal()
    crash(journal, "r1", None, 1)
    dump(journal, 41, 3)
    journal.fails("r2")
    made = assemble(journal.frame())
    assert made.events.filter(pl.col("kind") == "coredump")["attempt"].to_list() == [0]
    assert made.attempts["dumped_core"].to_list() == [True, False]


def test_a_process_id_used_again_days_later_is_another_process() -> None:
    journal = Journal()
    crash(journal, "r1", 41, 1)
    journal.now += 3 * 86_400_000_000
    crash(journal, "r2", 41, 2)
    dump(journal, 41, 0.1)
    assert assemble(journal.frame()).events.filter(pl.col("kind") == "coredump")["attempt"].to_list() == [1]


def test_a_failed_exec_is_an_event_of_the_run_it_ended() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.manager(
        "spawn",
        "r1",
        text="app.service: Failed at step EXEC spawning /p: No such file",
        ERRNO="2",
        EXECUTABLE="/p",
        _PID="164",
        _COMM="(python)",
    )
    journal.dies("r1", status=203)
    event = assemble(journal.frame()).events.filter(pl.col("errno") == 2)
    assert event["kind"].to_list() == ["manager"]
