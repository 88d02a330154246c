"""A real LiteLLM proxy with the generated files: when its servers are asked, who answers the clients, and who is alerted."""

import os
import threading
import time

import pytest

from tests.http_recorder import Recorder
from tests.litellm.backends import Backend
from tests.litellm.proxy import COOLDOWN_S, PRIMARY, Proxy, change, generate, running_proxy
from tests.servers import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("TABBY_TEST_LITELLM" not in os.environ, reason="needs the LiteLLM proxy, 740 MB: make check-litellm"),
]
NAMES = (PRIMARY, "ollama-gpu", "ollama-cpu")


@pytest.fixture(scope="module")
def chain():
    backends = [Backend(name) for name in NAMES]
    yield backends
    for backend in backends:
        backend.stop()


@pytest.fixture(scope="module")
def sinks():
    with Recorder() as alertmanager, Recorder() as webhook:
        yield alertmanager, webhook


@pytest.fixture(scope="module")
def started(chain, sinks, tmp_path_factory):
    """The proxy, without health checks."""
    alertmanager, webhook = sinks
    to = ["--sink", f"alertmanager:{alertmanager.url}", "--sink", f"webhook:{webhook.url}/hook"]
    folder = generate(tmp_path_factory.mktemp("proxy"), chain, *to)
    change(folder, check_every_s=3600)
    with running_proxy(folder) as proxy:
        yield proxy


@pytest.fixture
def proxy(started, chain):
    """The proxy with all breakers closed, and servers that answer."""
    close_all(started, chain)
    return started


@pytest.fixture
def primary(proxy, chain):
    return chain[0]


def close_all(proxy, chain):
    for backend in chain:
        backend.set("ok")

    def closed():
        for backend in chain:
            proxy.ask(model=backend.name)
        return {proxy.state(backend.name) for backend in chain} == {"closed"}

    wait_for(closed, 4 * COOLDOWN_S)
    for backend in chain:
        backend.set("ok")


def opened(proxy, backend):
    """Make a server fail until its breaker opens, and forget how often it was asked."""
    backend.set("500")
    for _ in range(5):
        proxy.ask(model=backend.name)
    assert proxy.state(backend.name) == "open"
    backend.set("500")


def test_a_failing_primary_is_asked_five_times_and_no_client_notices(proxy, primary):
    primary.set("500")
    assert [(answer.status, answer.by) for answer in (proxy.ask() for _ in range(12))] == [(200, "ollama-gpu")] * 12
    assert (primary.hits, proxy.state()) == (5, "open")


def test_the_breakers_of_the_fallbacks_stay_closed(proxy, chain):
    opened(proxy, chain[0])
    for _ in range(8):
        proxy.ask()
    assert {proxy.state(name) for name in NAMES[1:]} == {"closed"}
    assert chain[1].hits == 13


@pytest.mark.parametrize(("mode", "state"), [("500", "open"), ("slow", "closed"), ("hang", "open")])
def test_exactly_one_request_probes(proxy, primary, mode, state):
    opened(proxy, primary)
    time.sleep(COOLDOWN_S)
    primary.set(mode)
    answers = proxy.ask_at_once(8)
    assert [answer.status for answer in answers] == [200] * 8
    assert [answer.by for answer in answers].count(PRIMARY) == (mode == "slow")
    assert (primary.hits, proxy.state()) == (1, state)


def test_failures_count_in_a_row_only(proxy, primary):
    for mode, count in (("500", 4), ("ok", 1), ("500", 4)):
        primary.set(mode)
        for _ in range(count):
            proxy.ask()
    assert proxy.state() == "closed"
    proxy.ask()
    assert proxy.state() == "open"


# mode, streamed, who answers, what becomes of the breaker
ATTEMPTS = [
    ("429", False, "ollama-gpu", "open", "too busy"),
    ("401", False, "ollama-gpu", "open", "the proxy's own key is wrong: nobody would notice"),
    ("404", False, "ollama-gpu", "open", "the model is not there"),
    ("503", True, "ollama-gpu", "open", "no model is loaded"),
    ("hang", False, "ollama-gpu", "open", "the time-out"),
    ("first-error", True, "ollama-gpu", "open", "a stream without a word: LiteLLM asks the next"),
    ("late-error", True, PRIMARY, "open", "a stream that names an error"),
    ("late-cut", True, PRIMARY, "open", "a stream whose connection breaks"),
    ("late-hang", True, PRIMARY, "open", "a stream that pauses for too long"),
    ("ok", True, PRIMARY, "closed", "a stream that ends"),
    ("400", False, "ollama-gpu", "closed", "a bad request, or a context that is too long"),
    ("400", True, "ollama-gpu", "closed", "the same, streamed"),
    ("422", False, "ollama-gpu", "closed", "a request that makes no sense"),
]


