"""What an incident lasted is what the machine's boot clocks show."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics.history_replay import make_report
from forensics.model.values import Incident, Report
from forensics.query import Query, Sources
from tests.cli.journals import export_format
from tests.clocked import Clocked

HOUR = 3600.0


def restarted(journal: Clocked, times: int, first: int = 1) -> Clocked:
    """Failures that are restarted after ten seconds each, 11.02 s a cycle."""
    for n in range(first, first + times):
        journal.fails(f"{journal.boot}-{n}", n)
    return journal


def holds(journal: Clocked) -> Clocked:
    journal.manager("started", f"{journal.boot}-held", JOB_TYPE="start", JOB_RESULT="done")
    for _ in range(30):
        journal.kernel("tick", after=60)
    return journal


def reported(journal: Clocked, tmp_path: Path) -> Report:
    for line in journal.lines:
        line.setdefault("_MACHINE_ID", "m")
    (tmp_path / "x.export").write_text(export_format(journal))
    return make_report(Query(Sources(files=(tmp_path / "x.export",)), tmp_path / "store", datetime(2026, 1, 1, tzinfo=UTC)))


def only_incident(journal: Clocked, tmp_path: Path) -> Incident:
    (incident,) = reported(journal, tmp_path).incidents
    return incident


@pytest.mark.parametrize("hours", [72, 8, -3, -72])
def test_a_step_of_the_wall_clock_neither_lengthens_nor_shortens_an_incident(hours, tmp_path):
    journal = restarted(Clocked().ticks(), 10).wall_moves(hours * HOUR)
    journal.add(0.01, {"SYSLOG_IDENTIFIER": "chronyd", "MESSAGE": "System clock was stepped by some seconds"})
    incident = only_incident(holds(restarted(journal, 10, 11)), tmp_path)
    assert incident.downtime_s == pytest.approx(20 * 11.03, abs=1)
    assert incident.time_to_recover_s == pytest.approx(20 * 11.03, abs=1)
    assert incident.availability == pytest.approx(1 - 220 / 2060, abs=0.01)
    assert (incident.restarts, incident.ongoing, incident.exact) == (20, False, True)


def test_sleep_is_counted_apart(tmp_path):
    journal = restarted(Clocked().ticks(), 10)
    journal.kernel("PM: suspend entry (deep)")
    journal.wall_moves(8 * HOUR).kernel("PM: suspend exit")
    report = reported(holds(restarted(journal, 10, 11)), tmp_path)
    (incident,) = report.incidents
    assert incident.downtime_s == pytest.approx(220, abs=1)
    assert incident.slept_s == pytest.approx(8 * HOUR, abs=1)
    assert "The host h slept 8 h in this window; durations leave sleep out." in report.notes
    assert report.completeness.complete


def test_boots_that_begin_at_the_same_wrong_time_are_measured_one_after_the_other(tmp_path):
    journal = Clocked(boot="c").ticks()
    for boot in "fad":
        journal.ahead = -journal.now
        restarted(journal.boots(boot), 10)
    journal.ahead = -journal.now
    holds(journal.boots("b"))
    for number, line in enumerate(journal.lines):
        line |= {"__SEQNUM": str(number), "__SEQNUM_ID": "a" * 32, "_TRANSPORT": line.get("_TRANSPORT", "journal")}
    incident = only_incident(journal, tmp_path)
    assert (incident.restarts, incident.ongoing) == (30, False)
    assert incident.downtime_s == pytest.approx(30 * 11.02, abs=2)


def test_a_clock_that_begins_at_its_epoch_makes_no_incident_of_55_years(tmp_path):
    journal = Clocked()
    journal.ahead = -1_765_142_000_000_000
    restarted(journal.ticks(), 10)
    journal.ahead = 0
    journal.manager("Time has been changed", MESSAGE_ID="c7a787079b354eaaa9e77b371893cd27")
    incident = only_incident(holds(restarted(journal, 10, 11)), tmp_path)
    assert incident.start.year == 1970
    assert incident.downtime_s == pytest.approx(220, abs=1)
    assert incident.replay == ()  # nothing would be evaluated for 55 years


def test_a_boot_at_the_epoch_before_an_incident_changes_nothing_of_its_replay(tmp_path):
    journal = Clocked()
    journal.ahead = -1_765_142_000_000_000
    holds(restarted(journal.ticks(), 3))
    journal.ahead = 0
    journal.manager("Time has been changed", MESSAGE_ID="c7a787079b354eaaa9e77b371893cd27")
    restarted(journal.ticks(), 10, 21)
    *_, incident = reported(holds(journal), tmp_path).incidents
    limit = next(row for row in incident.replay if row.id == "limit:5/300")
    assert (incident.start.year, limit.status, limit.refusals) == (2025, "fires", 1)
    assert limit.after_s == pytest.approx(5 * 11.02, abs=12)
