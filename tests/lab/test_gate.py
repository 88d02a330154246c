"""A real systemd with gates: what stops a loop, what a gate does at each kind of end, and that its own failures change nothing."""

import base64
import json
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

import pytest

from forensics.model import own_entries, systemd
from tests.cli.running import run
from tests.lab.gate_units import CLASSES, PROGRAMS, UNITS
from tests.lab.program import shared
from tests.lab.systemd import NEEDED, LabError, booted

pytestmark = NEEDED
GATE = "/lab/tabby-forensics gate"
STATES = "/run/tabby-forensics/gate"
DIRECT_SINCE = 254  # since then OnFailure= is for each failure, without RestartMode=direct
LOOPING = ("condition-255", "pre-78", "condition-path", "missing", "hanging", "broken", "no-state", "no-timer", "killed", "worker")
MAY_STOP = ("condition-path", "killed")
SEVERAL = 4  # restarts: more than a gate would allow
CONDITION_PATH_STOPS_UNTIL = 252  # of the two versions that were run


@dataclass(frozen=True)
class Facts:
    """What happened: the version, each unit's entries, and what was found on the way."""

    version: int
    entries: list
    found: dict
    report: dict

    def of(self, unit):
        return [entry for entry in self.entries if f"{unit}.service" in (entry.get("UNIT"), entry.get("OBJECT_SYSTEMD_UNIT"))]

    def count(self, unit, message_id):
        return sum(entry.get("MESSAGE_ID") == message_id for entry in self.of(unit))

    @property
    def guarded(self):
        """The entries since the seed's drop-in was installed."""
        marker = next(number for number, entry in enumerate(self.entries) if entry.get("SYSLOG_IDENTIFIER") == "marker")
        return self.entries[marker:]

    def pages(self, unit):
        entries = self.guarded if unit == "seed" else self.entries
        return sum(entry.get("_SYSTEMD_UNIT") == f"page@{unit}.service" and entry["MESSAGE"] == "PAGED" for entry in entries)


