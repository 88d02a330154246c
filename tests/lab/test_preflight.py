"""A real systemd with checks before starts: what fails is named as before, and checks that go wrong themselves let it start."""

import sys
import sysconfig
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from forensics.pipeline import investigate
from forensics.query import Query, Sources
from forensics.resources import folder as resources
from tests.cli.running import run
from tests.guard.preflight.building import NEEDS_GCC, compile_library, compile_module, make_venv
from tests.lab.preflight_units import ENDS, HANG_S, ODD, PROGRAM, PROGRAMS, UNITS, own_environment
from tests.lab.program import PYTHON, ROOT
from tests.lab.systemd import NEEDED, booted

pytestmark = [*NEEDED, NEEDS_GCC]
MISSING = "libstdc++.so.7"  # no system has it


@dataclass(frozen=True)
class Facts:
    """What happened: attempts with their labels, each unit's lines, states, and the generated files."""

    attempts: pl.DataFrame
    lines: dict
    found: dict
    files: dict

    def ends(self, unit):
        """The (class, command, status) of the attempts of a unit, each once, in the order of their first."""
        by_itself = (pl.col("unit") == f"{unit}.service") & (pl.col("exit_code") == "exited")  # not by the `systemctl stop` of this test
        rows = self.attempts.filter(by_itself).sort("attempt")
        return list(dict.fromkeys(rows.select("signature", "command", "exit_status").rows()))


class Scenes:
    """The lab, with what its tests ask of it."""

    def __init__(self, lab, folder):
        self.lab, self.folder, self.found = lab, folder, {}

    def sh(self, command):
        return self.lab.run(["sh", "-c", command], check=False).strip()

    def show(self, unit, name):
        return self.sh(f"systemctl show -P {name} '{unit}'")

    def fail_often(self, times):
        """Start the two units, and wait for restarts of both."""
        self.sh("systemctl reset-failed lib port; systemctl start --no-block lib port")  # which sets their counters to 0 at once
        self.lab.wait_until(lambda: all(int(self.show(unit, "NRestarts") or 0) >= times for unit in ("lib", "port")))

    def before(self):
        """Let the units fail as they do without checks."""
        self.sh("cp -r /lab/app /srv/app; mkdir /srv/lib /srv/damaged; echo x > /srv/damaged/libm.so.6")
        self.sh("systemctl start holder")
        self.fail_often(3)
        self.sh("systemctl stop lib port; journalctl --sync")

    def install(self):
        """Write the checks and drop-ins that are made of the journal to where their heads say."""
        target = self.folder / "programs/made"
        target.mkdir()
        sources = ["--journal-dir", str(self.lab.journal), "--store", str(self.folder / "store"), "--tz", "UTC"]
        made = run("generate", "preflight", *sources, "--program", PROGRAM, "-o", str(target))
        assert made.returncode == 0, made.stderr
        self.sh("mkdir -p /etc/tabby-forensics/preflight; cp /lab/made/*.toml /etc/tabby-forensics/preflight/")
        for unit in ("lib", "port"):
            self.sh(
                f"mkdir -p /etc/systemd/system/{unit}.service.d; cp /lab/made/{unit}-preflight.conf /etc/systemd/system/{unit}.service.d/"
            )
        wrong = '[[path]]\npath = "/nonexistent/m"\nclass = "model.path-missing"\n'
        self.sh(f"echo '{wrong}' > /etc/tabby-forensics/preflight/broken-too.service.toml")
        self.sh("echo 'unit = 7' > /etc/tabby-forensics/preflight/mistaken.service.toml; systemctl daemon-reload")
        return {path.name: path.read_text() for path in target.iterdir()}

    def after(self):
        """Let them fail with the checks, then repair what was wrong."""
        self.found["since"] = datetime.now(UTC)
        self.fail_often(2)
        self.sh("systemctl stop lib port; cp /lab/lib/* /srv/lib/; systemctl stop holder; journalctl --sync")
        self.found["until"] = datetime.now(UTC)
        self.sh("systemctl start --no-block lib port")
        self.lab.wait_until(lambda: self.show("lib", "SubState") == "running" == self.show("port", "SubState"))
        time.sleep(0.5)
        self.found["repaired"] = [self.show("lib", "NRestarts"), self.show("port", "NRestarts")]

    def ends(self):
        """Start the units whose checks themselves go wrong."""
        units = ["program-missing", "broken", "broken-too", "unchecked", "mistaken", *ENDS, ODD]
        started = time.monotonic()
        self.sh(f"systemctl start --no-block {' '.join(f'{chr(39)}{unit}{chr(39)}' for unit in units)}")
        self.lab.wait_until(lambda: all(self.show(unit, "ActiveState") != "activating" for unit in units), 40)
        self.found["hang_s"] = time.monotonic() - started
        self.found["states"] = {unit: self.show(unit, "ActiveState") for unit in units}
        self.found["arguments"] = self.sh("cat /run/arguments").splitlines()


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    app, own, lib = folder / "app", folder / "own", folder / "lib"
    site = make_venv(app, "/lab/python/bin", PYTHON)
    library = compile_library(lib / MISSING)
    compile_module(site, "extension", needs=(library,))
    make_venv(own, "/lab/python/bin", PYTHON)
    own_environment(own)
    shared = {"app": app, "own": own, "lib": lib, "project": ROOT}
    shared |= {"python": Path(sys.base_prefix), "packages": Path(sysconfig.get_path("purelib"))}
    with booted(UNITS, folder, programs=PROGRAMS, shared=shared) as lab:
        scenes = Scenes(lab, folder)
        scenes.before()
        files = scenes.install()
        scenes.after()
        scenes.ends()
        scenes.sh("journalctl --sync")
        lines = {unit: scenes.sh(f"journalctl -o cat -u {unit}").splitlines() for unit in ("lib", "port", "broken-too", "mistaken")}
    query = Query(
        Sources((lab.journal,), ()), folder / "store", datetime.now(UTC) + timedelta(hours=1), since=scenes.found["since"],
        until=scenes.found["until"], pattern_folders=(resources("patterns"),),
    )  # fmt: skip
    history = investigate(query).history
    attempts = history.assembly.attempts.join(history.labelled.labels.filter("failed"), on="attempt")
    return Facts(attempts, lines, scenes.found, files)


