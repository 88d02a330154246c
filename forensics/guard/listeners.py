"""Find the processes that listen on TCP ports, each with its control group and unit, from /proc; standard library only.

A socket of another user's process can be seen, but its process only by root (proc(5): /proc/PID/fd).
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h
MOST_READ = 8 << 20  # bytes of /proc/net/tcp: 50,000 sockets
LONGEST_COMMAND, LONGEST_ENVIRONMENT = 200, 1 << 20
PROC = Path("/proc")
_INVOCATION = re.compile(r"(?:^|\0)INVOCATION_ID=([0-9a-f]{32})(?:\0|$)")
_UNIT = re.compile(r"[^/]+\.(?:service|scope|socket|mount|swap)$")


@dataclass(frozen=True, slots=True)
class Socket:
    """A listening TCP socket. uid: of the user whose process made it."""

    address: str
    port: int
    inode: int
    uid: int


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a listening socket, or with `pid` None a socket whose process is not known; command: not safe to show."""

    pid: int | None
    command: str
    cgroup: str  # as systemd's ControlGroup= writes it
    unit: str  # the innermost unit of the control group; "" without one
    address: str
    port: int
    uid: int
    invocation: str = ""  # systemd's id of the start that it belongs to; "" where it has none, or this user may not see it


@dataclass(frozen=True, slots=True)
class Holders:
    """Who listens. unseen: how many processes this user may not look into."""

    found: tuple[Holder, ...]
    unseen: int

    @property
    def unknown(self) -> tuple[Holder, ...]:
        """The sockets whose process is not known."""
        return tuple(holder for holder in self.found if holder.pid is None)


def holders(port: int | None = None, *, network_of: int | None = None, proc: Path = PROC) -> Holders:
    """Find who listens on a port, or on any; in the network namespace of this process, or of another one.

    A socket without a process is looked for again: the process may have ended meanwhile.
    """
    found, unseen = _holders(port, network_of, proc)
    if any(holder.pid is None for holder in found):
        found, unseen = _holders(port, network_of, proc)
    return Holders(found, unseen)


def sockets(port: int | None = None, *, network_of: int | None = None, proc: Path = PROC) -> tuple[Socket, ...]:
    """Return the listening TCP sockets, IPv4 and IPv6."""
    network = proc / (str(network_of) if network_of is not None else "self") / "net"
    lines = [line for name in ("tcp", "tcp6") for line in _text(network / name, MOST_READ).splitlines()[1:]]
    found = [parsed for line in lines if (parsed := parse_line(line)) is not None]
    return tuple(each for each in found if port is None or each.port == port)


def parse_line(line: str) -> Socket | None:
    """Read a line of /proc/net/tcp or tcp6; None for a socket that does not listen, and for a broken line."""
    fields = line.split()
    if len(fields) < 10 or fields[3] != LISTEN:
        return None
    address, _, port = fields[1].partition(":")
    try:
        return Socket(_address(address), int(port, 16), int(fields[9]), int(fields[7]))
    except ValueError:
        return None


def control_group(text: str) -> str:
    """Choose systemd's own hierarchy in the text of /proc/PID/cgroup, of cgroup v2, v1 or both; "" where it is in none."""
    paths = {}
    for line in text.splitlines():
        _, names, path = (*line.split(":", 2), "", "")[:3]
        paths[names] = path
    for name in ("name=systemd", ""):
        if paths.get(name, "/") != "/":
            return paths[name]
    return paths.get("", paths.get("name=systemd", ""))


def unit_of(cgroup: str) -> str:
    """Return the innermost unit of a control group; a service may have groups below its own."""
    return next((part for part in reversed(cgroup.split("/")) if _UNIT.match(part)), "")


def is_inside(cgroup: str, group: str) -> bool:
    """Whether a control group is the other one, or below it."""
    return bool(group.strip("/")) and (cgroup == group or cgroup.startswith(f"{group.rstrip('/')}/"))


def cgroup_of(pid: int, proc: Path = PROC) -> str:
    """Return the control group of a process; "" when it is gone."""
    return control_group(_text(proc / str(pid) / "cgroup", 65_536))


def command_of(pid: int, proc: Path = PROC) -> str:
    """Return the start of a process's command line, or its name where it has none; not safe to show."""
    line = _text(proc / str(pid) / "cmdline", 4096).replace("\0", " ").strip()
    return (line or _text(proc / str(pid) / "comm", 64).strip())[:LONGEST_COMMAND]


def invocation_of(pid: int, proc: Path = PROC) -> str:
    """Return the INVOCATION_ID= with which a process was started: a left-over keeps that of an earlier start."""
    found = _INVOCATION.search(_text(proc / str(pid) / "environ", LONGEST_ENVIRONMENT))
    return found[1] if found else ""


def _holders(port: int | None, network_of: int | None, proc: Path) -> tuple[tuple[Holder, ...], int]:
    listening = {each.inode: each for each in sockets(port, network_of=network_of, proc=proc)}
    if not listening:
        return (), 0
    pids, unseen = _owners(listening, proc)
    found = [_holder(pid, each, proc) for inode, each in listening.items() for pid in pids.get(inode) or [None]]
    return tuple(sorted(found, key=lambda holder: (holder.port, holder.pid or 0, holder.address))), unseen


def _holder(pid: int | None, held: Socket, proc: Path) -> Holder:
    if pid is None:
        return Holder(None, "", "", "", held.address, held.port, held.uid)
    group = cgroup_of(pid, proc)
    invocation = invocation_of(pid, proc)
    return Holder(pid, command_of(pid, proc), group, unit_of(group), held.address, held.port, held.uid, invocation)


def _owners(listening: Mapping[int, Socket], proc: Path) -> tuple[dict[int, list[int | None]], int]:
    """Return inode → processes that hold it, and how many processes could not be looked into."""
    found: dict[int, list[int | None]] = {}
    unseen = 0
    for folder in proc.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            for inode in {*_sockets_of(folder)} & listening.keys():
                found.setdefault(inode, []).append(int(folder.name))
        except PermissionError:
            unseen += 1
        except OSError:  # it has ended
            continue
    return found, unseen


def _sockets_of(folder: Path) -> Iterator[int]:
    """Yield the inodes of the sockets that a process has open."""
    for descriptor in (folder / "fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            yield int(target[8:-1])


def _address(digits: str) -> str:
    """Read an address as the kernel prints it: 32-bit words in the order of this machine's bytes."""
    if len(digits) not in {8, 32}:
        raise ValueError(digits)
    words = [int(digits[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(digits), 8)]
    raw = b"".join(words)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _text(file: Path, longest: int) -> str:
    """Read the start of a file of /proc; "" when the process is gone."""
    try:
        with file.open("rb") as stream:
            return stream.read(longest).decode("utf-8", "replace")
    except OSError:
        return ""