@pytest.mark.parametrize(("mode", "streamed", "by", "state", "why"), ATTEMPTS)
def test_what_counts_as_a_failure(proxy, primary, mode, streamed, by, state, why):
    primary.set(mode)
    answers = [proxy.ask(stream=streamed) for _ in range(5)]
    assert {answer.by for answer in answers} == {by}, why
    assert (primary.hits, proxy.state()) == (5, state), why


MESSAGES = [{"role": "user", "content": "x"}]
# what a client may ask, and with what; whether failures of it count
ENDPOINTS = [
    ("/v1/chat/completions", {"messages": MESSAGES}, True),
    ("/v1/completions", {"prompt": "x"}, True),
    ("/v1/messages", {"messages": MESSAGES, "max_tokens": 5}, True),
    ("/v1/responses", {"input": "x"}, True),
    ("/v1/embeddings", {"input": "x"}, False),  # TabbyAPI answers 503 where no embedding model is loaded
]


@pytest.mark.parametrize(("path", "body", "counts"), ENDPOINTS)
@pytest.mark.parametrize("streamed", [False, True])
def test_failures_count_at_every_endpoint_that_asks_the_model(proxy, primary, path, body, counts, streamed):
    primary.set("503")
    for _ in range(6):
        proxy.post(path, {"model": PRIMARY, **body, **({"stream": True} if streamed and counts else {})})
    assert proxy.state() == ("open" if counts else "closed")
    assert primary.hits == 5 if counts else primary.hits >= 6  # LiteLLM itself asks for embeddings three times


@pytest.mark.parametrize("streamed", [False, True])
def test_a_probe_that_is_the_clients_mistake_makes_room_for_the_next(proxy, primary, streamed):
    opened(proxy, primary)
    time.sleep(COOLDOWN_S)
    primary.set("400")
    proxy.ask(stream=streamed)
    assert (primary.hits, proxy.state()) == (1, "half-open")
    primary.set("ok")
    assert proxy.ask(stream=streamed).by == PRIMARY
    assert proxy.state() == "closed"


def test_a_client_that_hangs_up_makes_room_for_the_next_probe(proxy, primary):
    opened(proxy, primary)
    time.sleep(COOLDOWN_S)
    primary.set("slow")
    assert proxy.ask(stream=True, hang_up_after_s=0.5).status == 0
    wait_for(lambda: proxy.state() == "half-open", 5)
    primary.set("ok")
    wait_for(lambda: proxy.ask(stream=True).by == PRIMARY, 10)
    assert proxy.state() == "closed"


def test_a_dead_primary_counts(proxy, primary):
    primary.stop()
    try:
        assert [answer.by for answer in (proxy.ask() for _ in range(6))] == ["ollama-gpu"] * 6
        assert proxy.state() == "open"
    finally:
        primary.start(primary.port)


def test_where_all_fail_the_client_gets_an_error_and_then_one_at_once(proxy, chain):
    for backend in chain:
        backend.set("500")
    assert [proxy.ask().status for _ in range(5)] == [500] * 5
    assert [backend.hits for backend in chain] == [5, 5, 5]  # each once per request
    assert proxy.ask().status in range(400, 600)
    assert [backend.hits for backend in chain] == [5, 5, 5]


def test_each_opening_is_alerted_once_and_resolved(proxy, primary, sinks):
    for sink in sinks:
        sink.bodies.clear()
    opened(proxy, primary)
    opened_again = COOLDOWN_S + 0.2
    time.sleep(opened_again)
    proxy.ask()  # the probe fails
    time.sleep(opened_again)
    primary.set("ok")
    proxy.ask()
    alertmanager, webhook = sinks
    wait_for(lambda: len(webhook.got) == 2, 10)
    wait_for(lambda: len(alertmanager.got) == 2, 10)
    assert [body["status"] for body in webhook.got] == ["firing", "resolved"]
    assert webhook.got[0]["labels"].items() >= {"alertname": "BreakerOpened", "deployment": PRIMARY, "severity": "critical"}.items()
    assert "5 failures in a row, the last one: InternalServerError (HTTP 500)" in webhook.got[0]["annotations"]["summary"]
    (fired,), (resolved,) = alertmanager.got
    assert fired["labels"] == resolved["labels"] == webhook.got[0]["labels"]
    assert fired["endsAt"] > resolved["endsAt"] > resolved["startsAt"] == fired["startsAt"]


