"""The transient unit of a drill is new, sandboxed, and gets its words as data."""

import base64
import re

import pytest

from forensics.guard.drill.scene import Scene
from forensics.guard.drill.unit import SANDBOX_OF_ROOT, command, program, unit_name
from forensics.guard.systemctl import UNIT_NAME, Manager
from forensics.model.own_entries import is_drill

WORDS = 'Traceback\n  "$HOME" %n `id` \\ ; rm -rf / → 🦊'


def properties(arguments):
    return dict(argument.removeprefix("--property=").split("=", 1) for argument in arguments if argument.startswith("--property="))


@pytest.mark.parametrize("signature", ["torch.abi-mismatch", "mined:0123", "exit:signal/11", "A\x1b/../x", "é" * 300, ""])
def test_its_name_is_valid_recognised_and_new_each_time(signature):
    names = {unit_name(signature) for _ in range(50)}
    assert len(names) == 50
    assert all(UNIT_NAME.fullmatch(name) and is_drill(name) for name in names)


def test_words_go_in_as_data_and_never_into_a_command():
    arguments = command(Manager(), Scene("a.b", "A", WORDS), "tabby-drill-a-b-123456.service")
    given = properties(arguments)
    assert base64.b64decode(given["StandardInputData"]).decode() == f"{WORDS}\n"
    assert given["StandardInput"] == "data"
    assert not any(part in argument for argument in arguments for part in ("rm -rf", "$", "`", "🦊"))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Restart", "no", "it must not loop"),
        ("MemoryMax", "64M", "it takes nothing from the service that it stands for"),
        ("RuntimeMaxSec", "10s", "it ends also where its program hangs"),
        ("NoNewPrivileges", "yes", "it gains nothing"),
        ("LimitCORE", "0", "a signal dumps no core"),
    ],
)
@pytest.mark.parametrize("is_users", [False, True])
def test_it_is_bounded_under_every_manager(is_users, name, value, reason):
    assert properties(command(Manager(is_users), Scene("a.b", "A", "x"), "u.service"))[name] == value, reason


def test_only_the_systems_manager_can_make_it_another_user_without_a_network():
    system, users = (properties(command(Manager(is_users), Scene("a.b", "A", "x"), "u.service")) for is_users in (False, True))
    assert SANDBOX_OF_ROOT.items() <= system.items()
    assert not SANDBOX_OF_ROOT.keys() & users.keys()


@pytest.mark.parametrize(
    ("scene", "script", "reason"),
    [
        (Scene("a", "A", "x"), r"/\S+/cat >&2; exit 1", "words, then a failure"),
        (Scene("a", "A", status=42), r"exit 42", "no words"),
        (Scene("a", "A", signal="SEGV"), r"kill -s SEGV 0", "its own process group, without a dollar sign, which systemd would expand"),
    ],
)
def test_its_program_is_one_line(scene, script, reason):
    shell, option, line = program(scene)
    assert (shell.endswith("/sh"), option) == (True, "-c")
    assert re.fullmatch(script, line), reason
