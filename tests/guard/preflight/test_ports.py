"""Ports on real sockets of this machine."""

import os
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from forensics.guard.listeners import Holder
from forensics.guard.preflight import ports
from forensics.guard.preflight.checks import NOTHING, Port
from forensics.guard.preflight.unit import Unit

EVERY = "0.0.0.0"  # noqa: S104
PROPERTIES = {"ActiveState": "activating", "TriggeredBy": ""}


def unit(**changed):
    settings = {"inside": True, "environment": {}, "directory": Path("/"), "properties": PROPERTIES} | changed
    return Unit("x.service", **settings)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(ports, "GRACE_S", 0.0)


@contextmanager
def listening(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as server:
        server.bind((address, 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("held", "wanted", "status", "reason"),
    [
        ("127.0.0.1", "127.0.0.1", "failed", "the same address"),
        ("127.0.0.1", "", "failed", "an address that is not known: loopback is likely"),
        ("127.0.0.1", EVERY, "failed", "every address includes it"),
        (EVERY, "127.0.0.1", "failed", "a wildcard holds every address"),
        (EVERY, "", "failed", "a wildcard holds every address"),
        ("127.0.0.1", "127.0.0.2", "ok", "another address"),
        ("127.0.0.2", "", "failed", "loopback is likely"),
        ("::1", "127.0.0.1", "ok", "another family"),
        ("::", "::1", "failed", "a wildcard of the other family"),
        ("::", EVERY, "failed", "a wildcard of both families"),
    ],
)
def test_a_port_is_taken_as_bind_sees_it(held, wanted, status, reason):
    with listening(held) as port:
        outcome = ports.check_port(Port(NOTHING, port, wanted), unit())
        assert outcome.status == status, (reason, outcome)
        if status == "failed":
            assert outcome.text.startswith(f"[Errno 98] address already in use: port {port} is held by process {os.getpid()} (")


def test_a_free_port_passes_and_stays_free():
    with listening("127.0.0.1") as port:
        pass
    assert ports.check_port(Port(NOTHING, port, "127.0.0.1"), unit()).status == "ok"
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))


def test_a_port_that_becomes_free_in_a_moment_passes(monkeypatch):
    monkeypatch.setattr(ports, "GRACE_S", 5.0)
    with listening("127.0.0.1") as port:
        pass
    answers = [[held(port)], [held(port)], []]
    monkeypatch.setattr(ports, "holders", lambda _: type("Found", (), {"found": answers.pop(0)}))
    monkeypatch.setattr(ports, "is_taken", lambda *_: True)
    assert ports.check_port(Port(NOTHING, port, "127.0.0.1"), unit()).status == "ok"


def held(port, pid=812, unit="old.service", address="127.0.0.1", command="python"):
    return Holder(pid, command, f"/system.slice/{unit}", unit, address, port, 0)


UNSEEN = held(5000, None, "")


@pytest.mark.parametrize(
    ("found", "properties", "inside", "status", "reason"),
    [
        ([held(5000)], PROPERTIES, True, "failed", "another unit"),
        ([held(5000, 1, "init.scope")], PROPERTIES, True, "ok", "the manager holds it for a socket unit"),
        ([UNSEEN], PROPERTIES | {"TriggeredBy": "x.socket"}, True, "ok", "a socket unit, seen without root"),
        ([UNSEEN], PROPERTIES, True, "failed", "a process of another user"),
        ([UNSEEN], {}, True, "unknown", "systemd does not answer: it may be a socket unit"),
        ([held(5000, 5, "x.service")], PROPERTIES, True, "failed", "a process that the unit left behind"),
        ([held(5000, 5, "x.service")], PROPERTIES | {"ActiveState": "active"}, False, "ok", "by hand, while the unit is active"),
    ],
)
def test_who_holds_it_decides(monkeypatch, found, properties, inside, status, reason):
    monkeypatch.setattr(ports, "holders", lambda _: type("Found", (), {"found": found}))
    monkeypatch.setattr(ports, "is_taken", lambda *_: True)
    outcome = ports.check_port(Port(NOTHING, 5000, "127.0.0.1"), unit(properties=properties, inside=inside))
    assert outcome.status == status, reason


def test_the_holder_is_named_with_its_unit(monkeypatch):
    monkeypatch.setattr(ports, "holders", lambda _: type("Found", (), {"found": [held(5000)]}))
    monkeypatch.setattr(ports, "is_taken", lambda *_: True)
    outcome = ports.check_port(Port(NOTHING, 5000), unit())
    assert outcome.text == "[Errno 98] address already in use: port 5000 is held by process 812 (python) of old.service"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/srv/venv/bin/python main.py --api-key sk-secret", "python"),
        ("x\nOSError: libstdc++.so.6: cannot open shared object file", "x?OSError:"),
        ("nginx: master process", "nginx:"),
        ("\x1b[2J" + "a" * 500, "??2J" + "a" * 36),
    ],
)
def test_of_the_holder_only_the_program_is_named(monkeypatch, command, name):
    """What a process calls itself gets into the log of the unit."""
    monkeypatch.setattr(ports, "holders", lambda _: type("Found", (), {"found": [held(5000, command=command)]}))
    monkeypatch.setattr(ports, "is_taken", lambda *_: True)
    assert f"process 812 ({name}) of old.service" in ports.check_port(Port(NOTHING, 5000), unit()).text


def test_without_proc_the_address_is_tried(monkeypatch):
    """ProcSubset=pid hides /proc/net."""
    monkeypatch.setattr(ports, "TABLE", Path("/nonexistent"))
    monkeypatch.setattr(ports, "holders", lambda _: type("Found", (), {"found": []}))
    with listening("127.0.0.1") as port:
        assert ports.check_port(Port(NOTHING, port, "127.0.0.1"), unit()).status == "failed"
        assert ports.check_port(Port(NOTHING, port), unit()).status == "unknown"
    assert ports.check_port(Port(NOTHING, port, "127.0.0.1"), unit()).status == "ok"


@pytest.mark.parametrize(("address", "answer"), [("192.0.2.1", None), ("999.1.1.1", None), ("2001:db8::1", None)])
def test_an_address_of_another_host_cannot_be_tried(address, answer):
    assert ports.is_taken(address, 5000) is answer
