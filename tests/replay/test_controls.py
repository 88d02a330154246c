"""Polls, probes, gates, routers, pauses, OnFailure= and `watch`: when each acts, and what it does in quiet times."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.model.values import Signature
from forensics.replay import replay, shipped
from forensics.replay.asked import Asked, Probe, UnitFile
from forensics.replay.backoff import Pauses, simulate
from forensics.replay.limiters import StartLimit, start_limit
from forensics.replay.litellm import Router, cooldowns
from forensics.replay.polls import PHASES, Poll, down_reports
from forensics.replay.reel import Prometheus
from forensics.replay.states import ACTIVE, unit_state
from tests.incidents.making import BEGIN, STARTED, Tale
from tests.replay.histories import NOTHING, history, replay_inputs, rows_of

LOOP = {"every": 12.0, "lives": 2.0}


def polled(up, poll: Poll, phase: int, until: float) -> list[float]:
    """Poll one by one, as a poller does."""
    reports, down, time = [], 0, 0.0
    offset = phase * poll.interval_s / PHASES
    for number in range(int(up.times[0] // poll.interval_s) - 1, int(until / poll.interval_s) + 2):
        time = number * poll.interval_s + offset
        if not up.times[0] <= time < until:
            continue
        is_up = up.values[np.searchsorted(up.times, time, side="right") - 1] == 1
        down = 0 if is_up else down + 1
        if down == poll.retries + 1:
            reports.append(time)
    return reports


@given(
    st.lists(st.floats(1, 200), min_size=1, max_size=30), st.floats(0.5, 100), st.sampled_from([10.0, 60.0]), st.integers(0, 4),
    st.integers(0, PHASES - 1),
)  # fmt: skip
def test_reports_are_those_of_a_poller_that_asks_one_by_one(gaps, lives, interval, retries, phase):
    up = unit_state(history(list(np.cumsum(gaps)), lives=lives)).is_one_of(ACTIVE)
    until = float(up.times[-1]) + 1000
    reports = down_reports([up], Poll(interval, retries), until)
    assert np.sort(reports.report[reports.phase == phase]) == pytest.approx(polled(up, Poll(interval, retries), phase, until))


def test_more_retries_report_later_and_less():
    rows = rows_of(Tale().hold(60).wait(60).fail(200, **LOOP).hold(20), asked=replace(NOTHING, polls=tuple(Poll(60, n) for n in (0, 1, 2))))
    firing = [row for row in rows.values() if row.status == "fires"]
    assert [row.after_s for row in firing] == sorted(row.after_s for row in firing)


def test_a_poll_that_always_finds_it_up_says_how_often():
    (row,) = rows_of(Tale().hold(60).fail(10, every=60, lives=58).hold(20), asked=replace(NOTHING, polls=(Poll(60, 5),))).values()
    assert (row.status, row.never_share) == ("never", 1)
    assert "of the polls get `active`" in row.reason


def test_a_probe_waits_until_the_service_would_answer():
    tale = Tale().hold(60).fail(4, every=60, lives=57).fail(4, every=60, lives=42).hold(20)
    quick, slow = (rows_of(tale, asked=replace(NOTHING, probes=(Probe(15, 30, ready),)))["probe:15/30"] for ready in (5.0, 600.0))
    assert (quick.status, slow.status) == ("never", "fires")
    assert 30 <= slow.earliest_s <= slow.latest_s <= 75


def test_a_probe_that_fails_before_the_first_failed_start_was_firing_when_the_incident_began():
    tale = Tale().hold(60).wait(60).fail(10, every=60, lives=50).hold(20)
    row = rows_of(tale, asked=replace(NOTHING, probes=(Probe(15, 30, 600.0),)))["probe:15/30"]
    assert (row.status, row.after_s, row.reason) == ("fires", 0, "it was firing when the incident began")


def test_starts_that_all_fail_at_one_age_have_not_answered():
    row = rows_of(Tale().hold(60).fail(10, every=250, lives=240).hold(20), asked=replace(NOTHING, probes=(Probe(),)))["probe:15/60"]
    assert row.status == "fires"
    assert any("fail while they load" in text for text in row.assumptions)


def test_a_job_answers_no_requests_and_is_not_polled():
    tale = Tale()
    for _ in range(4):
        tale.announces = True
        tale.finish(30)
        tale.lines[-1]["message"], tale.lines[-1]["message_id"] = "Finished app.service.", STARTED
        tale.manager_says("Finished app.service.", STARTED, invocation=tale.attempts[-1]["invocation"]).update(job_type="start")
        tale.wait(3600)
    for _ in range(3):
        tale.fall(lives=30).wait(3600)
    rows = rows_of(tale.wait(3600))
    unasked = {id_ for id_, row in rows.items() if row.status == "cannot-judge"}
    assert {"probe:15/60", "poll:60/0", "litellm:fallback", "rule:SLOFastBurn"} <= unasked


def test_exporters_do_not_show_units_of_a_users_manager():
    rows = rows_of(Tale(manager="user:1000").hold(60).fail(10, **LOOP).hold(20))
    assert (rows["rule:RestartsOften"].status, rows["limit:5/300"].status) == ("never", "fires")
    assert "not of a user's" in rows["rule:RestartsOften"].reason


def test_a_gate_asks_the_catalogue_whether_a_restart_helps():
    tale = Tale().hold(60).wait(60).fail(10, klass="a", **LOOP).hold(20)
    for helps, status in ((False, "fires"), (True, "never"), (None, "never")):
        rows = rows_of(tale, asked=replace(NOTHING, gates=True), signatures={"a": Signature("a", "A", "high", helps)})
        assert rows["gate:futile"].status == status
        assert rows["gate:any"].restarts_avoided == 6


def one_by_one(failing: list[float], router: Router) -> list[float]:
    """Count as LiteLLM does: the counter lives from its first failure as long as a cooldown."""
    trips, window, fails, until = [], -np.inf, 0, -np.inf
    for time in failing:
        if time < until:
            continue
        if time - window >= router.cooldown_s:
            window, fails = time, 0
        fails += 1 + router.num_retries
        if fails > router.allowed_fails:
            trips.append(time)
            until, window = time + router.cooldown_s, -np.inf
    return trips


@given(
    st.lists(st.integers(1, 60), max_size=80), st.builds(Router, st.integers(0, 8), st.sampled_from([5.0, 12.0, 60.0]), st.integers(0, 3))
)
def test_cooldowns_are_counted_as_litellm_counts(gaps, router):
    failing = np.cumsum(gaps).astype(float)
    assert cooldowns(failing, router).tolist() == one_by_one(failing.tolist(), router)


MEASURED = [
    (Router(4, 60.0), np.arange(0, 60, 1.0), 4, "the fifth failure trips"),
    (Router(4, 12.0), np.arange(0, 60, 4.0), None, "fails 4 s apart with a cooldown of 12 s never trip"),
    (Router(3, 5.0, num_retries=2), np.arange(0, 60, 10.0), None, "LiteLLM's defaults never trip at a request every 10 s"),
]


@pytest.mark.parametrize(("router", "failing", "first", "why"), MEASURED, ids=[row[-1] for row in MEASURED])
def test_what_was_measured_of_litellm(router, failing, first, why):
    assert cooldowns(failing, router)[:1].tolist() == ([] if first is None else [first])


PAUSES = [
    (Pauses(10), [10, 10, 10, 10, 10]),
    (Pauses(10, 3, 80), [10, 20, 40, 80, 80]),
    (Pauses(10, 3), [10, 10, 10, 10, 10]),
    (Pauses(100, 3, 80), [100, 100, 100, 100, 100]),
]


@pytest.mark.parametrize(("pauses", "expected"), PAUSES)
def test_pauses_rise_as_systemd_lets_them(pauses, expected):
    assert [pauses.before(number) for number in range(1, 6)] == pytest.approx(expected)


@given(st.integers(2, 60), st.floats(1, 60))
def test_the_recorded_pause_makes_the_recorded_starts(count, every):
    unit = history(list(np.arange(count) * every), lives=every / 3)
    made = simulate(unit, Pauses(unit.pause_s), None, None, float(unit.began[-1]) + 0.01)
    assert made.automatic == pytest.approx(unit.began[1:])


@given(st.integers(2, 60), st.integers(1, 8), st.floats(5, 500))
def test_a_limit_counts_in_a_simulation_as_on_the_record(count, burst, interval):
    unit = history(list(np.arange(count) * 10.0), lives=4.0)
    made = simulate(unit, Pauses(6.0), StartLimit(burst, interval), None, float(unit.began[-1]) + 0.01)
    assert len(made.automatic) == start_limit(unit, StartLimit(burst, interval)).kept[1:].sum()


def test_longer_pauses_leave_fewer_restarts():
    tale = Tale().hold(60).wait(60).fail(200, **LOOP).hold(20)
    files = [UnitFile(str(first), StartLimit(5, 10), None, Pauses(first, 5, 600)) for first in (10, 20, 40)]
    avoided = [rows_of(tale, asked=replace(NOTHING, unit_files=(file,)))["policy:pauses"].restarts_avoided for file in files]
    assert avoided == sorted(avoided)
    assert 0 < avoided[0] < 200


@pytest.mark.parametrize(("version", "status"), [(252, "never"), (257, "fires")])
def test_on_failure_acts_at_each_failure_since_254(version, status):
    tale = Tale()
    tale.manager_says(f"systemd {version}.1 running in system mode (+PAM)", unit=None, manager=None)
    row = rows_of(tale.hold(60).wait(60).fail(20, **LOOP).hold(20), asked=replace(NOTHING, on_failure=True))["policy:OnFailure"]
    assert row.status == status
    assert row.assumptions == ()


def test_on_failure_acts_when_the_restarts_stop():
    tale = Tale()
    tale.manager_says("systemd 252.1 running in system mode (+PAM)", unit=None, manager=None)
    row = rows_of(tale.hold(60).wait(60).fail(5, **LOOP).refuse().wait(3600).hold(20), asked=replace(NOTHING, on_failure=True))
    assert row["policy:OnFailure"].status == "fires"
    assert row["policy:OnFailure"].after_s == pytest.approx(5 * 12 + 3)


def test_watch_alerts_at_the_first_failure_and_at_the_third_restart():
    rows = rows_of(Tale().hold(60).wait(60).fail(20, **LOOP).hold(20), asked=replace(NOTHING, watch=True))
    assert rows["watch:NewFailureSignature"].after_s == pytest.approx(2.5)
    assert rows["watch:RestartLoop"].after_s == pytest.approx(36.5)


def test_watch_alerts_about_a_unit_that_stays_down():
    rows = rows_of(Tale().hold(60).wait(60).fall().wait(3600).hold(20), asked=replace(NOTHING, watch=True))
    assert rows["watch:UnitDown"].after_s == pytest.approx(62)


def test_a_limit_opened_again_by_a_reload_is_an_old_systemds():
    tale = Tale()
    tale.manager_says("systemd 252.1 running in system mode (+PAM)", unit=None, manager=None)
    tale.hold(60).wait(60).fail(5, **LOOP)
    tale.manager_says("Reloading.", unit=None, manager=None)
    tale.fail(4, **LOOP).hold(20)
    (row,) = rows_of(tale, asked=replace(NOTHING, limits=(StartLimit(7, 600),))).values()
    assert row.status == "never"


def test_a_unit_of_a_directory_is_replayed_on_its_own_incidents_only():
    files = tuple(UnitFile(f"/etc/{name}", StartLimit(3, 600), unit=name) for name in ("app.service", "other.service"))
    rows = rows_of(Tale().hold(60).wait(60).fail(20, **LOOP).hold(20), asked=replace(NOTHING, unit_files=files))
    assert list(rows) == ["limit:/etc/app.service"]


def test_an_empty_history_is_replayed_to_nothing():
    assert replay(replay_inputs(Tale().hold(60)), shipped()) == {}


def test_nothing_asked_is_nothing_replayed():
    assert rows_of(Tale().hold(60).fail(20, **LOOP).hold(20), asked=Asked(rules=())) == {}


def test_what_lies_between_two_incidents_counts_once():
    tale = Tale().hold(60)
    for _ in range(3):
        tale.fail(10, **LOOP).hold(200).fail(1).hold(200)
    inputs = replay_inputs(tale.hold(60))
    assert len(inputs.incidents) == 3
    found = replay(inputs, replace(shipped(), policies=("no",), limits=(StartLimit(3, 600),)))
    avoided = [next(row for row in rows if row.id == "policy:no").restarts_avoided for rows in found.values()]
    assert sum(avoided) == 33
    cured = [next(row for row in rows if row.id == "policy:no").firings_outside for rows in found.values()]
    assert sum(cured) == 3
    noise = [next(row for row in rows if row.id == "rule:RestartsAtAll").firings_outside for rows in found.values()]
    assert sum(noise) == 3


def test_incidents_of_two_hosts_are_replayed_by_themselves():
    tales = [Tale(host=host, now=BEGIN + timedelta(hours=n)).hold(60).fail(20, **LOOP).hold(20) for n, host in enumerate(("alpha", "beta"))]
    found = replay(replay_inputs(*tales), replace(shipped(), prometheus=Prometheus(15, 15, 3)))
    first, second = ({row.id: (row.status, row.restarts_avoided) for row in rows} for rows in found.values())
    assert first == second