class Scenes:
    """The lab, with what its tests ask of it."""

    def __init__(self, lab, folder):
        self.lab, self.folder, self.found = lab, folder, {}

    def sh(self, command):
        return self.lab.run(["sh", "-c", command], check=False).strip()

    def show(self, unit, name):
        return self.sh(f"systemctl show -P {name} {unit}")

    def status(self, unit):
        return json.loads(self.sh(f"{GATE} status {unit} --format json") or "{}")

    def stored(self, unit):
        text = self.sh(f"cat {STATES}/{unit}.service.json")
        return json.loads(text) if text else {}

    def counted(self, unit):
        """What is stored of a unit: what it has counted, and what went wrong."""
        return {"trouble": self.stored(unit)["trouble"], **self.stored(unit)["breaker"]}

    def until(self, condition, seconds=90):
        """Wait inside, which costs less than asking from here."""
        waited = f"for i in $(seq {10 * seconds}); do if {condition}; then echo yes; exit; fi; sleep 0.1; done"
        if self.sh(waited) != "yes":
            raise LabError(f"not within {seconds} s: {condition}")

    def wait(self, unit, state):
        self.until(f'[ "$(systemctl show -P ActiveState {unit})" = {state} ]')

    def wait_gate(self, unit, state, opened=0):
        number = f"&& grep -q '\"opened\": {opened}' {STATES}/{unit}.service.json" if opened else ""
        self.until(f'grep -q \'"state": "{state}"\' {STATES}/{unit}.service.json {number}')

    def restarts(self, unit, seconds=60):
        self.until(f'[ "$(systemctl show -P NRestarts {unit})" -ge {SEVERAL} ]', seconds)

    def seed(self):
        """The seed's loop without a gate, the drop-in made of its journal, the loop with it, and the fix."""
        self.sh("echo bad > /srv/seed/mode; systemctl start --no-block seed")
        self.restarts("seed")
        self.sh("systemctl stop seed; journalctl --sync")
        sources = ["--journal-dir", str(self.lab.journal), "--store", str(self.folder / "store"), "--tz", "UTC", "--unit", "seed"]
        options = ["--program", "/lab/tabby-forensics", "--on-failure", "page@%N.service", "--cooldown", "60", "--held", "2"]
        made = run("generate", "gate", *sources, *options)
        assert made.returncode == 0, made.stderr
        text = base64.b64encode(made.stdout.encode()).decode()
        folder = "/etc/systemd/system/seed.service.d"
        self.sh(f"mkdir {folder}; echo {text} | base64 -d > {folder}/60-gate.conf; systemctl daemon-reload")
        self.found["drop-in"] = made.stdout
        self.sh("echo guarded | systemd-cat -t marker; journalctl --sync; systemctl start --no-block seed")

    def recovery(self):
        self.wait("seed", "failed")
        self.wait_gate("seed", "open")
        self.found["seed open"] = self.status("seed"), self.sh(f"{GATE} status seed >/dev/null; echo $?")
        self.sh("echo ok > /srv/seed/mode")
        self.wait("seed", "active")
        self.wait_gate("seed", "closed")
        self.found["seed closed"] = self.status("seed"), self.sh(f"{GATE} status seed >/dev/null; echo $?")

    def fail_open(self):
        """Loops that nothing stops, until that is seen; each is then stopped, as all share two processors."""
        self.sh(f"systemctl start --no-block {' '.join(LOOPING)}")
        for unit in LOOPING:
            with suppress(LabError):
                self.restarts(unit, 5 if unit in MAY_STOP else 60)
            self.found[f"end of {unit}"] = self.show(unit, "ActiveState"), self.show(unit, "Result"), int(self.show(unit, "NRestarts"))
            self.found[f"state of {unit}"] = self.sh(f"cat {STATES}/{unit}.service.json")
            self.sh(f"systemctl stop {unit}")

    def operated(self):
        """Nothing that an operator asks for is a failure, also where the process then fails."""
        self.sh("systemctl start operated")
        for _ in range(3):
            self.sh("systemctl restart operated")
        self.found["restarted"] = self.counted("operated")["failures"], self.show("operated", "ActiveState")
        self.sh("systemctl stop operated")
        self.found["stopped"] = self.counted("operated")["failures"], self.show("operated", "Result"), self.counted("operated")["state"]

    def kept(self):
        """A dependent survives; a hold outlasts what would start a try; a reset starts."""
        self.wait("kept", "failed")
        self.found["dependent"] = self.show("dependent", "ActiveState")
        self.wait_gate("kept", "open")
        self.sh(f"{GATE} hold kept; echo ok > /run/kept")
        self.sh("sleep 2.5")
        self.found["held"] = self.show("kept", "ActiveState"), self.counted("kept")["state"]
        self.sh(f"{GATE} reset kept")
        self.wait("kept", "active")
        self.found["reset"] = self.counted("kept")["state"]

    def cleared(self):
        self.wait("cleared", "failed")
        self.wait_gate("cleared", "open")
        self.sh("systemctl reset-failed cleared")

    def cooling(self):
        """Tries after the cooldown, which doubles; the fix is found by the next one."""
        self.wait_gate("cooling", "open", opened=3)
        self.found["cooling"] = self.stored("cooling")["breaker"]["cooldown_s"]
        self.sh("echo ok > /run/cooling")
        self.wait_gate("cooling", "closed")


def prepared(scenes):
    scenes.sh(f"mkdir -p /srv/seed /run/broken /run/bin {STATES}/no-state.service.json")
    scenes.sh("echo rubbish > /run/broken/libstdc++.so.6; ln -s /usr/bin/systemctl /run/bin/")
    scenes.sh(f'echo \'{{"version": 1, "breaker": 7\' > {STATES}/twice.service.json')
    scenes.sh("echo ok > /run/kept; systemctl start dependent; sleep 0.5; echo bad > /run/kept")


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    with booted(UNITS, folder, programs=PROGRAMS, shared=shared(folder)) as lab:
        scenes = Scenes(lab, folder)
        version = int(scenes.sh("systemctl --version").split()[1])
        prepared(scenes)
        scenes.seed()
        scenes.sh("systemctl kill --signal=KILL kept")
        scenes.fail_open()
        guarded_units = ["polluted", "twice", *CLASSES, *(["direct"] if version >= DIRECT_SINCE else [])]
        started = ["cooling", "cleared", "condition-1", "skipped", "good-but-fatal", *guarded_units]
        scenes.sh(f"systemctl start --no-block {' '.join(started)}")
        scenes.recovery()
        for part in (scenes.cleared, scenes.operated, scenes.cooling, scenes.kept):
            part()
        scenes.wait_gate("cleared", "closed")
        scenes.wait_gate("good-but-fatal", "open")
        scenes.found["good-but-fatal"] = scenes.counted("good-but-fatal")
        scenes.sh("echo ok > /run/good")
        scenes.wait_gate("good-but-fatal", "closed")
        for unit in guarded_units:
            scenes.wait(unit, "failed")
            scenes.wait_gate(unit, "open")
            scenes.found[unit] = scenes.counted(unit)
        for unit in started:
            scenes.found[f"end of {unit}"] = (
                scenes.show(unit, "ActiveState"),
                scenes.show(unit, "Result"),
                int(scenes.show(unit, "NRestarts")),
            )
            scenes.found[f"state of {unit}"] = scenes.sh(f"cat {STATES}/{unit}.service.json")
        scenes.found["timers"] = scenes.sh("systemctl list-units --plain --no-legend --all 'tabby-gate-*'")
        scenes.sh("journalctl --sync")
        lines = subprocess.run(["journalctl", "-D", lab.journal, "-o", "json", "--all"], check=True, capture_output=True, text=True).stdout
    done = run("report", "--format", "json", "--journal-dir", str(lab.journal), "--store", str(folder / "store"), "--tz", "UTC")
    assert done.returncode == 0, done.stderr
    return Facts(version, [json.loads(line) for line in lines.splitlines()], scenes.found, json.loads(done.stdout))


