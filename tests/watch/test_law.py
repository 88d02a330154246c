"""The law of the two: what `watch` opens and resolves over a stream is what `report` finds over the same entries."""

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, given, settings

from tests.watch.both import LINES, first_finishes, lasting, lasting_incidents, report_of, table_of, us, watch_over

CLASS = st.sampled_from(sorted(LINES))
ENDS = ("held", "reset", "hold", "")  # how a gate is closed: the unit held, a person tried, a person leaves it stopped, not at all
STEPS = st.one_of(
    st.tuples(st.just("fail"), st.integers(1, 5), CLASS, st.sampled_from([2.0, 12.0, 100.0, 140.0, 160.0, 400.0])),
    st.tuples(st.just("hold"), st.sampled_from([30.0, 599.0, 601.0, 1500.0]), st.sampled_from(["fail", "stop"])),
    st.tuples(st.just("stop"), st.sampled_from([1.0, 290.0, 310.0, 2000.0])),
    st.tuples(st.just("finish"), st.sampled_from([5.0, 700.0])),
    st.tuples(st.just("down"), CLASS, st.sampled_from([100.0, 700.0])),
    st.just(("skip",)),
    st.tuples(st.just("gate"), st.integers(2, 4), CLASS, st.sampled_from([0.9, 4.0]), st.integers(0, 1), st.sampled_from(ENDS)),
)


@settings(max_examples=20, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # stories are short, and shrinking takes minutes
@given(st.lists(st.lists(STEPS, min_size=1, max_size=5), min_size=1, max_size=3))
def test_watch_opens_and_resolves_what_report_finds(stories):
    agree(stories)


GATED = [  # what happens before, the gate's step, what happens after; reason
    ([], ("gate", 3, "library", 0.05, 0, "held"), [], "it opens at once"),
    ([], ("gate", 3, "library", 25.0, 3, "held"), [], "naming the failure takes long, and tries fail"),
    ([], ("gate", 5, "unknown", 4.0, 2, "reset"), [("fail", 2, "unknown", 12.0)], "it is a loop before and after"),
    ([("hold", 1500.0, "fail")], ("gate", 1, "library", 4.0, 1, "hold"), [("hold", 1500.0, "stop")], "a person leaves it stopped"),
    ([("stop", 2000.0)], ("gate", 3, "library", 4.0, 0, ""), [("stop", 310.0)], "a stop while it is open"),
    ([("down", "library", 700.0)], ("gate", 2, "library", 0.9, 2, ""), [], "it goes on to the end of the data"),
    (
        [("gate", 3, "unknown", 4.0, 0, "")],
        ("gate", 3, "unknown", 4.0, 0, ""),
        [("hold", 30.0, "fail")],
        "it is removed: restarts go on",
    ),
    ([("finish", 5.0)], ("gate", 3, "library", 4.0, 1, "held"), [("finish", 5.0)], "the unit is a job"),
]


@pytest.mark.parametrize(("before", "gate", "after", "reason"), GATED, ids=[case[-1] for case in GATED])
def test_they_agree_about_gates(before, gate, after, reason):
    agree([[*before, gate, *after]])


def agree(stories):
    table = table_of(stories)
    incidents, alerts = report_of(table), list(watch_over(table))
    finishes = first_finishes(table)
    loops, jobs = lasting(alerts, "RestartLoop"), lasting(alerts, "JobFailing")
    assert loops == lasting_incidents(incidents, "restart-loop")
    # a job that is restarted fails twice before it loops, and has two alerts
    known = {
        key: end
        for key, end in lasting_incidents(incidents, "failing-job").items()
        if end != finishes.get(key[:2])  # it was not known to be a job until it finished, and nothing fails then
    }
    assert {key: end for key, end in jobs.items() if loops.get(key, "no loop") != end} == known
    breakers = lasting(alerts, "BreakerOpened")
    for one in incidents:
        start, end = us(one.start.timestamp()), one.end and us(one.end.timestamp())
        within = {
            key[3]: ended for key, ended in breakers.items() if key[:2] == (one.host, one.unit) and start <= key[3] <= (end or key[3])
        }
        assert (one.gate is not None) == bool(within)
        if one.gate is not None:
            assert min(within) == us(one.gate.opened.timestamp())
            assert (None in within.values()) == (one.gate.closed is None and one.ongoing)
    failures = lasting(alerts, "NewFailureSignature")
    for one in incidents:
        start, end = us(one.start.timestamp()), one.end and us(one.end.timestamp())
        if one.kind == "recurring":  # each of its failures was over before the next
            continue
        for failed in one.classes:
            ends = [
                ended
                for (host, unit, signature, begun), ended in failures.items()
                if (host, unit, signature) == (one.host, one.unit, failed.signature) and begun >= start and (end is None or begun <= end)
            ]
            assert ends == [end], (one.unit, failed.signature)
