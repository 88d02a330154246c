"""Judge who listens on a unit's port: its own processes, a leftover, another unit, systemd for its socket, or a container's proxy."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from forensics.guard.listeners import Holder, Holders, holders, is_inside, sockets
from forensics.guard.systemctl import NoManagerError, called
from forensics.guard.verify.checks import FAILED, OK, UNKNOWN, Check, Outcome
from forensics.guard.verify.unit import State
from forensics.sanitize import brief, safe_line
from forensics.wording import plural

POLL_S, GLANCE_S = 2.0, 0.25
MOST_NAMED, LONGEST_COMMAND = 4, 60
FORWARDERS = {"docker-proxy", "dockerd", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "pasta.avx2", "containers-rootlessport"}
LOOPBACK = ("127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "::")  # noqa: S104 - what a caller on 127.0.0.1 reaches
MANAGER_SCOPE = "init.scope"  # of PID 1, and of a user's manager


@dataclass(frozen=True, slots=True)
class Ports:
    """Who listens on the port, and on which other ports the unit does. reachable: whether the unit has this host's network."""

    port: int
    holders: Holders
    others: tuple[Holder, ...] = ()
    is_reachable: bool = True


def wait_for_listener(port: int, until: float, stays: Callable[[], bool]) -> bool:
    """Wait until anyone listens on the port, or the unit no longer stays as it was."""
    polled = time.monotonic()
    while not sockets(port):
        if time.monotonic() >= until:
            return False
        time.sleep(GLANCE_S)
        if time.monotonic() - polled >= POLL_S:
            if not stays():
                return False
            polled = time.monotonic()
    return True


def look(port: int, state: State) -> Ports:
    """Look at all listeners of this host's network."""
    found = holders()
    here = Holders(tuple(each for each in found.found if each.port == port), found.unseen)
    others = tuple(each for each in found.found if each.port != port and is_inside(each.cgroup, state.group))
    return Ports(port, here, others, has_hosts_network(state))


def choose_port(unit: str, state: State) -> tuple[Check, int | None]:
    """Choose the port of a unit for which none is named: the only one it listens on."""
    found = holders()
    own = sorted({each.port for each in found.found if is_inside(each.cgroup, state.group)})
    if len(own) > 1:
        return Check("port", UNKNOWN, f"{unit} listens on {_listed(map(str, own))}: name the one that is asked with --port"), None
    if own:
        return Check("port", OK, f"{unit} listens on {own[0]} only"), own[0]
    if found.unknown and os.geteuid() != 0:
        return Check("port", UNKNOWN, f"this user may not see on which ports {unit} listens: name one with --port, or run it as root"), None
    return Check("port", OK, f"{unit} listens on no TCP port, and none was named"), None


def address_of(ports: Ports, state: State) -> str:
    """Choose the host part of a URL under which a caller of this host reaches the unit's listener."""
    listening = ports.holders.found
    address = reachable([each.address for each in listening if is_own(each, state)] or [each.address for each in listening])
    return f"[{address}]" if ":" in address else address


def reachable(addresses: Sequence[str]) -> str:
    """Choose the address to connect to: 127.0.0.1 where that reaches one of the listeners."""
    return "127.0.0.1" if not addresses or any(one in LOOPBACK for one in addresses) else addresses[0]


def address_of_port(port: int) -> str:
    """Choose the address under which whoever listens on a port is reached."""
    return reachable([each.address for each in sockets(port)])


def port_check(unit: str, state: State, ports: Ports) -> Check:
    """Judge whether every listener of the port is the unit's."""
    found = ports.holders.found
    own = [each for each in found if is_own(each, state)]
    foreign = [each for each in found if each.pid is not None and each not in own]
    if foreign:
        outcome, evidence = _foreign(unit, state, ports, foreign, is_shared=bool(own))
    elif ports.holders.unknown:
        outcome, evidence = UNKNOWN, _unknown(ports)
    elif own:
        outcome, evidence = OK, f"{ports.port} is held by {_named(unit, own, state)}"
    else:
        outcome, evidence = _nobody(unit, ports)
    return Check("port", outcome, evidence)


def is_own(holder: Holder, state: State) -> bool:
    """Whether a listener is in the unit's control group and not of an earlier start, or systemd's for a socket unit that starts it."""
    if holder.pid is None or is_left_over(holder, state):
        return False
    return is_inside(holder.cgroup, state.group) or (_is_manager(holder) and bool(state.sockets))