def end(facts, unit):
    return facts.found[f"end of {unit}"]


def guarded(facts):
    return [entry for entry in facts.guarded if entry.get("UNIT") == "seed.service"]


def test_the_seed_stops_after_three_starts_with_its_own_result(facts):
    before = [entry for entry in guarded(facts) if entry.get("MESSAGE_ID") in (systemd.UNIT_STARTED, systemd.UNIT_FAILURE_RESULT)]
    kinds = [entry["MESSAGE_ID"] for entry in before]
    assert kinds == [systemd.UNIT_STARTED, systemd.UNIT_FAILURE_RESULT] * 3 + [systemd.UNIT_STARTED]
    assert {entry.get("UNIT_RESULT") for entry in before} - {None} == {"exit-code"}


def test_its_status_names_the_class_and_when_it_is_tried(facts):
    status, code = facts.found["seed open"]
    assert code == "3"
    assert (status["state"], status["active"], status["signature"]) == ("open", "failed", "torch.abi-mismatch")
    assert (status["restart_helps"], status["failures"], status["cooldown_s"]) == (False, 3, 60)


def test_it_recovers_by_itself_after_the_fix_long_before_its_cooldown(facts):
    status, code = facts.found["seed closed"]
    assert (status["state"], status["active"], code) == ("closed", "active", "0")
    reasons = [
        (entry["MESSAGE_ID"], entry.get("TABBY_REASON")) for entry in facts.of("seed") if entry.get("MESSAGE_ID") in own_entries.OWN_ENTRIES
    ]
    assert reasons == [(own_entries.GATE_OPENED, None), (own_entries.GATE_PROBED, "environment"), (own_entries.GATE_CLOSED, "held")]


def test_the_drop_in_says_what_was_proven(facts):
    text = " ".join(facts.found["drop-in"].replace("\n#", " ").split())
    assert "it would have stopped the loop at T+" in text
    assert "OnFailure=page@%N.service\n" in facts.found["drop-in"]


@pytest.mark.parametrize("unit", ["seed", "class-abi", "class-pre", "twice", "polluted"])
def test_on_failure_fires_when_the_gate_opens_and_for_each_failure_since_254(facts, unit):
    failures = sum(
        entry.get("MESSAGE_ID") == systemd.UNIT_FAILURE_RESULT for entry in (guarded(facts) if unit == "seed" else facts.of(unit))
    )
    assert failures == 3
    once = facts.version < DIRECT_SINCE or unit == "seed"  # whose drop-in sets RestartMode=direct there
    assert facts.pages(unit) == 1 if once else facts.pages(unit) >= failures


def test_only_the_gate_stops_a_loop_so_that_it_is_seen(facts):
    assert end(facts, "condition-1")[0] == "inactive"  # with what systemd calls a success: in no list of failed units
    assert end(facts, "class-abi")[:2] == ("failed", "exit-code")


@pytest.mark.parametrize("unit", ["condition-255", "pre-78"])
def test_what_does_not_stop_a_loop(facts, unit):
    assert end(facts, unit)[2] >= SEVERAL


def test_a_condition_on_a_path_stops_a_loop_only_in_older_versions(facts):
    if facts.version <= CONDITION_PATH_STOPS_UNTIL:
        assert end(facts, "condition-path")[0] == "inactive"
    else:
        assert end(facts, "condition-path")[2] >= SEVERAL


@pytest.mark.parametrize("unit", ["missing", "hanging", "broken", "no-state", "no-timer"])
def test_a_gate_that_cannot_work_lets_restarts_go_on(facts, unit):
    assert end(facts, unit)[0] != "failed"
    assert end(facts, unit)[2] >= SEVERAL


