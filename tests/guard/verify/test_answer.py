"""Each kind of endpoint is asked as it can be, and none, however hostile, is trusted or waited for without end."""

import json
import time

import pytest

from forensics.guard.verify.answer import answer_check, ask
from forensics.guard.verify.asked import Question
from tests.audit.hostile_server import HOSTILE, serving
from tests.http_recorder import Recorder
from tests.servers import free_port

NO_MODEL = {"detail": "No models are currently loaded."}
TOKEN = {"choices": [{"text": "2"}]}
KEY = "a-made-up-key-0123456789"
LEAKED = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"


class Endpoint(Recorder):
    """Answers a method and path as a table has it: with a status and JSON, or bytes."""

    def __init__(self):
        super().__init__()
        self.begin({})
        handler = self.server.RequestHandlerClass
        get, post = handler.do_GET, handler.do_POST
        outer = self

        def do_GET(self):
            outer.wants_key = outer.key and self.headers["Authorization"] != f"Bearer {outer.key}"
            get(self)

        def do_POST(self):
            outer.path = self.path
            post(self)

        handler.do_GET, handler.do_POST = do_GET, do_POST

    def begin(self, table, key=""):
        self.table, self.key, self.asked, self.wants_key = dict(table), key, [], False

    def look_up(self, path):
        if self.wants_key:
            return 401, b"{}"
        return self._found("GET", path)

    def answer(self, body, headers):
        self.asked.append((self.path, json.loads(body)))
        return self._found("POST", self.path)

    def _found(self, method, path):
        status, body = self.table.get(f"{method} {path}", (404, {"detail": "Not Found"}))
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture(scope="module")
def endpoint():
    with Endpoint() as server:
        yield server


def models(*ids, **more):
    return {"GET /v1/models": (200, {"object": "list", "data": [{"id": each, **more} for each in ids]})}


OLLAMA = {"GET /api/version": (200, {"version": "0.5.1"}), **models("llama3:70b", "qwen:0.5b")}
RUNNING = {"GET /api/ps": (200, {"models": [{"name": "qwen:0.5b", "size": 1}]})}
# the server's answers, the question, the outcome, words of the evidence, what was posted and to which model, the reason
KINDS = [
    ({**models("llama"), "POST /v1/completions": (200, TOKEN)}, {}, "ok", "one token of llama", [("/v1/completions", "llama")], "vLLM, llama.cpp"),
    (
        {**models("llama"), "POST /v1/chat/completions": (200, TOKEN)},
        {},
        "ok",
        "POST /v1/chat/completions gave one token",
        [("/v1/completions", "llama"), ("/v1/chat/completions", "llama")],
        "chat only",
    ),
    (
        {**models("bge"), "POST /v1/completions": (400, {}), "POST /v1/embeddings": (200, {"data": [{"embedding": [1]}]})},
        {},
        "ok",
        "gave one embedding of bge",
        [("/v1/completions", "bge"), ("/v1/chat/completions", "bge"), ("/v1/embeddings", "bge")],
        "embeddings only",
    ),
    (
        {**models("a", "b", "c"), "GET /v1/model": (200, {"id": "b"}), "POST /v1/completions": (200, TOKEN)},
        {},
        "ok",
        "one token of b",
        [("/v1/completions", "b")],
        "TabbyAPI: the loaded model, not another one of its directory",
    ),
    ({**models("a", "b"), "GET /v1/model": (503, NO_MODEL)}, {}, "failed", "No models are currently loaded.", [], "TabbyAPI without a model"),
    ({**models("a", "b")}, {}, "unknown", "it has 2 models (a, b): name the one to ask with --model", [], "a router: another may be loaded"),
    (
        {"GET /v1/models": (200, {"data": [{"id": "base"}, {"id": "lora", "parent": "base"}]}), "POST /v1/completions": (200, TOKEN)},
        {},
        "ok",
        "one token of base",
        [("/v1/completions", "base")],
        "vLLM with an adapter",
    ),
    ({**models(), "POST /v1/completions": (503, NO_MODEL)}, {}, "failed", "HTTP 503", [("/v1/completions", None)], "no model at all"),
    ({**models("a"), "POST /v1/completions": (200, {"choices": []})}, {}, "failed", "no choices", [("/v1/completions", "a")], "an empty answer"),
    (
        {**models("a"), "POST /v1/completions": (200, {"error": {"message": "engine dead"}})},
        {},
        "failed",
        "an error: {'message': 'engine dead'}",
        [("/v1/completions", "a")],
        "an error inside a 200",
    ),
    ({**models("a"), "POST /v1/completions": (200, b"<html>")}, {}, "failed", "HTML", [("/v1/completions", "a")], "a page instead of JSON"),
    ({**models("a"), "POST /v1/completions": (500, {})}, {}, "failed", "HTTP 500", [("/v1/completions", "a")], "a broken engine is not asked again"),
    (
        {"POST /v1/completions": (404, {"message": "The model `x` does not exist."})},
        {"model": "x"},
        "failed",
        "The model `x` does not exist.",
        [("/v1/completions", "x"), ("/v1/chat/completions", "x"), ("/v1/embeddings", "x"), ("/api/generate", "x")],
        "a model that is not there, in the server's own words",
    ),
    (OLLAMA | RUNNING | {"POST /v1/completions": (200, TOKEN)}, {}, "ok", "qwen:0.5b", [("/v1/completions", "qwen:0.5b")], "Ollama: what it has loaded"),
    (OLLAMA | {"GET /api/ps": (200, {"models": []})}, {}, "ok", "with no model loaded", [], "Ollama idle: loading 70b is not asked for"),
    (
        {"POST /api/generate": (200, {"response": "", "done": True})},
        {"model": "m"},
        "ok",
        "POST /api/generate gave one token of m",
        [("/v1/completions", "m"), ("/v1/chat/completions", "m"), ("/v1/embeddings", "m"), ("/api/generate", "m")],
        "Ollama before it had /v1",
    ),
    ({"GET /health": (200, {"status": "ok"})}, {}, "ok", "GET /health answers", [], "plain"),
    ({"GET /": (200, b"<html>hello")}, {}, "ok", "GET / answers", [], "plain, without /health"),
    ({}, {}, "unknown", "name a path with --path", [], "plain, with neither"),
    ({"GET /health": (503, {"status": "unhealthy"})}, {}, "failed", "HTTP 503", [], "plain and unhealthy"),
    ({"GET /ready": (200, b"all good")}, {"path": "/ready", "expect": "good"}, "ok", "with the expected text", [], "a given path and text"),
    ({"GET /ready": (200, b"all bad")}, {"path": "/ready", "expect": "good"}, "failed", "it begins with all bad", [], "another text"),
    (models("a"), {"path": "/ready"}, "failed", "GET /ready answers HTTP 404", [], "a given path that is not there; no prompt is sent"),
    (
        {"GET /ready": (200, b"x"), "POST /v1/completions": (200, TOKEN)},
        {"path": "/ready", "model": "m"},
        "ok",
        "GET /ready answers",
        [("/v1/completions", "m")],
        "both were asked for",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "question", "outcome", "words", "posted", "reason"), KINDS, ids=[case[-1] for case in KINDS])