def test_a_hanging_sink_delays_no_request(proxy, primary, sinks, monkeypatch):
    webhook, over = sinks[1], threading.Event()
    monkeypatch.setattr(webhook, "answer", lambda *_: (over.wait(30) and 200, b""))
    tries = len(webhook.times)
    opened(proxy, primary)
    assert [proxy.ask().status for _ in range(6)] == [200] * 6
    assert len(webhook.times) == tries + 1  # the first has not even timed out
    over.set()


def test_the_metrics_count(proxy, primary):
    before = proxy.metrics()
    opened(proxy, primary)
    time.sleep(COOLDOWN_S)
    proxy.ask()
    after = proxy.metrics()
    assert after["tabby_breaker_state", PRIMARY] == 2
    for name in ("tabby_breaker_opened_total", "tabby_breaker_probes_total"):
        assert after[name, PRIMARY] == before[name, PRIMARY] + 1, name


def test_the_proxy_wants_its_key_and_a_wrong_one_counts_nothing(proxy, primary):
    assert {proxy.ask(key=key).status for key in ("sk-1234", "sk-wrong", "x", "sk-y", "sk-z")} <= {400, 401}  # 400 without a database
    assert proxy.get("/metrics/", key="").status == 401
    assert (primary.hits, proxy.state()) == (0, "closed")


@pytest.mark.parametrize("key", ["", "sk-1234"])
def test_the_proxy_refuses_to_start_with_a_known_key_or_none(chain, tmp_path, key):
    refused = Proxy(generate(tmp_path, chain), key=key)
    try:
        wait_for(lambda: "UnsafeMasterKeyError" in refused.log(), 300)
        assert refused.process.wait(120) != 0
    finally:
        refused.stop()


def test_health_checks_route_away_after_two_and_back_after_one(chain, tmp_path):
    folder = generate(tmp_path, chain)
    change(folder, check_every_s=1, cooldown_s=3600)
    primary = chain[0]
    for backend in chain:
        backend.set("ok")
    with running_proxy(folder) as proxy:
        wait_for(lambda: primary.checks > 1, 10)
        assert proxy.ask().by == PRIMARY
        primary.set("ok", health=503)
        wait_for(lambda: proxy.state() == "open", 10)
        assert proxy.metrics()["tabby_breaker_bad_checks", PRIMARY] >= 2
        assert {proxy.ask().by for _ in range(5)} == {"ollama-gpu"}
        assert primary.hits == 0
        primary.set("ok")
        wait_for(lambda: proxy.state() == "closed", 10)
        assert proxy.ask().by == PRIMARY
        assert "2 health checks in a row failed" in proxy.log()


def test_each_of_two_workers_counts_and_probes_for_itself(chain, tmp_path):
    folder = generate(tmp_path, chain)
    change(folder, check_every_s=3600)
    primary = chain[0]
    for backend in chain:
        backend.set("ok")
    with running_proxy(folder, workers=2) as proxy:
        primary.set("500")
        answers = [answer for _ in range(10) for answer in proxy.ask_at_once(8)]
        assert {answer.by for answer in answers} == {"ollama-gpu"}
        asked = primary.hits
        proxy.ask_at_once(8)
        assert 5 <= asked == primary.hits
        assert asked <= 2 * (5 + 7)  # what is under way when a breaker opens is not called back
        time.sleep(COOLDOWN_S)
        primary.set("hang")
        proxy.ask_at_once(16)
        assert 1 <= primary.hits <= 2


def test_a_proxy_that_was_killed_starts_with_closed_breakers(chain, tmp_path):
    folder = generate(tmp_path, chain)
    change(folder, check_every_s=3600, cooldown_s=3600)
    primary = chain[0]
    for backend in chain:
        backend.set("ok")
    with running_proxy(folder) as proxy:
        opened(proxy, primary)
    with running_proxy(folder) as proxy:
        assert proxy.state() == "closed"
        assert proxy.ask().by == "ollama-gpu"
        assert primary.hits == 1


def test_settings_that_cannot_be_read_leave_a_breaker_without_alerts(chain, tmp_path):
    folder = generate(tmp_path, chain)
    (folder / "tabby_breaker.json").write_text("{")
    primary = chain[0]
    primary.set("500")
    with running_proxy(folder) as proxy:
        for _ in range(6):
            proxy.ask()
        assert (primary.hits, proxy.state()) == (5, "open")
        assert proxy.log().count("tabby_breaker.json cannot be used") == 1
