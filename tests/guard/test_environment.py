"""The environment of a unit: what changes its fingerprint, what does not, and what is watched."""

import os

import pytest

from forensics.guard import environment
from forensics.guard.systemctl import Manager

SYSTEMCTL = '#!/bin/sh\ncat "$(dirname "$0")/shown"\n'
UNIT = "tabbyapi.service"


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host whose systemctl shows a unit with a virtual environment, a configuration and a file of variables."""
    for name in ("bin", "units", "srv/app", "venv/bin", "venv/lib/python3.11/site-packages"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "bin/systemctl").write_text(SYSTEMCTL)
    (tmp_path / "bin/systemctl").chmod(0o755)
    (tmp_path / f"units/{UNIT}").write_text("[Service]\n")
    (tmp_path / "venv/pyvenv.cfg").write_text("version = 3.11.2\n")
    (tmp_path / "venv/bin/python").write_text("python")
    (tmp_path / "venv/bin/serve").write_text(f"#!{tmp_path}/venv/bin/python\nserve()\n")
    (tmp_path / "srv/app/config.yml").write_text("model: 70b\n")
    shown = {
        "FragmentPath": f"{tmp_path}/units/{UNIT}",
        "EnvironmentFiles": f"{tmp_path}/variables.env (ignore_errors=yes)",
        "ExecStart": f"{{ path={tmp_path}/venv/bin/serve ; argv[]={tmp_path}/venv/bin/serve --key {tmp_path}/key.pem ; ignore_errors=no }}",
        "WorkingDirectory": f"{tmp_path}/srv/app",
    }
    (tmp_path / "bin/shown").write_text("".join(f"{name}={value}\n" for name, value in shown.items()))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setattr(environment, "SYSTEM", (str(tmp_path / "current-system"),))
    return tmp_path


CHANGES = [
    (lambda root: (root / f"units/{UNIT}").write_text("[Service]\nUser=tabby\n"), "the unit file"),
    (lambda root: (root / "srv/app/config.yml").write_text("model: 14b\n"), "its configuration"),
    (lambda root: (root / "srv/app/model.toml").write_text("a = 1\n"), "a new configuration"),
    (lambda root: (root / "srv/app/config.yml").unlink(), "one that is gone"),
    (lambda root: (root / "variables.env").write_text("A=1\n"), "a file of variables that was missing"),
    (lambda root: (root / "key.pem").write_text("key"), "an argument that was missing"),
    (lambda root: (root / "venv/bin/serve").write_text("#!/bin/sh\n"), "the program"),
    (lambda root: (root / "venv/bin/python").write_text("another"), "the interpreter that the program names"),
    (lambda root: (root / "venv/lib/python3.11/site-packages/torch-2.2.dist-info").mkdir(), "an installed package"),
    (lambda root: (root / "venv/pyvenv.cfg").write_text("version = 3.12.1\n"), "another Python"),
    (lambda root: (root / "current-system").symlink_to("/nix"), "the system"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES)
def test_a_change_is_another_fingerprint(host, change, reason):
    before = environment.fingerprint(Manager(), UNIT)
    change(host)
    assert environment.fingerprint(Manager(), UNIT) != before, reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda root: None, "nothing"),
        (lambda root: os.utime(root / "srv/app/config.yml", (1, 1)), "touched only"),
        (lambda root: (root / "srv/app/config.yml").write_text("model: 70b\n"), "written anew as it was"),
        (lambda root: (root / "srv/app/server.log").write_text("line\n"), "a log beside it"),
        (lambda root: (root / "unrelated.yml").write_text("a: 1\n"), "a file elsewhere"),
    ],
)
def test_anything_else_is_none(host, change, reason):
    before = environment.fingerprint(Manager(), UNIT)
    change(host)
    assert environment.fingerprint(Manager(), UNIT) == before, reason


def test_files_that_do_not_exist_yet_are_watched_too(host):
    watched = environment.watched_paths(Manager(), UNIT)
    assert {host / "variables.env", host / "key.pem", host / "srv/app", host / "venv/pyvenv.cfg", host / f"units/{UNIT}.d"} <= set(watched)
    assert host / "current-system" not in watched


@pytest.mark.parametrize("shared", ["/", "/etc", "/usr/bin", "/usr/local/lib", "/var/log", "/home/joe", "/root"])
def test_directories_of_many_programs_are_not_watched(host, shared):
    (host / "bin/shown").write_text(f"WorkingDirectory={shared}\nExecStart={{ path=/bin/sh ; argv[]=/bin/sh -c ls {shared} }}\n")
    assert str(shared) not in map(str, environment.watched_paths(Manager(), UNIT))


def test_a_program_that_cannot_be_read_is_no_error(host):
    os.mkfifo(host / "pipe")
    (host / "bin/shown").write_text(f"ExecStart={{ path={host}/pipe ; argv[]={host}/pipe /proc/self/mem {host}/venv\0 }}\n")
    assert environment.fingerprint(Manager(), UNIT)