def test_a_gate_that_is_killed_leaves_a_loop_or_an_open_gate(facts):
    state, _, restarts = end(facts, "killed")
    stored = facts.found["state of killed"]
    assert restarts >= SEVERAL or (state == "failed" and json.loads(stored)["breaker"]["state"] == "open")
    assert not stored or json.loads(stored)["version"] == 1


def test_without_a_timer_nothing_is_stopped_and_the_state_says_so(facts):
    assert "could not be arranged" in json.loads(facts.found["state of no-timer"])["trouble"]


def test_a_damaged_state_begins_anew_and_says_so(facts):
    assert facts.found["twice"]["failures"] == 3
    assert "was damaged" in facts.found["twice"]["trouble"]
    assert any("was damaged" in entry["MESSAGE"] for entry in facts.of("twice") if entry.get("MESSAGE_ID") == own_entries.GATE_OPENED)


@pytest.mark.parametrize("unit", ["polluted", "twice"])
def test_each_end_counts_once_whatever_the_units_environment_and_limits(facts, unit):
    assert (facts.found[unit]["failures"], facts.found[unit]["signature"]) == (3, "torch.abi-mismatch")
    assert end(facts, unit)[:2] == ("failed", "exit-code")


def test_the_gate_writes_nothing_into_the_units_log(facts):
    spoken = [entry for entry in facts.entries if entry.get("_SYSTEMD_UNIT") == "twice.service" and entry.get("_TRANSPORT") == "stdout"]
    assert {entry["MESSAGE"].partition(":")[0] for entry in spoken} == {"ImportError"}


def test_what_an_operator_asks_for_is_no_failure(facts):
    assert facts.found["restarted"] == (0, "active")
    assert facts.found["stopped"] == (0, "exit-code", "closed")


def test_a_skipped_start_is_no_failure(facts):
    assert json.loads(facts.found["state of skipped"])["breaker"] == {
        "state": "closed", "failures": 0, "signature": "", "alike": 0, "opened": 0, "cooldown_s": 0.0,
    }  # fmt: skip


def test_good_ends_that_follow_a_fatal_error_are_stopped(facts):
    assert facts.found["good-but-fatal"]["signature"] == "torch.abi-mismatch"
    assert facts.found["good-but-fatal"]["failures"] == 5
    assert end(facts, "good-but-fatal")[:2] == ("active", "success")  # it was tried again, and then held
    assert facts.count("good-but-fatal", own_entries.GATE_PROBED) == 1


def test_a_worker_that_ends_well_goes_on(facts):
    assert end(facts, "worker")[2] >= SEVERAL
    assert json.loads(facts.found["state of worker"])["breaker"]["opened"] == 0


def test_units_that_require_it_survive(facts):
    assert facts.found["dependent"] == "active"


def test_a_hold_outlasts_a_change_and_a_reset_starts(facts):
    assert facts.found["held"] == ("failed", "held")
    assert facts.found["reset"] == "closed"


def test_reset_failed_by_hand_closes_and_starts_nothing(facts):
    assert end(facts, "cleared")[0] == "inactive"
    assert facts.count("cleared", own_entries.GATE_PROBED) == 0


def test_the_cooldown_doubles_up_to_its_limit_and_each_try_is_one_start(facts):
    assert facts.found["cooling"] == 2
    of_unit = facts.of("cooling")
    kinds = Counter(entry.get("MESSAGE_ID") for entry in of_unit)
    probes = kinds[own_entries.GATE_PROBED]
    assert probes >= 3
    assert kinds[systemd.UNIT_STARTED] == 3 + probes
    assert kinds[own_entries.GATE_CLOSED] == 1


@pytest.mark.parametrize("unit", CLASSES)
def test_the_class_is_the_one_that_report_names(facts, unit):
    incident = next(one for one in facts.report["incidents"] if one["unit"] == f"{unit}.service")
    assert [one["signature"] for one in incident["classes"]] == [facts.found[unit]["signature"]]


def test_restart_mode_direct_is_read_by_order_and_pages_once(facts):
    if facts.version < DIRECT_SINCE:
        pytest.skip(f"systemd {facts.version} has no RestartMode=: make check-trixie")
    assert facts.pages("direct") == 1
    assert (facts.found["direct"]["failures"], facts.found["direct"]["signature"]) == (3, "torch.abi-mismatch")


def test_nothing_is_left_of_gates_that_closed(facts):
    assert not [line for line in facts.found["timers"].splitlines() if "-seed-" in line or "-cooling-" in line]
