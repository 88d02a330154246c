"""`generate systemd` refuses a program that the sandbox of its unit cannot read or execute, and says where to install."""

from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.generate import systemd_sandbox
from forensics.generate.systemd_sandbox import refuse_hidden
from tests.cli.running import assert_one_sentence, run

INSTALL = "--program /opt/tabby-forensics/bin/tabby-forensics"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A directory that everybody may enter, and that no setting hides but as `home`."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory.name.startswith(("pytest", "popen", "test")):
            directory.chmod(0o755)
    monkeypatch.setattr(systemd_sandbox, "HIDDEN_BY", {"ProtectHome": (tmp_path / "home",)})
    return tmp_path


def program(path: Path, text="#!/bin/sh\n", mode=0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def environment(at: Path, python: Path) -> Path:
    """A virtual environment whose interpreter is a link."""
    (at / "bin").mkdir(parents=True)
    (at / "bin/python").symlink_to(python)
    (at / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (at / "lib/python3.11/site-packages").mkdir(parents=True)
    return program(at / "bin/tabby-forensics", f"#!{at}/bin/python\n")


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("/home/you/.local/bin/tabby-forensics", "/home, which ProtectHome= hides"),
        ("/root/.venv/bin/tabby-forensics", "/root, which ProtectHome= hides"),
        ("/tmp/venv/bin/tabby-forensics", "/tmp, which PrivateTmp= hides"),
    ],
)
def test_a_program_in_a_place_that_is_hidden_is_refused(path, setting, tmp_path):
    result = run("generate", "systemd", "--program", path, "-o", str(tmp_path / "x.service"))
    assert_one_sentence(result, 2, path, setting, INSTALL)
    assert not (tmp_path / "x.service").exists()


def test_a_program_that_is_not_here_may_be_on_another_host():
    assert "ExecStart=/opt/t/bin/t watch" in run("generate", "systemd", "--program", "/opt/t/bin/t").stdout


def test_what_everybody_may_read_and_execute_is_accepted(folder):
    refuse_hidden(str(program(folder / "opt/x")))
    refuse_hidden(f"{environment(folder / 'opt/venv', Path('/bin/sh'))} --option")


@pytest.mark.parametrize("name", ["", "'"])
def test_what_is_no_command_is_refused(name):
    with pytest.raises(UsageError, match="is not a command"):
        refuse_hidden(name)


def test_a_link_into_a_hidden_place_is_refused(folder):
    program(folder / "home/x")
    (folder / "first").symlink_to("second")
    (folder / "second").symlink_to(folder / "home/x")
    with pytest.raises(UsageError, match=f"first' needs '{folder}/home/x', which is in {folder}/home"):
        refuse_hidden(str(folder / "first"))


def test_an_environment_whose_python_is_a_link_into_a_hidden_place_is_refused(folder):
    with pytest.raises(UsageError, match=f"needs '{folder}/home/python3', which is in {folder}/home, which ProtectHome= hides"):
        refuse_hidden(str(environment(folder / "opt", program(folder / "home/python3"))))


@pytest.mark.parametrize("line", ["{}", "home = {}\n"])
def test_a_package_or_a_library_in_a_hidden_place_is_refused(folder, line):
    installed = environment(folder / "opt", Path("/bin/sh"))
    file = folder / "opt" / ("pyvenv.cfg" if "home" in line else "lib/python3.11/site-packages/editable.pth")
    file.write_text(line.format(folder / "home/checkout"))
    with pytest.raises(UsageError, match=f"needs '{folder}/home/checkout'"):
        refuse_hidden(str(installed))


def test_an_interpreter_with_a_long_path_is_found(folder):
    python = program(folder / "home/with a space/python")
    with pytest.raises(UsageError, match=r"needs '.*with a space/python'"):
        refuse_hidden(str(program(folder / "x", f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n")))


@pytest.mark.parametrize(("mode", "directory"), [(0o700, 0o755), (0o744, 0o755), (0o755, 0o750)])
def test_what_other_users_may_not_read_and_execute_is_refused(folder, mode, directory):
    path = program(folder / "closed/x", mode=mode)
    path.parent.chmod(directory)
    with pytest.raises(UsageError, match="other users may not enter" if directory == 0o750 else "may not be read and executed"):
        refuse_hidden(str(path))
