"""What is declared is read with every mistake at its line, and what a gate starts is a transient unit that runs it."""

import subprocess
import sys

import pytest

from forensics.errors import UsageError
from forensics.guard.remedy import start_declared
from forensics.guard.remedy.declared import Remedy, read_remedies, remedy_for
from forensics.guard.systemctl import Manager
from forensics.model.own_entries import REMEDY_ENDED
from tests.guard.remedy.host import DECLARED

MANAGER = Manager(is_users=True)


def test_a_declaration(tmp_path):
    (tmp_path / "r.toml").write_text(DECLARED.replace("app.service", "app") + 'within = "1h30m"\nheld = "5min"\n')
    assert read_remedies(tmp_path / "r.toml") == (Remedy("torch.abi-mismatch", "app.service", "rebuild.service", 5400.0, 300.0),)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('within = "soon"\n', "r.toml:5: remedy[0].within: must be a time from 1s to 1d"),
        ('within = "2d"\n', "r.toml:5: remedy[0].within: must be a time from 1s to 1d"),
        ("held = 5\n", "r.toml:5: remedy[0].held: must be a non-empty string"),
        ('run = "rm -rf /"\n', "r.toml:5: remedy[0].run: unknown key; expected class, unit, start, within, held"),
        ('[[remedy]]\nclass = "x"\nunit = "y"\n', "r.toml:5: remedy[1].start: is missing"),
        ('[[remedy]]\nclass = "x"\nunit = "y"\nstart = "a b"\n', "r.toml:8: remedy[1].start: is not the name of a service"),
        ('[[remedy]]\nclass = "x"\nunit = "/y"\nstart = "*.service"\n', "r.toml:8: remedy[1].start: is not the name of a service"),
        ('[[remedy]]\nclass = "x"\nunit = "y@"\nstart = "z@.service"\n', "r.toml:7: remedy[1].unit: is a template; name an instance"),
        (DECLARED, "another remedy has this class and this unit"),
        ("[gate]\n", "r.toml:5: gate: unknown key"),
    ],
)
def test_each_mistake_is_named_with_its_line(tmp_path, more, words):
    (tmp_path / "r.toml").write_text(DECLARED + more)
    with pytest.raises(UsageError) as error:
        read_remedies(tmp_path / "r.toml")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("classes", "unit", "expected", "reason"),
    [
        ("torch.abi-mismatch", "app.service", True, "by name"),
        ("torch.*", "app*", True, "by pattern"),
        ("*", "*", True, "anything"),
        ("torch", "app.service", False, "a name is not a prefix"),
        ("torch.*", "other.service", False, "another unit"),
        ("Torch.*", "app.service", False, "in other letters"),
    ],
)
def test_which_remedy_is_for_a_class_of_a_unit(classes, unit, expected, reason):
    assert (remedy_for([Remedy(classes, unit, "x.service")], "app.service", "torch.abi-mismatch") is not None) == expected, reason


def test_the_gate_starts_a_transient_unit(host):
    host.declare(DECLARED.replace("torch.abi-mismatch", "*"))
    assert start_declared(MANAGER, "app.service", "mined:a$b")
    (called,) = host.lines("run")
    assert called.startswith("--user --collect --no-block --quiet --unit=tabby-remedy-app-")
    assert called.endswith("remedy run --user -- app.service mined:a$$b")
    assert f"--setenv=XDG_STATE_HOME={host.folder}/STATE_HOME" in called


def test_without_a_remedy_nothing_is_started(host):
    assert not start_declared(MANAGER, "other.service", "torch.abi-mismatch")
    assert not start_declared(MANAGER, "app.service", "gpu.vram-exhausted")
    host.declare(DECLARED).unlink()
    assert not start_declared(MANAGER, "app.service", "torch.abi-mismatch")
    assert host.lines("run") == []


@pytest.mark.parametrize(
    ("text", "program", "words"),
    [
        (DECLARED + "x", None, "is not TOML"),
        (DECLARED + "x = 1\n", None, "unknown key"),
        (DECLARED, "#!/bin/sh\necho 'Failed to start transient service unit.' >&2; exit 1\n", "Failed to start transient"),
        (DECLARED, "", "No remedy is started"),
    ],
)
def test_what_keeps_it_from_being_started_is_logged(host, journal, text, program, words):
    host.declare(text)
    if program is not None:
        (host.folder / "bin/systemd-run").write_text(program)
    assert not start_declared(MANAGER, "app.service", "torch.abi-mismatch")
    (entry,) = journal.entries
    assert (entry["MESSAGE_ID"], entry["TABBY_OUTCOME"], entry["PRIORITY"]) == (REMEDY_ENDED, "refused", "3")
    assert words in entry["MESSAGE"]


def test_a_gate_needs_the_standard_library_only():
    code = "import sys, forensics.guard.remedy, forensics.guard.remedy.progress; print(sorted({n.partition('.')[0] for n in sys.modules}))"
    names = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not any(f"'{name}'" in names for name in ("polars", "pyarrow", "typer", "numpy", "yaml"))