def test_each_kind_of_endpoint(endpoint, answers, question, outcome, words, posted, reason):
    endpoint.begin(answers)
    check = ask(endpoint.url, Question(**question), 10.0)
    assert check.outcome == outcome, check
    assert words in check.evidence
    assert [(path, body.get("model")) for path, body in endpoint.asked] == posted, reason
    assert all(body.get("max_tokens", 1) == 1 and not body.get("stream") for _, body in endpoint.asked)


@pytest.mark.parametrize(("key", "outcome"), [("", "unknown"), ("wrong", "unknown"), (KEY, "ok")])
def test_an_endpoint_that_wants_a_key(endpoint, key, outcome):
    endpoint.begin({**models("a"), "POST /v1/completions": (200, TOKEN)}, KEY)
    check = ask(endpoint.url, Question(token=key), 10.0)
    assert check.outcome == outcome
    assert ("give a key with --key-file" in check.evidence) is (outcome == "unknown")
    assert KEY not in check.evidence


UNSURE = {"closes", "not HTTP", "wants a login", "forbids"}  # that nobody said to be HTTP, or that wants a key
FINE = {"HTML", "not JSON", "deep JSON", "other JSON", "a number", "null", "strange shapes"}  # as the health of a plain endpoint


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_endpoint_gives_a_reason_and_no_secret(kind):
    handle, reason = HOSTILE[kind]
    within_s = 0.3 if "within" in reason else 10.0
    started = time.monotonic()
    with serving(handle) as url:
        unknown, given = ask(url, Question(), within_s), ask(url, Question(model="m"), within_s)
    assert time.monotonic() - started < 8
    assert unknown.outcome == ("unknown" if kind in UNSURE else "ok" if kind in FINE else "failed"), unknown
    assert given.outcome == ("unknown" if kind in {"wants a login", "forbids"} else "failed"), given
    for check in (unknown, given):
        assert LEAKED not in check.evidence
        assert check.evidence.isprintable()


def test_a_server_that_loads_is_asked_again(endpoint):
    endpoint.begin({"GET /v1/models": (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})})
    calls = []

    def stays():
        calls.append(1)
        endpoint.table = {**models("a"), "POST /v1/completions": (200, TOKEN)}
        return True

    check = answer_check(endpoint.url, Question(), time.monotonic() + 20, stays)
    assert (check.outcome, len(calls)) == ("ok", 1)


@pytest.mark.parametrize(
    ("answers", "stays", "reason"),
    [
        ({**models("a"), "POST /v1/completions": (503, NO_MODEL)}, True, "no model: nothing will load one"),
        ({"GET /v1/models": (503, {"message": "Loading model"})}, False, "it loads, but the unit has ended"),
    ],
)
def test_what_will_not_answer_is_asked_once(endpoint, answers, stays, reason):
    endpoint.begin(answers)
    started = time.monotonic()
    check = answer_check(endpoint.url, Question(), started + 20, lambda: stays)
    assert check.outcome == "failed"
    assert time.monotonic() - started < 1, reason


def test_a_port_where_nobody_listens_is_asked_until_the_time_is_over():
    started = time.monotonic()
    check = answer_check(f"http://127.0.0.1:{free_port()}", Question(), started + 1.2)
    assert "refuses connections" in check.evidence
    assert 1 < time.monotonic() - started < 4
