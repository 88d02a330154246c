"""What dead selectors make of a whole rule."""

import pytest

from forensics.rules import ALWAYS, CAN_FIRE, NEVER, PARTLY, HostFacts, Rule, judge_rules

DEAD = "systemd_unit_start_total"  # in no exporter


def outcome(expr, hosts=None):
    (judged,) = judge_rules([Rule(expr=expr.replace("DEAD", DEAD), alert="X")], hosts)
    return judged.outcome


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("DEAD > 5", NEVER),
        ("up == 0", CAN_FIRE),
        ("increase(DEAD[10m]) > 5", NEVER),
        ("sum by (name) (rate(DEAD[5m])) / count(up) > 1", NEVER),
        ("max_over_time(rate(DEAD[5m])[1h:1m]) > 1", NEVER),
        ("-DEAD < 0", NEVER),
        ("DEAD + 1 > 2", NEVER),
        ("DEAD * on (name) up > 1", NEVER),
        ("up == 0 and on (instance) DEAD > 5", NEVER),
        ("DEAD > 5 and up == 0", NEVER),
        ("up == 0 or DEAD > 5", PARTLY),
        ("DEAD > 5 or DEAD < 0", NEVER),
        ("up == 0 unless on (instance) DEAD", PARTLY),
        ("DEAD unless up", NEVER),
        ("absent(DEAD)", ALWAYS),
        ("absent(DEAD) == 1", ALWAYS),
        ("absent(DEAD) > 1", NEVER),
        ("absent_over_time(DEAD[5m]) > 0", ALWAYS),
        ("absent(DEAD) and on () up", PARTLY),
        ("absent(DEAD) or up == 0", ALWAYS),
        ("absent(DEAD) unless up", PARTLY),
        ("absent(DEAD) unless DEAD", ALWAYS),
        ("count(absent(DEAD)) by (job)", ALWAYS),
        ("absent(up)", CAN_FIRE),
        ("absent(DEAD or up)", PARTLY),
        ("DEAD or vector(0)", PARTLY),
        ("scalar(DEAD) > bool 5", PARTLY),
        ("vector(1)", CAN_FIRE),
        ("up == 0 and vector(1)", CAN_FIRE),
        ("time() - DEAD > 60", NEVER),
        ('label_replace(DEAD, "a", "$1", "b", "(.*)") > 1', NEVER),
        ("histogram_quantile(0.9, rate(DEAD[5m])) > 1", NEVER),
        ("topk(3, DEAD) > 1", NEVER),
        ('node_systemd_unit_state{state="crashed"} == 1', NEVER),
        ('node_systemd_unit_state{state="crashed"} == 1 or node_systemd_unit_state{state="failed"} == 1', PARTLY),
        ("holt_winters(DEAD[5m], 0.5, 0.5) > 1", CAN_FIRE),
    ],
)
def test_the_outcome_follows_from_the_expression(expr, expected):
    assert outcome(expr) == expected


def test_what_a_dead_rule_records_is_dead_for_the_rules_that_use_it():
    rules = [
        Rule(expr="c:d > 1", alert="X", file="a.yml", line=1),
        Rule(expr="sum(a:b)", record="c:d", file="a.yml", line=2),
        Rule(expr=f"rate({DEAD}[5m])", record="a:b", file="a.yml", line=3),
        Rule(expr="up", record="e:f", file="a.yml", line=4),
        Rule(expr="e:f > 1", alert="Y", file="a.yml", line=5),
    ]
    judged = judge_rules(rules)
    assert [each.outcome for each in judged] == [NEVER, NEVER, NEVER, CAN_FIRE, CAN_FIRE]
    assert judged[0].verdicts[0].why == "it is recorded by a.yml:2 only, which never gives a result"
    assert judged[4].verdicts[0].why == "recorded by a.yml:4"


def test_one_rule_that_records_it_is_enough():
    rules = [
        Rule(expr="a:b > 1", alert="X"),
        Rule(expr=f"rate({DEAD}[5m])", record="a:b"),
        Rule(expr="up", record="a:b"),
    ]
    assert [each.outcome for each in judge_rules(rules)] == [CAN_FIRE, NEVER, CAN_FIRE]


def test_a_target_that_cannot_be_is_certain_only_with_a_configuration():
    assert outcome('up{job="tabbyapi"} == 0') == CAN_FIRE
    assert outcome('up{job="tabbyapi"} == 0', HostFacts(jobs=frozenset({"node"}), jobs_from="prometheus.yml")) == NEVER
    assert outcome('absent(up{job="tabbyapi"})', HostFacts(jobs=frozenset({"node"}), jobs_from="prometheus.yml")) == ALWAYS
