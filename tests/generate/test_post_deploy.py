"""The scripts keep a change only when it is verified, go back when it is not, and their exit codes do not lie."""

import os
import shutil
import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from forensics.generate.post_deploy import APT, EXIT_CODES, NIXOS, SCRIPTS, Plan, Verified
from forensics.generate.post_deploy_files import post_deploy_files
from forensics.generate.post_deploy_nixos import CURRENT, PROFILE, ROOT, nixos_script
from tests.cli.running import assert_one_sentence, run
from tests.generate.history import UNIT, day, stream

ODD = r"odd\x2dname@1.service"
PLAN = Plan("/usr/bin/tabby-forensics", (Verified(UNIT, 5000, "llama"), Verified(ODD, 11434)), datetime(2026, 1, 1, tzinfo=UTC), 180, 300)
FILES = post_deploy_files(PLAN)
NIX = "before after"
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="the scripts refuse another user than root")


class Machine:
    """A directory with fakes of the programs that the scripts call; each notes its call.

    answers: the exit codes of `verify` for the first unit, in turn; the second unit is always verified.
    """

    def __init__(self, folder, answers):
        self.folder, self.answers = folder, list(answers)
        (folder / "bin").mkdir()
        self.program(
            "tabby-forensics",
            f"""
case "$*" in *{UNIT}*) ;; *) exit 0 ;; esac
n=$(cat {folder}/asked 2>/dev/null || echo 0); echo $((n + 1)) > {folder}/asked
exit $(echo {" ".join(map(str, self.answers))} | cut -d" " -f$((n + 1)))""",
        )
        self.program("systemctl", "")
        self.program("id", "echo 0")

    def program(self, name, body):
        file = self.folder / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.folder}/calls\n{body}\n')
        file.chmod(0o755)

    def run(self, name, *arguments, text=""):
        text = (text or FILES[name]).replace("/usr/bin/tabby-forensics", f"{self.folder}/bin/tabby-forensics")
        for path in (CURRENT, PROFILE, ROOT):
            text = text.replace(path, str(self.folder / path.rpartition("/")[2]))
        (self.folder / name).write_text(text)
        path = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        command = ["sh", str(self.folder / name), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | path, timeout=60)

    @property
    def calls(self):
        return (self.folder / "calls").read_text().splitlines()

    @property
    def asked(self):
        """How often the first unit was verified."""
        return sum(UNIT in call for call in self.calls if call.startswith("tabby-forensics"))


class NixOS(Machine):
    """Systems `before` and `after`; `test` activates, `boot` makes the boot default; each can fail."""

    def __init__(self, folder, answers, *, test="", boot="", back=""):
        super().__init__(folder, answers)
        for name in NIX.split():
            (folder / name / "bin").mkdir(parents=True)
            switch = f"ln -sfn {folder}/{name} {folder}/current-system" if name == "after" or not back else back
            (folder / name / "bin/switch-to-configuration").write_text(
                f'#!/bin/sh\necho "activate {name} $*" >> {folder}/calls\n{switch}\n'
            )
            (folder / name / "bin/switch-to-configuration").chmod(0o755)
        for link in ("current-system", "system"):
            (folder / link).symlink_to(folder / "before")
        self.program(
            "nixos-rebuild",
            f"""
case $1 in
  test) {test or f"ln -sfn {folder}/after {folder}/current-system"} ;;
  boot) {boot or f"ln -sfn {folder}/after {folder}/system"} ;;
esac""",
        )

    @property
    def systems(self):
        """What runs, and what boots next."""
        return tuple((self.folder / link).resolve().name for link in ("current-system", "system"))


# the answers of verify in turn, what fails, the exit code, what runs and what boots next, the reason
NIXOS_CASES = [
    ([0, 0], {}, 0, ("after", "after"), "verified"),
    ([3, 0], {}, 0, ("after", "after"), "the change was the fix"),
    ([0, 3, 0], {}, 3, ("before", "before"), "not verified, healthy again"),
    ([0, 3, 3], {}, 5, ("before", "before"), "not verified, and not healthy before either"),
    ([0, 4, 0], {}, 3, ("before", "before"), "nobody could tell: that is no success"),
    ([0, 3, 4], {}, 5, ("before", "before"), "nobody can tell whether it is healthy again"),
    ([0, 127, 0], {}, 3, ("before", "before"), "verify itself is gone with the change"),
    ([4], {}, 4, ("before", "before"), "it cannot be verified: nothing is changed"),
    ([0, 0], {"test": "exit 1"}, 1, ("before", "before"), "the build fails"),
    ([0, 3, 0], {"test": "exit 1"}, 3, ("before", "before"), "the activation breaks off and has stopped the unit"),
    ([0, 0], {"test": "ln -sfn {folder}/after {folder}/current-system; exit 4"}, 3, ("before", "before"), "a unit does not start"),
    ([0, 3], {"back": "exit 1"}, 6, ("after", "before"), "the way back fails"),
    ([0, 3, 0], {"back": "ln -sfn {folder}/before {folder}/current-system; exit 4"}, 3, ("before", "before"), "back, with complaints"),
    ([0, 0], {"boot": "exit 1"}, 7, ("after", "before"), "it does not become the boot default"),
    (
        [0, 0],
        {"boot": "ln -sfn {folder}/bin {folder}/system"},
        7,
        ("after", "bin"),
        "another system becomes it: the sources changed meanwhile",
    ),
]