def is_left_over(holder: Holder, state: State) -> bool:
    """Whether a process of an earlier start stayed in the control group (KillMode=process); groups below may be a container's."""
    return holder.cgroup == state.group and bool(state.invocation) and holder.invocation not in {"", state.invocation}


def has_hosts_network(state: State) -> bool:
    """Whether the unit's main process is in this process's network namespace; yes where that cannot be seen."""
    try:
        return state.main_pid is None or os.readlink(f"/proc/{state.main_pid}/ns/net") == os.readlink("/proc/self/ns/net")  # noqa: PTH115
    except OSError:
        return True


def _is_manager(holder: Holder) -> bool:
    return holder.pid == 1 or holder.unit == MANAGER_SCOPE


def _foreign(unit: str, state: State, ports: Ports, foreign: list[Holder], *, is_shared: bool) -> tuple[Outcome, str]:
    if not is_shared and all(_program(each) in FORWARDERS for each in foreign):
        return _forwarded(unit, state, ports.port, foreign[0])
    held = f"{ports.port} is held by {_listed(_described(each, state) for each in foreign)}"
    shared = f"as well as by {unit}: each gets a share of the connections" if is_shared else f"not by {unit}"
    fallback = "" if is_shared or not ports.others else f"; {unit} listens on {_other_ports(ports)} instead"
    return FAILED, f"{held}, {shared}{fallback}"


def _forwarded(unit: str, state: State, port: int, holder: Holder) -> tuple[Outcome, str]:
    """Judge a container's port: the proxy is the container engine's, so the engine is asked whose container it is."""
    names = _containers(port)
    known = [name for name in names if name in state.command.replace("=", " ").split()]
    if known:
        return OK, f"{port} is held by {_described(holder, state)} for the container {known[0]}, which {unit} starts"
    whose = f"the container {brief(safe_line(', '.join(names)), 80)}" if names else "a container"
    return UNKNOWN, f"{port} is held by {_described(holder, state)} for {whose}: whether that is {unit}'s is not known"


def _containers(port: int) -> list[str]:
    """Ask docker for the containers that publish a port; none where it does not answer."""
    try:
        done = called(["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"], 5.0)
    except (NoManagerError, OSError):
        return []
    return done.stdout.split()[:MOST_NAMED] if done.returncode == 0 else []


def _unknown(ports: Ports) -> str:
    """Say what hides the process of a socket."""
    user = ports.holders.unknown[0].uid
    if os.geteuid() != 0:
        return f"{ports.port} is held by a process of the user with id {user} that this user may not see: run it as root"
    return f"{ports.port} is held by no process that can be seen: by the kernel, or in another container"


def _nobody(unit: str, ports: Ports) -> tuple[Outcome, str]:
    if not ports.is_reachable:
        return UNKNOWN, f"nobody listens on {ports.port} here, and {unit} has a network of its own, which this check does not reach"
    if ports.others:
        return FAILED, f"nobody listens on {ports.port}; {unit} listens on {_other_ports(ports)} instead"
    return FAILED, f"nobody listens on {ports.port}"


def _other_ports(ports: Ports) -> str:
    return _listed(f"{number} (pid {pid})" for number, pid in dict(sorted((each.port, each.pid) for each in ports.others)).items())


def _named(unit: str, own: list[Holder], state: State) -> str:
    """Describe the unit's own listeners: a socket unit's, or its processes."""
    first = next((each for each in own if not _is_manager(each)), None)
    if first is None:
        return f"systemd for {', '.join(state.sockets)}, which starts {unit}"
    addresses = ", ".join(dict.fromkeys(each.address for each in own))
    more = len({each.pid for each in own}) - 1
    also = f" and {plural(more, 'more process', 'more processes')} of it" if more else ""
    return f"{unit} on {addresses}: {_command(first)} (pid {first.pid}){also}"


def _described(holder: Holder, state: State) -> str:
    left_over = "left over from an earlier start " if is_left_over(holder, state) else ""
    where = f"{left_over}in {safe_line(holder.unit or holder.cgroup or '/')}"
    return f"{_command(holder)} (pid {holder.pid}, {where}, on {holder.address})"


def _command(holder: Holder) -> str:
    return brief(safe_line(holder.command), LONGEST_COMMAND) or "a process without a name"


def _program(holder: Holder) -> str:
    return holder.command.split(" ", 1)[0].rpartition("/")[2]


def _listed(parts: Iterable[str]) -> str:
    known = list(parts)
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return f"{', '.join(known[:MOST_NAMED])}{more}"
