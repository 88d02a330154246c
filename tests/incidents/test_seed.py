"""The seed incident's table to the unit."""

from datetime import UTC, datetime, timedelta

import pytest

from forensics.incidents import analyse
from forensics.model.values import Window
from tests.incidents.making import Tale, inputs_of, seed

MONTH = Window(datetime(2025, 11, 18, tzinfo=UTC), datetime(2025, 12, 18, tzinfo=UTC))


@pytest.fixture(scope="module")
def story():
    return seed(background=100_000)


@pytest.fixture(scope="module")
def analysis(story):
    return analyse(story, MONTH)


def test_every_restart_has_its_place(analysis):
    sums = analysis.restarts
    assert (sums.total, sums.in_incidents, sums.background, sums.lost) == (13_979, 13_936, 43, 0)
    assert {c.signature: c.restarts for c in analysis.classes} == {
        "torch.abi-mismatch": 7000,
        "cuda.out-of-memory": 3539,
        "port.in-use": 1757,
        "other": 979,
        "loader.libstdcxx": 700,
        "cuda.kernel": 4,
    }
    assert all(check.holds for check in analysis.ledger)


def test_one_incident_has_four_phases(analysis):
    (incident,) = analysis.incidents
    assert [p.restarts for p in incident.phases] == [700, 7413, 4082, 1741]
    assert [dict(p.classes) for p in incident.phases] == [
        {"loader.libstdcxx": 700},
        {"torch.abi-mismatch": 7000, "other": 413},
        {"cuda.out-of-memory": 1896, "port.in-use": 1657, "other": 525, "cuda.kernel": 4},
        {"cuda.out-of-memory": 1600, "port.in-use": 100, "other": 41},
    ]
    assert [p.cadence_s for p in incident.phases] == pytest.approx([12.9, 11.64, 42.3, 49.35], abs=0.01)


def test_it_says_when_why_and_for_how_long(analysis):
    (incident,) = analysis.incidents
    assert (incident.start, incident.recovery) == (datetime(2025, 12, 7, 21, 30, tzinfo=UTC), datetime(2025, 12, 11, 23, 52, tzinfo=UTC))
    assert incident.downtime_s == timedelta(hours=98, minutes=22).total_seconds()
    assert incident.availability == pytest.approx(0.8634, abs=1e-4)
    assert incident.trigger_text.endswith(", 40 s before the first failure")
    assert incident.exact
    assert [f.outcome for f in incident.fix_attempts] == ["changed-class", "changed-class", "held"]
    assert incident.verdict == (
        "tabbyapi was down 4 d 2 h (13,936 restarts) after a NixOS switch at 21:29; nobody was alerted; "
        "it ended when it was started by hand."
    )


def test_each_of_many_loops_is_an_incident():
    tale = Tale()
    for _ in range(40):
        tale.fail(5).hold(15)
    assert len(analyse(inputs_of(tale), Window(None, None)).incidents) == 40
