"""What holds for every story: nothing is counted twice or lost, phases cover, and the company a unit keeps changes nothing."""

from dataclasses import replace
from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given, settings

from forensics.incidents import Analysis, analyse
from forensics.model.values import Incident, Window
from tests.incidents.making import Tale, inputs_of

OPEN = Window(None, None)
CLASSES = st.sampled_from(["a", "b", "c"])

STEPS = st.one_of(
    st.tuples(st.just("fail"), st.integers(1, 40), CLASSES, st.sampled_from([1.0, 12.0, 45.0, 200.0, 400.0])),
    st.tuples(st.just("hold"), st.sampled_from([0.2, 5, 15, 60]), st.sampled_from(["stopped", "failed", "cut", "clean"])),
    st.tuples(st.just("lose"), st.integers(1, 50)),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 60.0, 4000.0])),
    st.sampled_from([("fall",), ("refuse",), ("stop",), ("stopped",), ("finish",), ("reboot",), ("sudo",), ("back",)]),
)


def told(steps, unit="app.service", host="alpha") -> Tale:
    tale = Tale(unit, host)
    for step, *said in steps:
        match step:
            case "fail":
                tale.fail(said[0], said[1], every=said[2])
            case "hold":
                tale.hold(said[0], then=said[1], klass="a")
            case "lose" | "wait":
                getattr(tale, step)(*said)
            case "sudo":
                tale.host_says("sudo", f"luna : PWD=/ ; USER=root ; COMMAND=/bin/systemctl restart {unit}").automatic = False
            case "back":  # the wall clock is set back two hours
                tale.now, tale.booted = (t.__class__.fromtimestamp(t.timestamp() - 7200, t.tzinfo) for t in (tale.now, tale.booted))
            case _:
                getattr(tale, step)()
    return tale


def check(analysis: Analysis) -> None:
    assert [c for c in analysis.ledger if not c.holds] == []
    assert sum(c.restarts for c in analysis.classes) == analysis.restarts.total
    assert sum(i.restarts for i in analysis.incidents) + analysis.restarts.background == analysis.restarts.total
    for incident in analysis.incidents:
        well_told(incident)


def well_told(incident: Incident) -> None:
    phases = incident.phases
    assert phases[0].start == incident.start
    assert incident.end is None or phases[-1].end == incident.end
    assert all(a.end == b.start for a, b in pairwise(phases))
    assert all(p.start <= p.end for p in phases)
    assert sum(p.restarts for p in phases) == incident.restarts == sum(c.restarts for c in incident.classes)
    assert sum(b.restarts for b in incident.bins) == incident.restarts
    assert incident.ongoing == (incident.end is None)
    assert incident.recovery is None or incident.recovery == incident.end
    assert incident.downtime_s >= 0
    assert incident.verdict.endswith(".")


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=10))
def test_every_restart_is_in_one_place_and_phases_cover_their_incident(steps):
    check(analyse(inputs_of(told(steps)), OPEN))


@settings(max_examples=15)
@given(st.lists(st.lists(STEPS, max_size=5), min_size=2, max_size=4), st.randoms())
def test_the_order_and_company_of_units_and_hosts_change_nothing(stories, random):
    reboots = any(step[0] == "reboot" for steps in stories[:2] for step in steps)  # of one host alone: no host is in two boots at once
    second = "delta" if reboots else "alpha"
    places = [("app.service", "alpha"), ("web.service", second), ("app.service", "beta"), ("db.service", "gamma")]

    def tales():
        return [told(steps, *place) for steps, place in zip(stories, places, strict=False)]

    mixed = tales()
    random.shuffle(mixed)
    one, two = (analyse(inputs_of(*order), OPEN) for order in (tales(), mixed))
    assert list(map(unplaced, one.incidents)) == list(map(unplaced, two.incidents))
    assert one.restarts == two.restarts
    check(one)


def unplaced(incident: Incident) -> Incident:
    """Without evidence: its offsets are the places in the whole data."""

    def bare(changes):
        return tuple(replace(c, evidence=None) for c in changes)

    return replace(
        incident,
        trigger=None,
        changes=bare(incident.changes),
        fix_attempts=bare(incident.fix_attempts),
        classes=tuple(replace(c, sample=None) for c in incident.classes),
        detection=replace(incident.detection, evidence={}),
    )


@settings(max_examples=10)
@given(st.lists(STEPS, max_size=8))
def test_the_same_story_gives_the_same_words(steps):
    first, second = (analyse(inputs_of(told(steps)), OPEN) for _ in range(2))
    assert first.classed_restarts.equals(second.classed_restarts)
    assert first == replace(second, classed_restarts=first.classed_restarts)
