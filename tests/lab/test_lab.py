"""A real systemd lets units fail in every way that matters, and its journal has exactly the restarts that were made."""

import subprocess
from pathlib import Path

import pytest

from tests.lab.systemd import NEEDED, booted

pytestmark = NEEDED

SCHEDULED = "MESSAGE_ID=5eb03494b6584870a536b337290809b3"
FAILED = "MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c"
EXITED = "MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15"


def unit(start: str, starts: int, *more: str) -> str:
    """A service that may be started `starts` times; the restart after the last one is scheduled and refused."""
    lines = ["[Unit]", "StartLimitIntervalSec=600", f"StartLimitBurst={starts}", "[Service]", "Restart=on-failure", "RestartSec=50ms"]
    return "\n".join([*lines, f"ExecStart={start}", *more, ""])


# name → unit file, restarts in the journal, the result and the exit that systemd notes
CASES = {
    "words.service": (unit("/lab/words.sh", 4), 4, "exit-code", "exited 7"),
    "segfault.service": (unit("/bin/sh -c 'kill -SEGV $$$$'", 3), 3, "signal", "killed 11"),
    "killed.service": (unit("/bin/sh -c 'kill -KILL $$$$'", 2), 2, "signal", "killed 9"),
    "absent.service": (unit("/nonexistent/program", 2), 2, "exit-code", "exited 203"),
    "hangs.service": (unit("/lab/hangs.sh", 2, "Type=notify", "NotifyAccess=all", "WatchdogSec=200ms"), 2, "watchdog", "killed 6"),
}
PROGRAMS = {
    "words.sh": "#!/bin/sh\necho loading\necho 'RuntimeError: not today' >&2\nexit 7\n",
    "hangs.sh": "#!/bin/sh\nsystemd-notify --ready\nexec sleep 60\n",
}


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a lab in which each case has failed for good."""
    with booted({name: case[0] for name, case in CASES.items()}, tmp_path_factory.mktemp("lab"), programs=PROGRAMS) as lab:
        lab.run(["systemctl", "start", "--no-block", *CASES])
        lab.wait_until(lambda: set(lab.states(list(CASES)).values()) == {"failed"})
        lab.run(["journalctl", "--sync"])
    return lab.journal


def _field(journal: Path, name: str, *matches: str) -> list[str]:
    command = ["journalctl", "--quiet", "--no-pager", "-D", journal, "-o", "cat", f"--output-fields={name}", *matches]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("name", CASES)
def test_each_restart_is_in_the_journal_once(journal: Path, name: str):
    restarts = CASES[name][1]
    assert _field(journal, "N_RESTARTS", SCHEDULED, f"UNIT={name}") == [str(n) for n in range(1, restarts + 1)]


@pytest.mark.parametrize("name", CASES)
def test_systemd_notes_how_each_run_ended(journal: Path, name: str):
    _, starts, result, exit_ = CASES[name]
    code, status = exit_.split()
    codes = _field(journal, "EXIT_CODE", EXITED, f"UNIT={name}")
    assert _field(journal, "EXIT_STATUS", EXITED, f"UNIT={name}") == [status] * starts
    assert {code.replace("dumped", "killed") for code in codes} == {code}  # a core is dumped where the host's limits allow it
    results = _field(journal, "UNIT_RESULT", FAILED, f"UNIT={name}")
    assert {r.replace("core-dump", "signal") for r in results[:starts]} == {result}


def test_what_a_program_says_is_in_the_journal_of_its_unit(journal: Path):
    assert _field(journal, "MESSAGE", "_SYSTEMD_UNIT=words.service").count("RuntimeError: not today") == 4


def test_the_journal_of_a_halted_lab_passes_verification(journal: Path):
    files = list(journal.glob("*/system.journal"))
    assert len(files) == 1
    assert subprocess.run(["journalctl", "--verify", "--file", files[0]], check=False, capture_output=True).returncode == 0


def test_nothing_of_a_lab_is_left(tmp_path: Path):
    with booted({}, tmp_path) as lab:
        assert Path(f"/proc/{lab.leader}/comm").read_text() == "systemd\n"
        groups = [
            line.split(":")[2].strip() for line in Path(f"/proc/{lab.leader}/cgroup").read_text().splitlines() if line.startswith("0::")
        ]
    assert not Path(f"/proc/{lab.leader}").exists()
    assert list((tmp_path / "root").iterdir()) == []
    top = groups[0].split("/")[1]
    assert not [line for line in Path("/proc/mounts").read_text().splitlines() if str(tmp_path) in line]
    assert top.startswith("lab-")
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{top}"))


def test_a_second_boot_continues_the_journal_with_a_boot_of_its_own(tmp_path: Path):
    for _ in range(2):
        with booted({}, tmp_path) as lab:
            lab.run(["journalctl", "--sync"])
    boots = _field(tmp_path / "journal", "_BOOT_ID", "SYSLOG_IDENTIFIER=systemd")
    assert len(set(boots)) == 2
    assert Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "") not in boots