def test_the_checks_are_made_of_what_the_journal_shows(facts):
    assert 'module = "extension"\nclass = "loader.libstdcxx-missing"\n' in facts.files["lib.service.toml"]
    assert "[[port]]\nport = 5000\n" in facts.files["port.service.toml"]


@pytest.mark.parametrize(("unit", "signature"), [("lib", "loader.libstdcxx-missing"), ("port", "port.conflict")])
def test_a_failed_check_is_named_as_the_failure_that_it_saves(facts, unit, signature):
    assert facts.ends(unit) == [(signature, "ExecStartPre", 78)]


def test_the_words_are_the_loaders_own(facts):
    assert f"{MISSING}: cannot open shared object file: No such file or directory (preflight)" in facts.lines["lib"]


def test_a_holder_that_the_units_user_cannot_see_is_called_so(facts):
    assert "[Errno 98] address already in use: port 5000 is held by a process that this user cannot see (preflight)" in facts.lines["port"]


def test_repaired_units_start_at_once(facts):
    assert facts.found["repaired"] == ["0", "0"]


@pytest.mark.parametrize(
    ("unit", "state", "reason"),
    [
        ("program-missing", "active", "timeout(1) exits with 127"),
        ("exits-1", "active", "an internal error"),
        ("killed", "active", "as the kernel does when memory is short"),
        ("hangs", "active", "killed after the bound, also where it ignores SIGTERM"),
        ("broken", "active", "the unit's environment would break an interpreter that reads it"),
        ("broken-too", "failed", "the checks work there all the same"),
        ("unchecked", "active", "no checks, and nothing that can be told"),
        ("mistaken", "active", "a file with mistakes checks nothing"),
        ("exits-78", "failed", "the one exit code that refuses"),
    ],
)
def test_only_a_failed_check_refuses_the_start(facts, unit, state, reason):
    assert facts.found["states"][unit] == state, reason


def test_a_hang_delays_the_start_by_the_bound(facts):
    assert HANG_S <= facts.found["hang_s"] < 30


def test_an_environment_that_would_break_python_does_not_break_the_checks(facts):
    assert "Model path does not exist: /nonexistent/m (preflight)" in facts.lines["broken-too"]


def test_mistakes_are_in_the_log_with_their_lines(facts):
    assert any("mistaken.service.toml:1: unit: must be a non-empty string" in line for line in facts.lines["mistaken"])


def test_any_name_of_a_unit_arrives_as_it_is(facts):
    assert facts.found["arguments"] == ["preflight", "--quiet", f"{ODD}.service"]
    assert facts.found["states"][ODD] == "active"
