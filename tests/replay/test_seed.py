"""The table of controls for the seed month comes out row by row: first fires in seconds, counts exact."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from forensics.cli.parse import pattern_folders
from forensics.history_replay import for_replay
from forensics.pipeline import Investigation, investigate
from forensics.query import Query, Sources
from forensics.replay import replay, shipped
from forensics.replay.limiters import StartLimit
from forensics.replay.reel import Prometheus

pytestmark = pytest.mark.slow

HOUR = 3600.0
LIMITS = [(5, 10), (5, 50), (5, 55), (5, 58), (5, 60), (5, 62), (5, 65), (5, 120), (5, 300), (10, 600), (3, 3600)]


@pytest.fixture(scope="module")
def month(seed, tmp_path_factory) -> Investigation:
    source = Sources((seed / "journal",)) if (seed / "journal").is_dir() else Sources(files=(seed / "seed.export",))
    query = Query(
        source, tmp_path_factory.mktemp("store"), datetime(2026, 1, 1, tzinfo=UTC),
        since=datetime(2025, 11, 18, tzinfo=UTC), until=datetime(2025, 12, 18, tzinfo=UTC), pattern_folders=pattern_folders(None),
    )  # fmt: skip
    return investigate(query)


def replayed(month, version=3):
    limits = tuple(StartLimit(burst, interval) for burst, interval in LIMITS)
    asked = replace(shipped(), limits=limits, stacked=(StartLimit(5, 300), StartLimit(5, 60)), prometheus=Prometheus(version=version))
    (rows,) = replay(for_replay(month), asked).values()
    return {row.id: row for row in rows}


@pytest.fixture(scope="module")
def rows(month):
    return replayed(month)


@pytest.fixture(scope="module")
def rows_of_prometheus_2(month):
    return replayed(month, version=2)


# id, first fire in the middle phase, range over the phases with Prometheus 2, firings outside of the incident
FIRES = [
    ("rule:RestartsAtAll", 30, (15, 37.5), 43),
    ("rule:RestartsOften", 45, (30, 52.5), 0),
    ("probe:15/60", 75, (60, 82.5), 7),
    ("rule:BlackboxProbeFailed", 75, (60, 82.5), 7),
    ("probe:15/300", 315, (300, 322.5), 0),
    ("rule:UnitRestartsOften", 75, (71.25, 90), 0),
    ("rule:SLOFastBurn", 60, (45, 67.5), 34),
    ("rule:SLOSlowBurn", 135, (120, 142.5), 0),
    ("rule:SystemdServiceCrashLooping", 375, (371.25, 390), 0),
    ("rule:NodeSystemdServiceCrashlooping", 945, (930, 952.5), 0),
    ("rule:UnitHalfActive", 405, (382.5, 442.5), 0),
    ("rule:ProbeHalfFails", 315, (300, 322.5), 0),
    ("stack:5/300+NodeSystemdServiceFailed", 375, (371.25, 390), 0),
]


@pytest.mark.parametrize(("id_", "after", "phases", "outside"), FIRES, ids=[row[0] for row in FIRES])
def test_a_rule_fires_when_a_real_prometheus_fired(rows, rows_of_prometheus_2, id_, after, phases, outside):
    for row in (rows[id_], rows_of_prometheus_2[id_]):
        assert (row.status, row.after_s, row.firings_outside) == ("fires", after, outside)
        assert row.earliest_s <= after <= row.latest_s
        assert row.never_share == 0
        assert row.delivered_after_s == after + 30
    of_two = rows_of_prometheus_2[id_]
    assert (of_two.earliest_s, of_two.latest_s) == pytest.approx(phases, abs=4)  # a scrape phase more or less: 3.75 s


@pytest.mark.parametrize("id_", ["rule:UnitNotActive", "rule:UnitActivating"])
def test_a_state_rule_aliases_with_the_cycle(rows, id_):
    row = rows[id_]
    assert row.after_s == 13_320  # 3.7 h in one phase
    assert row.latest_s > 4.7 * HOUR  # in 12 of 16 not within 4.7 h
    assert row.firings_outside == 0


NEVER = [
    ("rule:NodeSystemdServiceFailed", "`failed` at 0 of 23,608 scrapes; the incident shows `active` and `activating`"),
    ("rule:HostSystemdServiceCrashed", "`failed` at 0 of"),
    ("rule:SystemdUnitFailed", "`failed` at 0 of"),
    ("rule:SystemdUnitInactive", "`inactive` at 0 of"),
    ("rule:PrometheusTargetMissing", "true at 0 of"),
    ("rule:TabbyAPIDown", "no target can have job='tabbyapi'"),
]


@pytest.mark.parametrize(("id_", "reason"), NEVER, ids=[row[0] for row in NEVER])
def test_a_rule_that_never_fires_says_how_near_it_came(rows, id_, reason):
    assert rows[id_].status == "never"
    assert reason in rows[id_].reason
    assert rows[id_].firings_outside == 0


def test_the_rule_on_a_metric_of_no_exporter_is_dead(rows):
    row = rows["rule:TabbyAPIRestartLoop"]
    assert row.status == "dead"
    assert "systemd_unit_start_total" in row.reason
    assert "systemd_service_restart_total" in row.reason


@pytest.mark.parametrize("id_", ["rule:PrometheusJobMissing", "rule:PrometheusAlertmanagerJobMissing", "rule:PrometheusTooManyRestarts"])
def test_what_the_journal_does_not_show_is_not_judged(rows, id_):
    assert rows[id_].status == "cannot-judge"
    assert rows[id_].reason


# limit, first refusal in seconds, refusals, restarts avoided
LIMITED = [
    ((5, 10), None, 0, 0),
    ((5, 50), None, 0, 0),
    ((5, 55), 9076, 1, 7410),
    ((5, 58), 9076, 1, 7410),
    ((5, 60), 9076, 1, 7410),
    ((5, 62), 9076, 1, 7410),
    ((5, 65), 65, 2, 8105),
    ((5, 120), 65, 2, 8105),
    ((5, 300), 65, 4, 13_920),
    ((10, 600), 129, 4, 13_900),
    ((3, 3600), 39, 4, 13_928),
]


@pytest.mark.parametrize(("limit", "after", "refusals", "avoided"), LIMITED)
def test_a_start_limit_spares_restarts_and_refuses_nothing_in_quiet_times(rows, limit, after, refusals, avoided):
    row = rows[f"limit:{limit[0]}/{limit[1]}"]
    assert (row.refusals, row.restarts_avoided, row.refusals_outside) == (refusals, avoided, 0)
    assert row.status == ("never" if after is None else "fires")
    assert row.after_s == (None if after is None else pytest.approx(after, abs=0.6))


@pytest.mark.parametrize("policy", ["no", "on-abort", "on-abnormal"])
def test_a_policy_that_restarts_nothing_misses_what_a_restart_cured(rows, policy):
    row = rows[f"policy:{policy}"]
    assert (row.restarts_avoided, row.firings_outside) == (13_979, 43)
    assert row.after_s == pytest.approx(2.9, abs=0.1)
    assert row.reason == "down after 43 single failures that a restart cured"


@pytest.mark.parametrize(("id_", "after", "avoided"), [("breaker", 26, 13_837), ("futile", 26, 13_837), ("any", 52, 13_835)])
def test_a_gate_opens_once_and_tries_a_start_now_and_then(rows, id_, after, avoided):
    row = rows[f"gate:{id_}"]
    assert (row.restarts_avoided, row.firings_outside) == (avoided, 0)
    assert row.earliest_s == pytest.approx(after, abs=0.2)
    assert row.latest_s == pytest.approx(after + 2.8, abs=0.1)
    assert "then tries 97 starts" in row.reason  # 98 h and 22 min, one an hour


@pytest.mark.parametrize(
    ("id_", "after", "phases", "outside"), [("poll:60/0", 40, (5, 100), 7), ("poll:60/2", 458, (145, 1160), 0)], ids=["at-once", "retries"]
)
def test_a_poll_of_the_state_is_late_and_noisy(rows, id_, after, phases, outside):
    row = rows[id_]
    assert row.after_s == pytest.approx(after, abs=1)
    assert (row.earliest_s, row.latest_s) == pytest.approx(phases, abs=1)
    assert row.firings_outside == outside
    assert "60.1 % of the polls get `active`" in row.reason


def test_the_stack_of_a_limit_and_a_rule_spares_what_the_limit_spares(rows):
    assert rows["stack:5/300+NodeSystemdServiceFailed"].restarts_avoided == 13_920
    stack = rows["stack:5/60+NodeSystemdServiceFailed"]
    assert (stack.after_s, stack.restarts_avoided) == (9390, 7410)  # refused after 9,076 s, until then it waits


def test_watch_decides_by_policy(rows):
    assert rows["watch:NewFailureSignature"].after_s == pytest.approx(3.4, abs=0.1)
    loop = rows["watch:RestartLoop"]
    assert loop.after_s == pytest.approx(39.4, abs=0.1)
    assert loop.firings_outside == 0


def test_the_first_to_fire_is_first_and_the_others_follow(rows):
    order = list(rows.values())
    firing = [row.after_s for row in order if row.status == "fires"]
    assert firing == sorted(firing)
    statuses = [row.status for row in order]
    assert statuses == sorted(statuses, key=["fires", "never", "dead", "cannot-judge"].index)
    assert all(row.reason for row in order if row.status != "fires")