@NEEDS_ROOT
@pytest.mark.parametrize(("answers", "fails", "code", "systems", "reason"), NIXOS_CASES, ids=[case[-1] for case in NIXOS_CASES])
def test_a_nixos_machine_keeps_only_what_is_verified(tmp_path, answers, fails, code, systems, reason):
    machine = NixOS(tmp_path, answers, **{name: body.format(folder=tmp_path) for name, body in fails.items()})
    done = machine.run(NIXOS, "--flake", ".#host")
    assert (done.returncode, machine.systems) == (code, systems), (reason, done.stderr)
    assert machine.asked == len(answers)
    assert (tmp_path / "tabby-before-change").exists() is (code == 6), "the previous system is kept while it may be needed"
    assert ("nixos-rebuild test --flake .#host" in machine.calls) is (code != 4)
    assert "integer expression" not in done.stderr
    assert done.stderr.startswith("post-deploy: ")


@NEEDS_ROOT
def test_new_failures_count_after_the_change_only(tmp_path):
    machine = NixOS(tmp_path, [0, 3, 0])
    assert machine.run(NIXOS, text=nixos_script(replace(PLAN, since_change=True))).returncode == 3
    asked = [call for call in machine.calls if UNIT in call]
    assert [call.endswith(" --since-change") for call in asked] == [False, True, False]


@NEEDS_ROOT
def test_an_interrupted_change_is_undone(tmp_path):
    machine = NixOS(tmp_path, [0, 0], test=f"ln -sfn {tmp_path}/after {tmp_path}/current-system; kill -TERM $PPID")
    done = machine.run(NIXOS)
    assert (done.returncode, machine.systems) == (3, ("before", "before"))
    assert "interrupted" in done.stderr


class Debian(Machine):
    """apt-get puts the versions of a file in effect; `install` those of before, unless it is to fail."""

    OLD = ("installed app 1.0", "installed gone 1", "installed libssl3:amd64 3.0", "config-files old 1")
    NEW = ("installed app 1.0", "installed libssl3:amd64 3.1~b+1", "installed new 2")

    def __init__(self, folder, answers, *, upgrade="", back=""):
        super().__init__(folder, answers)
        for name, lines in {"old": self.OLD, "new": self.NEW, "now": self.OLD}.items():
            (folder / name).write_text("\n".join(lines) + "\n")
        self.program("dpkg-query", f"cat {folder}/now")
        self.program(
            "apt-get",
            f"""
case $1 in
  install) {back or f"cp {folder}/old {folder}/now"} ;;
  *) {upgrade or f"cp {folder}/new {folder}/now"} ;;
esac""",
        )

    @property
    def versions(self):
        return {name: (self.folder / name).read_text() for name in ("old", "new", "now")}


WAY_BACK = "--allow-downgrades gone=1 libssl3:amd64=3.0 new-"
APT_CASES = [
    ([0, 0], [], {}, 0, "new", "verified"),
    ([0], [], {"upgrade": ":"}, 0, "old", "nothing to upgrade"),
    ([0], [], {"upgrade": "exit 100"}, 1, "old", "apt-get fails at once"),
    ([4], [], {}, 4, "old", "it cannot be verified: nothing is changed"),
    ([0, 3], [], {}, 6, "new", "not verified: the way back is printed"),
    ([0, 4], [], {}, 6, "new", "nobody can tell: that is no success"),
    ([0, 0], [], {"upgrade": "cp {folder}/new {folder}/now; exit 100"}, 6, "new", "apt-get breaks off half-way"),
    ([0, 3, 0], ["--roll-back"], {}, 3, "old", "not verified, healthy again"),
    ([0, 3, 3], ["--roll-back"], {}, 5, "old", "not verified, and not healthy before either"),
    ([0, 3], ["--roll-back"], {"back": "exit 100"}, 6, "new", "the old versions are not to be had"),
    ([0], [], {"upgrade": ": > {folder}/now"}, 6, None, "dpkg lists nothing any more"),
]


@NEEDS_ROOT
@pytest.mark.parametrize(("answers", "options", "fails", "code", "versions", "reason"), APT_CASES, ids=[case[-1] for case in APT_CASES])
def test_a_debian_machine_leads_back(tmp_path, answers, options, fails, code, versions, reason):
    machine = Debian(tmp_path, answers, **{name: body.format(folder=tmp_path) for name, body in fails.items()})
    done = machine.run(APT, *options, *(["upgrade", "-y"] if options else []))
    assert done.returncode == code, (reason, done.stderr)
    assert machine.asked == len(answers)
    assert versions is None or machine.versions["now"] == machine.versions[versions]
    if code == 6 and not options and versions == "new":
        assert f"apt-get install {WAY_BACK} \n" in done.stderr
    assert any(call == f"apt-get install -y {WAY_BACK}" for call in machine.calls) is bool(options)
    assert (f"systemctl restart {UNIT}" in machine.calls) is (len(answers) > 1)


