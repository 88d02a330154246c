"""The listeners of a port are found with their processes, control groups and units."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.guard.listeners import Holder, Socket, cgroup_of, command_of, control_group, holders, is_inside, parse_line, sockets, unit_of

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TAIL = "1 0000000000000000 100 0 0 10 0"


def line(address, port, inode, uid=1000, state="0A"):
    remote = f"{'0' * len(address)}:0000"
    return f"   0: {address}:{port:04X} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode} {TAIL}\n"


LOOPBACK, ANY, ANY_6, LOOPBACK_6 = "0100007F", "00000000", "0" * 32, "0" * 24 + "01000000"
MAPPED = "0000000000000000FFFF00000100007F"
EVERYWHERE = ".".join("0000")
USERS = "/user.slice/user-1000.slice/user@1000.service/app.slice"
UNIT = "/system.slice/tabbyapi.service"


@pytest.mark.skipif(sys.byteorder != "little", reason="recorded on a little-endian machine")
@pytest.mark.parametrize(
    ("text", "parsed", "reason"),
    [
        (line(LOOPBACK, 5000, 7), Socket("127.0.0.1", 5000, 7, 1000), "IPv4"),
        (line(ANY, 5000, 7, uid=0), Socket(EVERYWHERE, 5000, 7, 0), "any address"),
        (line(ANY_6, 5000, 7), Socket("::", 5000, 7, 1000), "IPv6, any address"),
        (line(LOOPBACK_6, 65535, 7), Socket("::1", 65535, 7, 1000), "IPv6, highest port"),
        (line(MAPPED, 5000, 7), Socket("::ffff:127.0.0.1", 5000, 7, 1000), "IPv4 in IPv6"),
        (line(LOOPBACK, 5000, 7, state="01"), None, "a connection does not listen"),
        (line(LOOPBACK, 5000, 7)[:60], None, "cut off"),
        (line("0100007F00", 5000, 7), None, "no address"),
        (line(LOOPBACK, 5000, "x"), None, "no inode"),
        ("", None, "empty"),
    ],
)
def test_a_line_is_read(text, parsed, reason):
    assert parse_line(text) == parsed, reason


@pytest.mark.parametrize(
    ("text", "group", "unit", "reason"),
    [
        (f"0::{UNIT}\n", UNIT, "tabbyapi.service", "cgroup v2"),
        (f"4:memory:/other\n1:name=systemd:{UNIT}\n0::/\n", UNIT, "tabbyapi.service", "cgroup v1 and an empty v2"),
        (f"4:memory:{UNIT}\n1:name=systemd:{UNIT}\n", UNIT, "tabbyapi.service", "cgroup v1"),
        (f"9:name=systemd:/\n0::{UNIT}\n", UNIT, "tabbyapi.service", "a namespace of v2 below a v1 host"),
        (f"0::{UNIT}/workers/a\n", f"{UNIT}/workers/a", "tabbyapi.service", "Delegate=yes"),
        (f"0::{USERS}/llm.service\n", f"{USERS}/llm.service", "llm.service", "a user's unit"),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "a login"),
        ("0::/system.slice/a:b.service\n", "/system.slice/a:b.service", "a:b.service", "a colon in the name"),
        ("0::/\n", "/", "", "no unit"),
        ("", "", "", "gone"),
        ("broken\n", "", "", "broken"),
    ],
)
def test_the_control_group_is_systemds(text, group, unit, reason):
    assert control_group(text) == group, reason
    assert unit_of(group) == unit, reason


@pytest.mark.parametrize(
    ("group", "inside", "reason"),
    [
        (UNIT, True, "itself"),
        (f"{UNIT}/worker", True, "below"),
        (f"{UNIT}.d", False, "a longer name"),
        ("/system.slice", False, "above"),
        ("", False, "gone"),
    ],
)
def test_what_is_inside_a_control_group(group, inside, reason):
    assert is_inside(group, UNIT) is inside, reason
    assert not is_inside(group, ""), "a unit that does not run has no group"


@pytest.fixture
def proc(tmp_path):
    """A /proc with a unit's main process and worker, a leftover of it, and a socket that nobody holds."""

    def process(pid, command, group, *inodes):
        (tmp_path / str(pid) / "fd").mkdir(parents=True)
        (tmp_path / str(pid) / "cmdline").write_bytes(command.replace(" ", "\0").encode())
        (tmp_path / str(pid) / "cgroup").write_text(f"0::{group}\n")
        (tmp_path / str(pid) / "fd/0").symlink_to("/dev/null")
        for number, inode in enumerate(inodes, 3):
            (tmp_path / str(pid) / f"fd/{number}").symlink_to(f"socket:[{inode}]")

    process(10, "python main.py", UNIT, 100, 999)
    (tmp_path / "10/environ").write_bytes(b"A=1\0INVOCATION_ID=" + b"a" * 32 + b"\0B=2\0")
    process(11, "python worker", f"{UNIT}/w", 100, 102)
    process(12, "python old.py", "/user.slice/user-0.slice/session-1.scope", 101)
    (tmp_path / "12/environ").write_bytes(b"NO_INVOCATION_ID=" + b"a" * 32)
    (tmp_path / "self/net").mkdir(parents=True)
    v4 = line(LOOPBACK, 5001, 100) + line(LOOPBACK, 5000, 101) + line(ANY, 22, 103, uid=0)
    (tmp_path / "self/net/tcp").write_text(HEAD + v4 + line(LOOPBACK, 5001, 999, state="01"))
    (tmp_path / "self/net/tcp6").write_text(HEAD + line(ANY_6, 8000, 102))
    (tmp_path / "meminfo").write_text("")
    return tmp_path


@pytest.mark.skipif(sys.byteorder != "little", reason="recorded on a little-endian machine")
def test_each_holder_is_named(proc):
    found = holders(proc=proc)
    assert [(each.port, each.pid, each.unit) for each in found.found] == [
        (22, None, ""),
        (5000, 12, "session-1.scope"),
        (5001, 10, "tabbyapi.service"),
        (5001, 11, "tabbyapi.service"),
        (8000, 11, "tabbyapi.service"),
    ]
    assert found.unknown == (Holder(None, "", "", "", EVERYWHERE, 22, 0),)
    assert found.unseen == 0
    assert [each.invocation for each in found.found] == ["", "", "a" * 32, "", ""]
    assert [each.command for each in holders(5000, proc=proc).found] == ["python old.py"]
    assert holders(1, proc=proc).found == ()


def test_a_machine_without_ipv6_and_a_process_that_is_gone_are_no_error(proc):
    (proc / "self/net/tcp6").unlink()
    assert {each.port for each in sockets(proc=proc)} == {22, 5000, 5001}
    assert (cgroup_of(4711, proc), command_of(4711, proc)) == ("", "")


def test_two_that_share_a_port_are_both_found():
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as first:
        port = first.getsockname()[1]
        code = f"import socket; s = socket.create_server(('127.0.0.1', {port}), reuse_port=True); print(1, flush=True); input()"
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            other.stdout.readline()
            assert other.pid in {each.pid for each in holders(port).found}
            assert len({each.pid for each in holders(port).found}) == 2
            other.communicate("\n")


@pytest.mark.skipif(not Path("/proc/net/tcp6").exists(), reason="no IPv6")
def test_a_server_on_ipv6_only_is_found():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        (found,) = {each.address for each in holders(server.getsockname()[1]).found}
    assert found == "::1"
