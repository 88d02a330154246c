"""Boot a real systemd with a journal for the length of a `with`; README.md lists what must not reach the host."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, cast

import pytest

SYSTEM = Path(os.environ.get("TABBY_TEST_SYSTEM", "/")).resolve()  # the root of the system whose systemd is booted: `make check-trixie`
SYSTEMD = SYSTEM / "usr/lib/systemd/systemd"
MACHINE_ID = "1ab" + "0" * 29
HALT = signal.SIGRTMIN + 3  # to PID 1: halt.target, so that journald closes its files
ROOT_SCRIPT = Path(__file__).with_name("root.sh")
_NEW = ("--pid", "--fork", "--kill-child=KILL", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--propagation", "private")
MASKED = [
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "systemd-binfmt.service",
    "proc-sys-fs-binfmt_misc.automount",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-timesyncd.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-firstboot.service",
    "systemd-machine-id-commit.service",
    "getty.target",
    "console-getty.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-fs-fuse-connections.mount",
    "timers.target",
]


class LabError(Exception):
    """The lab did not do what was asked of it."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A booted systemd: `leader` is its PID 1 in the numbers of the host, `journal` the directory for `journalctl -D`."""

    leader: int
    journal: Path

    def run(self, command: Sequence[str], *, check: bool = True) -> str:
        """Run a command inside and return what it prints."""
        inside = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", "setsid", "-w"]
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        return subprocess.run([*inside, *clean, *command], check=check, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

    def states(self, units: Sequence[str]) -> dict[str, str]:
        """Unit → ActiveState."""
        return {unit: self.run(["systemctl", "show", "-P", "ActiveState", unit]).strip() for unit in units}

    def wait_until(self, holds: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise LabError(f"not within {seconds} s")
            time.sleep(0.05)


@cache
def why_not() -> str | None:
    """Why no lab can be booted on this machine; null when one can."""
    if os.geteuid() != 0:
        return "needs root"
    if not SYSTEMD.exists():
        return "systemd is not installed"
    if missing := [tool for tool in ("unshare", "nsenter", "setpriv", "setsid") if shutil.which(tool) is None]:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run(["unshare", *_NEW, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        return f"no right to make namespaces: {tried.stderr.strip()}"
    if _cgroup_root() is None:
        return "no cgroup v2"
    return None


def _cgroup_root() -> Path | None:
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return next((Path(where) for _, where, kind, *_ in mounts if kind == "cgroup2"), None)


@contextmanager
def booted(
    units: Mapping[str, str],
    directory: Path,
    *,
    programs: Mapping[str, str] | None = None,
    shared: Mapping[str, Path] | None = None,
    machine_id: str = MACHINE_ID,
) -> Iterator[Lab]:
    """Boot a systemd with `units` (file name → text) in /etc/systemd/system and `programs` (file name → text) in /lab;
    `shared` (name → directory of the host) can be read as /lab/name.

    None of them is started. The journal is in `directory`/journal. A second lab in the same directory continues it as a second boot.
    """
    root, etc, journal, scripts = (directory / name for name in ("root", "etc", "journal", "programs"))
    shutil.rmtree(etc, ignore_errors=True)
    for part in (root, etc / "systemd/system", etc / "systemd/journald.conf.d", etc / "systemd/system.conf.d", journal, scripts):
        part.mkdir(parents=True, exist_ok=True)
    _write_etc(etc, units, machine_id)
    for name, text in (programs or {}).items():
        (scripts / name).write_text(text)
        (scripts / name).chmod(0o755)
    for name in shared or {}:
        (scripts / name).mkdir(exist_ok=True)
    bound = [f"{name}={path}" for name, path in (shared or {}).items()]
    with own_cgroup() as cgroup, first_process(cgroup, ROOT_SCRIPT, [*map(str, (SYSTEM, root, etc, journal, scripts)), *bound]) as leader:
        lab = Lab(leader, journal)
        lab.wait_until(lambda: lab.run(["systemctl", "is-system-running"], check=False).strip() in {"running", "degraded"})
        yield lab


def _write_etc(etc: Path, units: Mapping[str, str], machine_id: str) -> None:
    (etc / "machine-id").write_text(machine_id + "\n")
    (etc / "hostname").write_text("lab\n")
    (etc / "systemd/journald.conf.d/lab.conf").write_text("[Journal]\nStorage=persistent\n")
    (etc / "systemd/system.conf.d/lab.conf").write_text("[Manager]\nDefaultTimeoutStopSec=3s\n")
    for name in MASKED:
        (etc / "systemd/system" / name).symlink_to("/dev/null")
    for name, text in units.items():
        (etc / "systemd/system" / name).write_text(text)


@contextmanager
def own_cgroup() -> Iterator[Path]:
    """A cgroup with two children: `lab` becomes the root of the lab's own hierarchy, `outside` holds the process that waits for it."""
    top = Path(tempfile.mkdtemp(prefix="lab-", dir=_cgroup_root()))
    for name in ("lab", "outside"):
        (top / name).mkdir()
    with suppress(OSError):  # on a host with cgroup v1 there is no controller to hand down
        (top / "cgroup.subtree_control").write_text(" ".join(f"+{c}" for c in (top / "cgroup.controllers").read_text().split()))
    try:
        yield top
    finally:
        with suppress(OSError):
            (top / "cgroup.kill").write_text("1")
        for _ in range(100):
            for path in sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True):
                with suppress(OSError):
                    path.rmdir()
            with suppress(OSError):
                top.rmdir()
                break
            time.sleep(0.02)


@contextmanager
def first_process(cgroup: Path, script: Path, arguments: Sequence[str]) -> Iterator[int]:
    """PID 1 of a lab, from its start to its halt. script: ends with enter.sh."""
    enter = 'echo $$ > "$1/lab/cgroup.procs"; shift; exec setpriv --pdeathsig KILL unshare "$@"'
    command = ["bash", "-c", enter, "bash", str(cgroup), *_NEW, "bash", str(script), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as outer:
        answer = cast("IO[str]", outer.stdout).readline()
        if answer != "mounted\n":
            outer.kill()
            raise LabError(f"root.sh: {answer.strip()}")
        (cgroup / "outside/cgroup.procs").write_text(str(outer.pid))
        cast("IO[str]", outer.stdin).write("go\n")
        cast("IO[str]", outer.stdin).flush()
        leader = int(Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text())
        try:
            yield leader
        finally:
            _halt(outer, leader)


def _halt(outer: subprocess.Popen[str], leader: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(leader, HALT)
    try:
        outer.wait(10)
    except subprocess.TimeoutExpired:
        outer.kill()


NEEDED = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(why_not() is not None, reason=f"no lab: {why_not()}"),
    pytest.mark.skipif(shutil.which("journalctl") is None, reason="journalctl is not installed"),
]  # of a test module that boots a lab: its `pytestmark`
