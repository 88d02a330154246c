"""Rules are proven on the incident and quiet elsewhere, their tests are green, what cannot be proven is refused."""

import subprocess

import pytest

from forensics.generate.basis import basis_of
from forensics.generate.candidates import EXPORTERS, FAILED, RESTART_LOOP
from forensics.generate.excerpts import promtool_file
from forensics.generate.rule_file import rules_file
from forensics.generate.rules import common_rules, find_rules
from forensics.generate.wanted import Wanted
from forensics.rules import judge_rules, read_rules
from tests.attempts.building import Journal
from tests.generate.history import UNIT, day, investigated
from tests.generate.promtools import PROMTOOLS

EVERYTHING = Wanted(tuple(EXPORTERS), with_limits=True, probes={UNIT: "blackbox-tabby"}, runbook_url="https://runbooks.example/")


def rules_of(found):
    return {(one.rule.alert, one.rule.expr): one for unit in found for one in unit.rules}


def failing_job(times=4):
    """A oneshot that fails every hour."""
    journal = Journal("backup.service", "alpha", boot="a" * 32)
    for number in range(times):
        run = f"{number:032x}"
        journal.manager("starting", run, after=3600, JOB_TYPE="start")
        journal.writes(run, "rsync: connection unexpectedly closed")
        journal.dies(run)
        journal.manager("job_failed", run, JOB_TYPE="start", JOB_RESULT="failed")
    journal.writes("", "later", after=3600)
    return journal


def test_the_most_robust_rule_that_is_in_time_is_chosen(basis):
    (unit,) = find_rules(basis, Wanted())
    (one,) = unit.rules
    assert one.rule.expr == f'increase(node_systemd_service_restart_total{{name="{UNIT}"}}[5m]) > 2'
    assert one.incidents == basis.of(UNIT)
    assert one.rule.labels == {"severity": "critical", "unit": UNIT}
    assert "Proven: fires at T+" in one.sentences[0]
    assert "Fires 0 times in 15 h outside of incidents, 1 time in them; the highest value in quiet times is 1.0" in one.sentences[1]


def test_more_time_gives_a_rule_on_more_restarts(basis):
    exprs = [next(iter(rules_of(find_rules(basis, Wanted(within_s=within)))))[1][-3:] for within in (60.0, 75.0, 120.0)]
    assert exprs == ["> 2", "> 3", "> 5"]


def test_every_exporter_has_its_rule_and_rules_of_one_name_differ_in_a_label(basis):
    found = rules_of(find_rules(basis, EVERYTHING))
    restarts = [one.rule for (alert, _), one in found.items() if alert == RESTART_LOOP]
    assert [rule.labels["exporter"] for rule in restarts] == list(EXPORTERS)
    assert all(exporter.restarts in rule.expr for exporter, rule in zip(EXPORTERS.values(), restarts, strict=True))
    assert all(one.rule.annotations["runbook_url"] == "https://runbooks.example/" for one in found.values())


def test_second_lines_say_what_they_need(basis):
    found = rules_of(find_rules(basis, EVERYTHING))
    texts = {alert: " ".join(one.sentences) for (alert, _), one in found.items()}
    assert "with the start limit of `generate limits`, 5 starts in 5 min" in texts["UnitFailed"]
    assert "it needs the probe of `generate blackbox`, and was proven on a model" in texts["UnitDown"]
    assert "names what is wrong" in texts["UnitKnownFailure"]
    assert all(one.rule.labels["severity"] != "critical" for (alert, _), one in found.items() if alert == "UnitKnownFailure")


