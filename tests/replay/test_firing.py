"""Rules that are followed together do what each does alone, in any order, and as a real expression over all steps would."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.promql import parse
from forensics.replay import Asked, replay, scenes_of
from forensics.replay.alert_rules import Engine, Task, _prepared, replay_rule, replay_rules
from forensics.replay.one_by_one import follow_alone
from forensics.replay.reel import Prometheus
from forensics.replay.selection import Cache
from forensics.replay.series import Model
from forensics.replay.template import template_of
from forensics.replay.together import follow_together
from forensics.rules import Rule
from tests.incidents.making import BEGIN, Tale
from tests.replay.histories import replay_inputs, scene_of

EXPRESSIONS = [
    'node_systemd_unit_state{state="failed"} == 1',
    'node_systemd_unit_state{state="active"} == 0',
    "increase(node_systemd_service_restart_total[5m]) > 2",
    "increase(node_systemd_service_restart_total[5m] offset 2m) > 2",
    "increase(systemd_service_restart_total[10m]) > 0",
    "probe_success == 0",
    "avg_over_time(probe_success[10m]) < 0.5",
    "avg_over_time(probe_success[10m]) < 0.5 and avg_over_time(probe_success[1m]) < 0.5",
    'changes(node_systemd_unit_start_time_seconds{name=~".+"}[5m]) > 3',
    "tabby_forensics_unit_loop_active == 1",
    "increase(tabby_forensics_failures_total[5m]) >= 2",
    "-node_systemd_service_restart_total < -2",
    "sum by (name) (increase(node_systemd_service_restart_total[5m])) > 2",
    "max without (instance, job) (probe_success) == 0",
    'node_systemd_unit_state{state="active"} == 0 and on (name) node_systemd_service_restart_total > 1',
]


def engine(version=3, scrape=15.0, evaluation=15.0):
    return Engine(Prometheus(scrape, evaluation, version), Model(since=BEGIN.timestamp()), Cache())


# what a unit does, one after the other: how, how often or how long, a restart every so many seconds
steps = st.tuples(st.sampled_from(["hold", "fail", "fail once", "fall", "refuse"]), st.integers(3, 30), st.floats(3, 90))
plans = st.lists(steps, min_size=1, max_size=4)


def tale_of(plan, unit="app.service") -> Tale:
    tale = Tale(unit).wait(600)
    for step, number, every in plan:
        match step:
            case "hold":
                tale.hold(10 + number)
            case "fail":
                tale.fail(number, every=every)
            case "fail once":
                tale.fail(1, every=every).hold(30)
            case "fall":
                tale.fall().wait(every * 20)
            case "refuse":
                tale.refuse().wait(700 + every * 20)
    return tale.fail(4, every=20).hold(20)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@given(plan=plans, hold=st.sampled_from([0.0, 20.0, 60.0, 300.0]), keep=st.sampled_from([0.0, 120.0]), version=st.sampled_from([2, 3]))
@settings(max_examples=5)
def test_together_is_as_alone(expression, plan, hold, keep, version):
    for scene in scenes_of(replay_inputs(tale_of(plan))):
        watched = _prepared(Task.of_rule(scene, Rule(expr=expression, alert="A", hold_s=hold, keep_firing_s=keep), engine(version)))
        (together,), alone = follow_together([watched], watched.selection.template), follow_alone(watched)
        assert together.raised.fires.tolist() == alone.raised.fires.tolist()
        assert together.raised.resolves.tolist() == alone.raised.resolves.tolist()
        assert together.longest_s() == alone.longest_s()
        after = [np.maximum(each.firsts, scene.start) for each in (together, alone)]
        assert np.array_equal(*after)


@given(st.lists(plans, min_size=2, max_size=4), st.randoms())
@settings(max_examples=5)
def test_the_order_and_the_company_of_rules_change_nothing(of_units, random):
    scenes = scenes_of(replay_inputs(*(tale_of(plan, f"app{number}.service") for number, plan in enumerate(of_units))))
    tasks = [Task.of_rule(scene, Rule(expr=text, alert=text), engine()) for scene in scenes for text in EXPRESSIONS[:6]]
    by_one = [replay_rules([task])[0] for task in tasks]
    order = list(range(len(tasks)))
    random.shuffle(order)
    shuffled = dict(zip(order, replay_rules([tasks[number] for number in order]), strict=True))
    assert [shuffled[number] for number in range(len(tasks))] == by_one


APART = [
    ("increase(node_systemd_service_restart_total[5m]) > 2", True),
    ("sum by (name) (node_systemd_service_restart_total) > 2", True),
    ("sum by (name, instance) (node_systemd_service_restart_total) > 2", True),
    ("sum by (instance) (node_systemd_service_restart_total) > 2", False),
    ("sum without (instance) (node_systemd_service_restart_total) > 2", True),
    ("sum without (name) (node_systemd_service_restart_total) > 2", False),
    ("sum by (name) (tabby_forensics_unit_restarts_total) > 2", False),
    ("sum by (unit) (tabby_forensics_unit_restarts_total) > 2", True),
    ("node_systemd_service_restart_total > on (name) systemd_service_restart_total", True),
    ("node_systemd_service_restart_total > ignoring (name, type) systemd_service_restart_total", False),
    ("absent(node_systemd_unit_state)", False),
    ("time() - node_systemd_unit_start_time_seconds > 60", False),
    ("max_over_time((probe_success == 0)[5m:1m]) > 0", False),
]


@pytest.mark.parametrize(("expression", "is_apart"), APART, ids=[row[0] for row in APART])
def test_what_looks_at_one_unit_only_is_followed_with_others_of_its_form(expression, is_apart):
    assert (template_of(parse(expression)) is not None) == is_apart


def test_one_rule_that_is_not_evaluated_keeps_no_other_from_its_verdict():
    scene = scene_of(Tale().hold(60).wait(60).fail(20, every=12, lives=2).hold(20))
    rules = [Rule(expr=text, alert=text) for text in (EXPRESSIONS[2], "node_systemd_unit_state @ 5 == 0", "probe_success == 0")]
    rows = replay_rules([Task.of_rule(scene, rule, engine()) for rule in rules])
    assert [row.status for row in rows] == ["fires", "cannot-judge", "fires"]
    assert "@ modifier" in rows[1].reason


def test_an_interval_of_a_millisecond_is_refused():
    scene = scene_of(Tale().hold(60).wait(60).fail(20, every=12, lives=2).hold(20))
    row = replay_rule(scene, Rule(expr="probe_success == 0", alert="A", interval_s=0.001), engine())
    assert (row.status, "less than 1 s" in row.reason) == ("cannot-judge", True)


def test_a_rule_on_several_units_is_evaluated_with_those_in_trouble():
    tales = [Tale(f"app{number}.service").hold(60).wait(60).fail(20, every=12, lives=2).hold(20) for number in range(3)]
    rule = Rule(expr="sum(increase(node_systemd_service_restart_total[5m])) > 8", alert="Several")
    inputs = replay_inputs(*tales)
    for rows in replay(inputs, Asked(rules=(rule,))).values():
        assert rows[0].status == "fires"
    alone = replay_rule(scenes_of(inputs)[0], rule, engine())
    assert alone.after_s is None or alone.after_s > rows[0].after_s


def test_a_rule_fires_first_at_the_first_evaluation_after_a_scrape_shows_it():
    scene = scene_of(Tale().hold(60).wait(60).fail(20, every=12, lives=2).hold(20))
    row = replay_rule(scene, Rule(expr="increase(node_systemd_service_restart_total[5m]) > 0", alert="A"), engine())
    assert row.status == "fires"
    assert 12 <= row.earliest_s <= 12 + 15
    assert row.latest_s <= 12 + 30
    assert row.earliest_s <= row.after_s <= row.latest_s


def test_a_longer_interval_of_scrapes_fires_later():
    scene = scene_of(Tale().hold(60).wait(60).fail(60, every=12, lives=2).hold(20))
    rule = Rule(expr="probe_success == 0", alert="A", hold_s=60)
    rows = [replay_rule(scene, rule, engine(scrape=seconds, evaluation=seconds)) for seconds in (5.0, 15.0, 60.0)]
    assert [row.latest_s for row in rows] == sorted(row.latest_s for row in rows)


def test_an_interval_of_a_group_is_that_of_its_rules():
    scene = scene_of(Tale().hold(60).wait(60).fail(60, every=12, lives=2).hold(20))
    row = replay_rule(scene, Rule(expr="probe_success == 0", alert="A", interval_s=300), engine())
    assert row.latest_s - row.earliest_s > 60


def test_a_rule_that_fires_already_shows_nothing_new():
    scene = scene_of(Tale().hold(300).wait(60).fail(20).hold(20))
    row = replay_rule(scene, Rule(expr="probe_success >= 0", alert="A"), engine())
    assert row.status == "never"
    assert "firing already" in row.reason


def test_while_the_host_is_off_nothing_fires():
    tale = Tale().hold(60).wait(60).fail(3, every=12, lives=2).reboot(3600).fail(60, every=12, lives=2).hold(20)
    scene = scene_of(tale)
    ((off, on),) = scene.machine.off
    row = replay_rule(scene, Rule(expr="probe_success == 0", alert="A", hold_s=300), engine())
    assert not off < row.fires_at.timestamp() < on
    assert any("on the same host" in text for text in row.assumptions)


REFUSED = [
    ("topk(3, up)", "cannot-judge", "topk()"),
    ("increase(", "cannot-judge", "not PromQL"),
    ("node_load1 > 5", "cannot-judge", "the journal does not show node_load1"),
    ('up{job="nowhere"} == 0', "cannot-judge", 'job="nowhere"'),
    ('absent(up{job="nowhere"})', "cannot-judge", 'job="nowhere"'),
    ('absent(node_systemd_unit_state{name="other.service"})', "cannot-judge", "absent cannot be known"),
    ('node_systemd_unit_state{name="other.service", state="failed"} == 1', "never", "selects other units"),
    ('node_systemd_unit_state{state="broken"} == 1', "never", "no series has"),
    ('node_systemd_unit_state{cluster="eu", state="failed"} == 1', "cannot-judge", "the label of cluster"),
    ('{__name__=~"node_.*"} > 3', "cannot-judge", "something else than one metric name"),
    ("vector(1)", "cannot-judge", "selects no series"),
    ("systemd_unit_start_total > 5", "dead", "systemd_service_restart_total"),
    ('up{job="node"} == 0', "never", "nearest value 1, needs == 0"),
    ("increase(node_systemd_service_restart_total[5m]) > 500", "never", "highest value"),
    ("avg_over_time(probe_success[5m]) < -1", "never", "lowest value"),
]


@pytest.mark.parametrize(("expression", "status", "reason"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_does_not_fire_has_its_reason(expression, status, reason):
    scene = scene_of(Tale().hold(60).wait(60).fail(20, every=12, lives=2).hold(20))
    row = replay_rule(scene, Rule(expr=expression, alert="A"), engine())
    assert row.status == status
    assert reason in row.reason


def test_a_job_may_be_called_as_the_user_calls_it():
    scene = scene_of(Tale().hold(60).wait(60).fail(20, every=12, lives=2).hold(20))
    row = replay_rule(scene, Rule(expr='increase(node_systemd_service_restart_total{job="kubelet-ish"}[5m]) > 2', alert="A"), engine())
    assert row.status == "fires"
    assert "job=kubelet-ish is a target of node" in row.assumptions


def test_a_rule_on_a_recorded_series_is_replayed_on_what_is_recorded():
    scene = scene_of(Tale().hold(60).wait(60).fail(20, every=12, lives=2).hold(20))
    records = {"unit:restarts:increase5m": "increase(node_systemd_service_restart_total[5m])"}
    of_records = Engine(Prometheus(), Model(since=BEGIN.timestamp()), Cache(records))
    recorded = replay_rule(scene, Rule(expr="unit:restarts:increase5m > 2", alert="A"), of_records)
    direct = replay_rule(scene, Rule(expr="increase(node_systemd_service_restart_total[5m]) > 2", alert="A"), engine())
    assert (recorded.status, recorded.after_s) == (direct.status, direct.after_s)
