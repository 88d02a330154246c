"""On a real systemd a remedy is started once for its cause, whatever becomes of it, and a model ladder ends at what fits."""

import base64
import json

import pytest

from forensics.model import own_entries
from tests.cli.running import run
from tests.lab.program import shared
from tests.lab.remedy_units import DECLARED, GATED, ODD, PROFILES, PROGRAMS, REMEDIES, UNITS, UNSOUND
from tests.lab.systemd import NEEDED, LabError, booted

pytestmark = NEEDED
PROGRAM = "/lab/tabby-forensics"
ETC = "/etc/tabby-forensics"


class Scenes:
    """The lab, with what its tests ask of it."""

    def __init__(self, lab, folder):
        self.lab, self.folder, self.found = lab, folder, {}

    def sh(self, command):
        return self.lab.run(["sh", "-c", command], check=False).strip()

    def write(self, path, text):
        self.sh(f"mkdir -p $(dirname {path}); echo {base64.b64encode(text.encode()).decode()} | base64 -d > {path}")

    def until(self, condition, seconds=90):
        """Wait inside, which costs less than asking from here."""
        if self.sh(f"for i in $(seq {10 * seconds}); do if {condition}; then echo yes; exit; fi; sleep 0.1; done") != "yes":
            raise LabError(f"not within {seconds} s: {condition}\n{self.sh('journalctl -q -n 60 --no-pager -o short-monotonic')}")

    def wait(self, unit, state):
        self.until(f'[ "$(systemctl show -P ActiveState {unit})" = {state} ]')

    def wait_ended(self, unit, count=1):
        """Wait for so many entries about the end of a remedy."""
        matches = f"MESSAGE_ID={own_entries.REMEDY_ENDED} OBJECT_SYSTEMD_UNIT={unit}.service"
        self.until(f'[ "$(journalctl -q -o cat {matches} | wc -l)" -ge {count} ]')

    def entries(self, unit):
        lines = self.sh(f"journalctl --sync; journalctl -q -o json OBJECT_SYSTEMD_UNIT={unit}.service").splitlines()
        return [json.loads(line) for line in lines]

    def outcomes(self, unit):
        return [one.get("TABBY_OUTCOME") for one in self.entries(unit) if one["MESSAGE_ID"] == own_entries.REMEDY_ENDED]

    def started(self, unit):
        return self.sh(f"journalctl -q -o cat -u {unit}-remedy | grep -c STARTED")

    def ladder(self):
        """Install what is generated, and start the model."""
        options = [word for profile in PROFILES for word in ("--profile", profile)]
        done = run("generate", "model-ladder", "--unit", "model", *options, "--program", PROGRAM, "-o", str(self.folder))
        assert done.returncode == 0, done.stderr
        self.write(f"{ETC}/ladder/model.service.toml", (self.folder / "model.service.toml").read_text())
        self.write("/etc/systemd/system/model.service.d/50-ladder.conf", (self.folder / "model-ladder.conf").read_text())
        self.sh("mkdir -p /run/current-system/sw/bin; ln -s /lab/nvidia-smi /run/current-system/sw/bin/; systemctl daemon-reload")

    def remedy(self, unit):
        """Start a remedy as a gate does."""
        self.sh(f"systemd-run --quiet --collect --unit=tabby-remedy-{unit}-1 {PROGRAM} remedy run {unit} torch.abi-mismatch")

    def killed(self):
        """Kill it while the user's unit runs, which goes on, and the same cause again."""
        self.remedy("killed")
        self.until("journalctl -q -o cat -u killed-remedy | grep -q STARTED")
        self.sh("systemctl kill --signal=KILL tabby-remedy-killed-1")
        self.until("! systemctl -q is-active tabby-remedy-killed-1")
        self.found["goes on"] = self.sh("systemctl is-active killed-remedy")
        self.found["again"] = self.sh(f"{PROGRAM} remedy run killed torch.abi-mismatch 2>&1; echo $?")

    def model(self):
        self.until("systemctl -q is-active model && journalctl -q -o cat -u model | grep -q 'Loading model: 14b'")
        self.found["restarts"] = self.sh("systemctl show -P NRestarts model")
        self.found["model"] = self.sh("journalctl -q -o cat -u model").splitlines()
        self.found["status"] = self.sh(f"{PROGRAM} ladder status model; echo $?")
        self.write(f"{ETC}/ladder/model.service.toml", "[[profile]]\n")
        self.sh("systemctl restart model; sleep 0.3")
        self.found["broken"] = self.sh("systemctl is-active model; journalctl -q -o cat -u model | grep Loading | tail -1")


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    with booted(UNITS, folder, programs=PROGRAMS, shared=shared(folder)) as lab:
        scenes = Scenes(lab, folder)
        scenes.write(f"{ETC}/remedies.toml", DECLARED)
        scenes.write("/run/unsound.toml", UNSOUND)
        scenes.ladder()
        scenes.sh(f"systemctl start --no-block model {' '.join(GATED)}")
        scenes.remedy("hanging")
        scenes.killed()
        scenes.found["sound"] = scenes.sh(f"{PROGRAM} remedy check; echo $?")
        scenes.found["unsound"] = scenes.sh(f"{PROGRAM} remedy check --config /run/unsound.toml; echo $?")
        scenes.wait("helped", "active")
        scenes.until("grep -q '\"held\": true' /var/lib/tabby-forensics/remedies/*.json")
        scenes.sh("echo bad > /run/helped; systemctl kill --signal=KILL helped")
        scenes.model()
        scenes.wait_ended("failing")
        scenes.wait_ended("hanging")
        scenes.found["failing is"] = scenes.sh(f"{PROGRAM} gate status failing > /dev/null; echo $?")
        scenes.wait_ended("helped", 2)
        scenes.found["list"] = scenes.sh(f"{PROGRAM} remedy list")
        for unit in REMEDIES:
            scenes.found[unit] = scenes.started(unit), scenes.outcomes(unit), scenes.entries(unit)
        return scenes.found