@NEEDS_ROOT
@pytest.mark.parametrize("name", SCRIPTS)
def test_another_user_than_root_changes_nothing(tmp_path, name):
    machine = (NixOS if name == NIXOS else Debian)(tmp_path, [0])
    machine.program("id", "echo 1000")
    assert machine.run(name).returncode == 1
    assert machine.asked == 0


@NEEDS_ROOT
def test_a_machine_without_nixos_is_left_alone(tmp_path):
    machine = NixOS(tmp_path, [0])
    (tmp_path / "current-system").unlink()
    done = machine.run(NIXOS)
    assert done.returncode == 1
    assert "there is no NixOS system" in done.stderr


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_scripts_are_right_for_a_plain_shell(tmp_path, name, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / name).write_text(FILES[name])
    done = subprocess.run([shell, "-n", str(tmp_path / name)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.real
@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_has_no_complaint(tmp_path, name):
    (tmp_path / name).write_text(FILES[name])
    done = subprocess.run(["shellcheck", str(tmp_path / name)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.real
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path):
    for name, text in FILES.items():
        if name.endswith((".service", ".path")):
            (tmp_path / name.replace("@.", "@tabby.")).write_text(text.replace("/usr/bin/tabby-forensics", "/bin/true"))
    units = sorted(str(file) for file in tmp_path.iterdir())
    assert len(units) == 3
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "tabby-verify" in line] == []


def test_the_runbook_names_each_exit_code_of_the_scripts():
    for code, outcome in EXIT_CODES.items():
        assert f"| {code} | {outcome} | " in FILES["change-runbook.md"]
        assert all(f"# {code}: {outcome}\n" in FILES[name] for name in SCRIPTS)


@pytest.fixture
def journal(tmp_path):
    (tmp_path / "day.json").write_text(stream(day()))
    return ["--file", str(tmp_path / "day.json"), "--store", str(tmp_path / "store"), "--tz", "UTC"]


def test_the_port_is_the_one_of_history(tmp_path, journal):
    (tmp_path / "out").mkdir()
    done = run("generate", "post-deploy", *journal, "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    written = {file.name: file for file in (tmp_path / "out").iterdir()}
    assert set(written) == {
        *SCRIPTS,
        "tabby-verify@.service",
        "tabby-verify@.path",
        "tabby-verify-boot@.service",
        "tabby.env",
        "change-runbook.md",
    }
    assert "VERIFY_OPTIONS=--port 5000 --timeout 300 --settle 180\n" in written["tabby.env"].read_text()
    assert "port 5000, which 3 lines of its stable attempts name" in " ".join(written[NIXOS].read_text().split("# ")).replace("\n", "")
    assert {name: bool(file.stat().st_mode & stat.S_IXUSR) for name, file in written.items()} == {name: name in SCRIPTS for name in written}


def test_the_same_bytes_come_from_the_same_history(journal):
    fixed = os.environ | {"SOURCE_DATE_EPOCH": "1765300000"}
    first, second = (run("generate", "post-deploy", *journal, env=fixed) for _ in range(2))
    assert first.stdout == second.stdout
    assert "# file: post-deploy-nixos\n" in first.stdout


def test_without_a_history_a_named_unit_is_enough(tmp_path):
    empty = tmp_path / "journal"
    empty.mkdir()
    options = ["--journal-dir", str(empty), "--store", str(tmp_path / "store"), "--unit", "llm"]
    done = run("generate", "post-deploy", *options)
    assert done.returncode == 0, done.stderr
    assert "llm.service: no port is known; verify takes the only one that the unit listens on" in done.stderr
    assert "VERIFY_OPTIONS=--timeout 300 --settle 180\n" in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--unit", "a", "--unit", "b", "--port", "1"], ["--port is the port of one unit"]),
        (["--unit", "a", "--model", "x; reboot"], ["--model: only letters"]),
        (["--unit", "a", "--key-file", "key"], ["--key-file must start with /"]),
        (["--unit", "a", "--settle", "2h"], ["--settle 2h: must be from 1 s to 1 h"]),
        (["--unit", "a", "--program", "tabby forensics"], ["units need the full path of the program"]),
        (["--unit", "a", "-o", "/nonexistent/x"], ["is not a directory"]),
        (["--unit", "*nothing*"], ["*nothing*"]),
    ],
)
def test_a_mistake_gets_one_sentence(journal, options, words):
    assert_one_sentence(run("generate", "post-deploy", *journal, *options), 2, *words)
