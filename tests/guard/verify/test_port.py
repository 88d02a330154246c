"""The verdict on a port: the unit's own, a leftover, both, systemd's for a socket, a container's proxy, or not to be seen."""

import os
import subprocess
from dataclasses import replace

import pytest

from forensics.guard.listeners import Holder, Holders
from forensics.guard.verify import port as module
from forensics.guard.verify.port import Ports, address_of, choose_port, port_check
from forensics.guard.verify.unit import State

UNIT, GROUP = "tabby.service", "/system.slice/tabby.service"
STATE = State("loaded", "active", "running", "success", "", "simple", "10", "0", "a" * 32, GROUP, "", "")
SOCKET = replace(STATE, triggers="tabby.socket tabby.timer")
DOCKER = State(
    **{**{name: getattr(STATE, name) for name in State.__slots__}, "command": "{ argv[]=/usr/bin/docker run --name=tabby image ; }"}
)
ANYWHERE = ".".join("0000")


def holder(pid, command="python main.py", group=GROUP, unit=UNIT, address="127.0.0.1", port=5000, uid=1000):
    return Holder(pid, command, group, unit, address, port, uid)


MAIN, WORKER = holder(10), holder(11, "python worker", f"{GROUP}/workers")
LEFTOVER = holder(12, "python old.py", "/user.slice/user-0.slice/session-1.scope", "session-1.scope")
FALLBACK = holder(10, port=5001)
NEIGHBOUR = holder(13, "vllm serve", "/system.slice/vllm.service", "vllm.service", ANYWHERE)
SIMILAR = holder(14, "x", f"{GROUP}.d", "")
EARLIER, SAME = replace(holder(18), invocation="b" * 32), replace(holder(19), invocation="a" * 32)
NESTED = replace(holder(20, group=f"{GROUP}/payload/system.slice/x.service"), invocation="b" * 32)
MANAGER = holder(1, "/sbin/init", "/init.scope", "init.scope", "::")
HIDDEN = Holder(None, "", "", "", "127.0.0.1", 5000, 993)
PROXY = holder(15, "/usr/bin/docker-proxy -proto tcp -host-port 5000", "/system.slice/docker.service", "docker.service", ANYWHERE)
HOSTILE = holder(16, "evil\x1b[31m\n--api-key=sk-live-4eC39HqLyjWDarjtT1zdp7dc " + "x" * 190, "/a\x1bb", "")

CASES = [
    ((MAIN,), (), STATE, "ok", "5000 is held by tabby.service on 127.0.0.1: python main.py (pid 10)", "its main process"),
    ((WORKER,), (), STATE, "ok", "python worker (pid 11)", "a worker in a group below, as vLLM has"),
    ((MAIN, WORKER), (), STATE, "ok", "(pid 10) and 1 more process of it", "both share a socket"),
    ((LEFTOVER,), (FALLBACK,), STATE, "failed", "listens on 5001 (pid 10) instead", "a leftover, and the fallback"),
    (
        (LEFTOVER,),
        (),
        STATE,
        "failed",
        "python old.py (pid 12, in session-1.scope, on 127.0.0.1), not by tabby.service",
        "a leftover of a login",
    ),
    ((NEIGHBOUR,), (), STATE, "failed", "vllm serve (pid 13, in vllm.service, on 0.0.0.0)", "another unit"),
    ((EARLIER,), (), STATE, "failed", "(pid 18, left over from an earlier start in tabby.service, on 127.0.0.1)", "KillMode=process"),
    ((SAME,), (), STATE, "ok", "(pid 19)", "of this start"),
    ((NESTED,), (), STATE, "ok", "(pid 20)", "a unit of a container in it has ids of its own"),
    ((SIMILAR,), (), STATE, "failed", "(pid 14, in /system.slice/tabby.service.d", "a group with a longer name"),
    ((MAIN, NEIGHBOUR), (), STATE, "failed", "as well as by tabby.service: each gets a share", "SO_REUSEPORT"),
    ((MAIN, HIDDEN), (), STATE, "unknown", "run it as root", "one of two cannot be seen"),
    ((HIDDEN,), (), STATE, "unknown", "a process of the user with id 993 that this user may not see", "another user's"),
    ((LEFTOVER, HIDDEN), (), STATE, "failed", "python old.py", "one is foreign, whatever the other is"),
    ((MANAGER,), (), SOCKET, "ok", "systemd for tabby.socket, which starts tabby.service", "its socket unit"),
    ((MANAGER, MAIN), (), SOCKET, "ok", "python main.py (pid 10)", "systemd and the service hold the same socket"),
    ((MANAGER,), (), STATE, "failed", "/sbin/init (pid 1, in init.scope, on ::)", "a socket of another unit"),
    ((PROXY,), (), STATE, "unknown", "for the container page: whether that is tabby.service's is not known", "a container of another"),
    ((PROXY,), (), DOCKER, "ok", "for the container tabby, which tabby.service starts", "the container that the unit starts"),
    ((MAIN, PROXY), (), DOCKER, "failed", "docker-proxy", "shared with a container"),
    ((), (FALLBACK,), STATE, "failed", "nobody listens on 5000; tabby.service listens on 5001 (pid 10) instead", "a fallback port"),
    ((), (), STATE, "failed", "nobody listens on 5000", "nothing at all"),
    ((HOSTILE,), (), STATE, "failed", "evil", "a command line that would write to the terminal"),
]


