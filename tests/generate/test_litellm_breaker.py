"""The circuit breaker of LiteLLM: when it opens, which requests probe, what closes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.generate import litellm_breaker as breaker
from forensics.generate.litellm_breaker import CLOSED, HALF_OPEN, OPEN, Breaker
from tests.generate.litellm_requests import LIMITS, NAME, Requests


@pytest.fixture
def requests():
    return Requests()


@pytest.fixture
def opened(requests):
    requests.fail(5)
    assert requests.state == OPEN
    return requests


@given(st.lists(st.sampled_from(["fail", "succeed", "refused"]), max_size=40))
def test_it_opens_if_and_only_if_five_in_a_row_fail(outcomes):
    requests, failures = Requests(), 0
    for outcome in outcomes:
        failures = {"fail": failures + 1, "succeed": 0, "refused": failures}[outcome]
        {"fail": requests.fail, "succeed": requests.succeed, "refused": lambda: requests.fail(counts=False)}[outcome]()
        assert requests.state == (OPEN if failures == 5 else CLOSED)
        if failures == 5:
            return


KINDS = ("begin", "answered", "refused", "client's mistake", "drop", "good", "bad", "wait")


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 30)), max_size=80))
def test_two_requests_never_probe_at_once_and_only_the_probe_decides(steps):
    """Whatever ends when, and however late."""
    requests, under_way, probe, lease_ends = Requests(), ["none"], None, 0.0
    for step, number in steps:
        before, request = requests.state, under_way[number % len(under_way)]
        if step == "wait":
            requests.clock.now += number * 5.0
        elif step == "begin":
            begun = requests.begin()
            under_way += [begun] if begun is not None else []
            if begun is not None and requests.state == HALF_OPEN:
                assert probe is None or requests.clock.now >= lease_ends
                probe, lease_ends = begun, requests.clock.now + LIMITS.lease_s
        elif step in {"good", "bad"}:
            requests.breakers.check(NAME, healthy=step == "good")
            probe = None if requests.state == CLOSED else probe
        else:
            ends = {"answered": requests.breakers.answered, "drop": lambda one, _: requests.breakers.drop(one, also_sent=True)}
            refused = lambda one, name, counts=step == "refused": requests.breakers.refused(one, name, "Timeout", counts=counts)  # noqa: E731
            ends.get(step, refused)(request, NAME)
            assert before == CLOSED or request == probe or requests.state == before
            probe = None if request == probe else probe


# name, what happens after the breaker opened and its cooldown is over, the state then
AFTER_THE_COOLDOWN = [
    ("nothing", lambda r: None, OPEN),
    ("a request probes", lambda r: r.begin(), HALF_OPEN),
    ("the probe succeeds", lambda r: r.succeed(), CLOSED),
    ("the probe fails", lambda r: r.fail(), OPEN),
    ("the probe is the client's mistake", lambda r: r.fail(counts=False), HALF_OPEN),
    ("the probe is cancelled", lambda r: r.breakers.drop(r.begin(), also_sent=True), HALF_OPEN),
]


@pytest.mark.parametrize(("name", "happens", "state"), AFTER_THE_COOLDOWN)
def test_what_a_probe_decides(opened, name, happens, state):
    opened.clock.now += 60
    happens(opened)
    assert opened.state == state, name


def test_until_the_cooldown_is_over_nobody_asks(opened):
    opened.clock.now += 59.9
    assert opened.begin() is None
    opened.clock.now += 0.1
    assert opened.begin() is not None
    assert [opened.begin() for _ in range(8)] == [None] * 8


def test_a_failed_probe_starts_a_new_cooldown_and_is_no_new_opening(opened):
    opened.clock.now += 60
    opened.fail()
    opened.clock.now += 59.9
    assert opened.begin() is None
    one = opened.breakers.all[NAME]
    assert (one.opened, one.probes) == (1, 1)


@pytest.mark.parametrize("ends", ["is cancelled", "is the client's mistake", "is lost"])
def test_a_probe_that_shows_nothing_makes_room_for_the_next(opened, ends):
    opened.clock.now += 60
    probe = opened.begin()
    assert opened.begin() is None
    if ends == "is cancelled":
        opened.breakers.drop(probe, also_sent=True)
    elif ends == "is the client's mistake":
        opened.breakers.refused(probe, NAME, "BadRequestError", counts=False)
    else:
        opened.clock.now += LIMITS.lease_s
    assert opened.begin() is not None


def test_a_probe_whose_stream_goes_on_keeps_its_lease(opened):
    opened.clock.now += 60
    probe = opened.begin()
    for _ in range(5):
        opened.clock.now += LIMITS.lease_s - 1
        opened.breakers.goes_on(probe)
        assert opened.begin() is None
    opened.breakers.ended(probe)
    assert opened.state == CLOSED


@pytest.mark.parametrize("late", ["answered", "refused"])
def test_a_request_of_before_decides_nothing(requests, late):
    slow = requests.begin()
    requests.fail(5)
    requests.clock.now += 60
    assert requests.begin() is not None
    if late == "answered":
        requests.breakers.answered(slow, NAME)
    else:
        requests.breakers.refused(slow, NAME, "Timeout", counts=True)
    assert requests.state == HALF_OPEN
    assert requests.begin() is None


def test_a_stream_that_broke_off_before_the_next_attempt_is_a_failure(requests):
    for number in range(5):
        request = f"s{number}"
        assert requests.breakers.choose(request, [NAME]) == [NAME]
        requests.breakers.sent(request, NAME)
        assert requests.breakers.choose(request, ["ollama"]) == ["ollama"]
        requests.breakers.sent(request, "ollama")
        requests.breakers.ended(request)
    assert (requests.state, requests.breakers.all["ollama"]) == (OPEN, Breaker())


def test_of_several_deployments_only_the_one_to_be_probed_is_chosen(opened):
    opened.clock.now += 60
    assert opened.breakers.choose("a", ["other", NAME]) == [NAME]
    assert opened.breakers.choose("b", ["other", NAME]) == ["other"]
    opened.breakers.choose("a", ["third"])  # the request goes elsewhere: its probe was never sent
    assert opened.breakers.choose("c", ["other", NAME]) == [NAME]


# name, the checks after which requests, the state
CHECKS = [
    ("one bad check", [False], CLOSED),
    ("two bad checks", [False, False], OPEN),
    ("not in a row", [False, True, False], CLOSED),
    ("good again", [False, False, True], CLOSED),
    ("bad for long", [False] * 9, OPEN),
]


@pytest.mark.parametrize(("name", "results", "state"), CHECKS)
def test_two_bad_health_checks_in_a_row_route_away_and_one_good_one_back(requests, name, results, state):
    for result in results:
        requests.breakers.check(NAME, healthy=result)
    assert requests.state == state, name


def test_a_good_check_alone_does_not_close_what_failing_requests_opened(opened):
    """TabbyAPI's /health is 200 also without a model."""
    opened.breakers.check(NAME, healthy=True)
    assert opened.state == OPEN


def test_a_server_that_was_down_is_asked_again_when_its_check_is_good(opened):
    for result in (False, False, True):
        opened.breakers.check(NAME, healthy=result)
    assert opened.state == CLOSED


def test_requests_that_succeed_outweigh_a_check_that_stays_bad(requests):
    """TabbyAPI's /health is 503 until it is restarted once a generation has failed."""
    for _ in range(2):
        requests.breakers.check(NAME, healthy=False)
    requests.clock.now += 60
    requests.succeed()
    for _ in range(5):
        requests.breakers.check(NAME, healthy=False)
    assert requests.state == CLOSED
    for result in (True, False, False):
        requests.breakers.check(NAME, healthy=result)
    assert requests.state == OPEN


def test_what_is_forgotten_does_not_pile_up(requests, monkeypatch):
    monkeypatch.setattr(breaker, "MOST_REQUESTS", 10)
    for _ in range(50):
        requests.begin()
    assert (len(requests.breakers._granted), len(requests.breakers._sent)) == (10, 10)
    other = Requests()
    for _ in range(50):
        other.succeed()
        other.fail(counts=False)
    assert (len(other.breakers._granted), len(other.breakers._sent)) == (0, 0)