def test_no_generated_rule_is_dead(basis, tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(rules_file(basis, find_rules(basis, EVERYTHING), EVERYTHING))
    read = read_rules([file])
    assert read.mistakes == ()
    judged = judge_rules([rule for rule in read.rules if rule.alert != "Watchdog"])
    assert {selector.verdict for rule in judged for selector in rule.verdicts} == {"known"}


@pytest.mark.real
@pytest.mark.skipif(not PROMTOOLS, reason="Prometheus is not installed")
@pytest.mark.parametrize("wanted", [Wanted(), EVERYTHING], ids=["default", "everything"])
def test_promtool_accepts_the_rules_and_their_tests_are_green(basis, tmp_path, wanted):
    found = find_rules(basis, wanted)
    (tmp_path / "rules.yml").write_text(rules_file(basis, found, wanted))
    (tmp_path / "tests.yml").write_text(promtool_file(basis, found, wanted, "rules.yml"))
    for program in PROMTOOLS:
        for command in (["check", "rules", "rules.yml"], ["test", "rules", "tests.yml"]):
            done = subprocess.run([program, *command], capture_output=True, text=True, check=False, cwd=tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_have_the_incident_the_quiet_failure_and_nothing(basis):
    text = promtool_file(basis, find_rules(basis, Wanted()), Wanted(), "rules.yml")
    assert "the first minutes of the incident of 2025-12-08 09:30:13 UTC" in text
    assert "restarts in quiet times, at 2025-12-08 03:30:12 UTC" in text
    assert "nothing is exported" in text


def test_an_outage_without_restarts_is_paged_by_the_state_of_the_unit(tmp_path):
    (unit,) = find_rules(basis_of(investigated(tmp_path, failing_job())), Wanted())
    (one,) = unit.rules
    assert one.rule.alert == FAILED
    assert one.rule.expr == 'node_systemd_unit_state{name="backup.service",state="failed"} == 1'
    assert unit.refused == ()


def test_a_unit_that_fails_only_in_its_incident_needs_no_more_than_its_first_restart(tmp_path):
    basis = basis_of(investigated(tmp_path, day(loop=0, isolated=5, quiet_s=3000.0)))
    assert [incident.kind for incident in basis.incidents] == ["recurring"]
    (unit,) = find_rules(basis, Wanted())
    assert [one.rule.expr[-3:] for one in unit.rules] == ["> 0"]


def test_a_loop_that_is_too_slow_for_a_minute_is_refused_with_the_time_it_needs(tmp_path):
    found = investigated(tmp_path, day(loop=12, cycle_s=151.0))
    (unit,) = find_rules(basis_of(found), Wanted())
    assert unit.rules == ()
    (sentence,) = unit.refused
    assert "within 1 min and nothing else: the first that fires nowhere else is increase(" in sentence
    within = float(sentence.rpartition("--within ")[2].removesuffix("s"))
    (later,) = find_rules(basis_of(found), Wanted(within_s=within))
    assert later.rules
    assert later.refused == ()


def test_the_nearest_rule_is_written_on_request_and_marked(tmp_path):
    found = investigated(tmp_path, day(loop=12, cycle_s=151.0))
    (unit,) = find_rules(basis_of(found), Wanted(unproven=True))
    (one,) = unit.rules
    assert not one.is_proven
    assert one.sentences[0].startswith("NOT PROVEN: no rule on node_systemd_service_restart_total")


def test_a_unit_of_a_user_is_not_shown_by_node_exporter(tmp_path, found):
    from dataclasses import replace

    incidents = tuple(replace(incident, manager="user:1000") for incident in found.report.incidents)
    users = replace(found, report=replace(found.report, incidents=incidents))
    (unit,) = find_rules(basis_of(users), Wanted())
    assert unit.rules == ()
    assert "use --exporter watch" in unit.refused[0]


def test_the_rules_that_notice_dead_ones_are_about_all_units():
    rules = [one.rule for one in common_rules(["a.service", "b.service"], Wanted())]
    assert [rule.alert for rule in rules] == ["RestartMetricMissing", "Watchdog"]
    assert rules[0].expr.count("absent(") == 2


@pytest.mark.real
@pytest.mark.skipif(not PROMTOOLS, reason="Prometheus is not installed")
def test_several_units_have_a_group_each_and_their_tests_are_green(tmp_path):
    found = investigated(tmp_path, day(), day("vllm@a.service", loop=30, cycle_s=12.0))
    basis = basis_of(found)
    rules = find_rules(basis, Wanted())
    assert [unit.unit for unit in rules] == [UNIT, "vllm@a.service"]
    (tmp_path / "rules.yml").write_text(rules_file(basis, rules, Wanted()))
    (tmp_path / "tests.yml").write_text(promtool_file(basis, rules, Wanted(), "rules.yml"))
    for program in PROMTOOLS:
        done = subprocess.run([program, "test", "rules", "tests.yml"], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