@pytest.fixture(autouse=True)
def ordinary_user(monkeypatch):
    """Be another user than root, who may see everything."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize(("found", "others", "state", "outcome", "words", "reason"), CASES, ids=[case[-1] for case in CASES])
def test_the_verdict_on_a_port(monkeypatch, found, others, state, outcome, words, reason):
    containers = "tabby\n" if state is DOCKER else "page\n"
    monkeypatch.setattr(module, "called", lambda *_: subprocess.CompletedProcess([], 0, containers, ""))
    check = port_check(UNIT, state, Ports(5000, Holders(found, 1), others))
    assert (check.outcome, words in check.evidence) == (outcome, True), (reason, check.evidence)
    assert check.evidence.isprintable()
    assert "sk-live" not in check.evidence
    assert len(check.evidence) < 400


def test_a_unit_with_its_own_network_cannot_be_told():
    check = port_check(UNIT, STATE, Ports(5000, Holders((), 0), (), is_reachable=False))
    assert check.outcome == "unknown"
    assert "has a network of its own" in check.evidence


def test_a_container_engine_that_is_not_there_leaves_it_open(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    check = port_check(UNIT, DOCKER, Ports(5000, Holders((PROXY,), 0)))
    assert (check.outcome, "for a container: whether" in check.evidence) == ("unknown", True)


@pytest.mark.parametrize(
    ("found", "address", "reason"),
    [
        ((MAIN,), "127.0.0.1", "loopback"),
        ((holder(10, address=ANYWHERE),), "127.0.0.1", "every address"),
        ((holder(10, address="::"),), "127.0.0.1", "every address, IPv4 too"),
        ((holder(10, address="::1"),), "[::1]", "IPv6 only"),
        ((holder(10, address="10.0.0.5"),), "10.0.0.5", "one address"),
        ((holder(10, address="10.0.0.5"), MAIN), "127.0.0.1", "loopback first"),
        ((HIDDEN,), "127.0.0.1", "not to be seen"),
        ((MANAGER,), "127.0.0.1", "a socket unit"),
        ((), "127.0.0.1", "nobody"),
    ],
)
def test_the_address_to_ask(found, address, reason):
    assert address_of(Ports(5000, Holders(found, 0)), SOCKET) == address, reason


@pytest.mark.parametrize(
    ("found", "port", "outcome", "words"),
    [
        ((FALLBACK,), 5001, "ok", "tabby.service listens on 5001 only"),
        ((FALLBACK, MAIN), None, "unknown", "listens on 5000, 5001: name the one that is asked with --port"),
        ((LEFTOVER,), None, "ok", "listens on no TCP port"),
        ((HIDDEN,), None, "unknown", "name one with --port, or run it as root"),
    ],
)
def test_the_port_that_was_not_named(monkeypatch, found, port, outcome, words):
    monkeypatch.setattr(module, "holders", lambda: Holders(found, 0))
    check, chosen = choose_port(UNIT, STATE)
    assert (check.outcome, chosen) == (outcome, port)
    assert words in check.evidence