def test_a_remedy_that_helps_closes_the_gate_and_is_not_started_again_for_the_same_cause(facts):
    started, outcomes, entries = facts["helped"]
    assert (started, outcomes[0], {*outcomes[1:]}) == ("1", "done", {"refused"})  # on a slow machine a gate tries once more meanwhile
    kinds = [own_entries.OWN_ENTRIES[entry["MESSAGE_ID"]] for entry in entries]
    opened = ["gate-opened", "remedy-started", "remedy-ended", "gate-closed"]
    assert [kind for kind in kinds if kind != "gate-probed"][:4] == opened
    assert entries[-1]["MESSAGE"].endswith("a person is needed.")


def test_a_remedy_that_fails_leaves_the_gate_open(facts):
    started, outcomes, _ = facts["failing"]
    assert (started, outcomes[0], {*outcomes[1:]} <= {"refused"}) == ("1", "failed", True)
    assert facts["failing is"] == "3"


def test_a_remedy_that_hangs_is_not_waited_for(facts):
    started, outcomes, _ = facts["hanging"]
    assert (started, outcomes) == ("1", ["timed-out"])


def test_killed_while_it_runs_it_is_not_started_again(facts):
    started, outcomes, _ = facts["killed"]
    assert (started, outcomes) == ("1", ["refused"])
    assert facts["goes on"] == "activating"
    sentence, code = facts["again"].rsplit("\n", 1)
    assert (code, "its end is not recorded): a person is needed" in sentence) == ("3", True)


def test_the_list_has_each_start_with_its_cause_and_its_end(facts):
    lines = facts["list"].splitlines()
    assert "  torch.* of hanging.service: hanging-remedy.service, within 1 s" in lines
    ends = {unit: next(line for line in lines if f"of {unit}.service (" in line).rpartition(": ")[2] for unit in REMEDIES}
    assert ends == {
        "helped": "done, the unit held",
        "failing": "failed",
        "hanging": "timed-out",
        "killed": "its end is not recorded",
    }


def test_what_is_declared_is_checked(facts):
    assert facts["sound"].splitlines() == ["4 remedies OK.", "0"]
    lines = facts["unsound"].splitlines()
    assert lines[-1] == "3"
    for start, words in {
        "simple": "has Type=simple",
        "again": "has Restart=on-failure",
        "kept": "has RemainAfterExit=yes",
        "back": "starts helped.service, which it is to cure",
        "absent": "does not exist",
        "helped": "is itself a unit that it is declared for",
    }.items():
        assert any(line.startswith(f"{start} of helped.service: {start}.service") and words in line for line in lines), start


def test_the_ladder_ends_at_the_profile_that_fits(facts):
    assert facts["restarts"] == "2"
    loaded = [line for line in facts["model"] if line.startswith("Loading")]
    assert loaded == [f"Loading model: {name}, odd: {ODD}" for name in ("70b-32k", "70b-8k", "14b")]
    chosen = [line for line in facts["model"] if line.startswith("INFO: tabby-forensics ladder: profile")]
    assert [line.split()[4] for line in chosen] == ["70b-32k", "70b-8k", "14b"]
    assert "78.1 GiB free; 70b-8k did not fit last time" in chosen[-1]
    assert facts["status"].splitlines()[-1] == "3"


def test_a_ladder_that_fails_leaves_the_last_profile(facts):
    assert facts["broken"].splitlines() == ["active", f"Loading model: 14b, odd: {ODD}"]
