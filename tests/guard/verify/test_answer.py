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
TEXT, CHAT, VECTORS, GENERATE = "/v1/completions", "/v1/chat/completions", "/v1/embeddings", "/api/generate"
KEY = "a-made-up-key-0123456789"
LEAKED = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"


class Endpoint(Recorder):
    """Answers a method and path as a table has it: with a status and JSON, or bytes."""

    def __init__(self):
        super().__init__()
        self.begin({})
        handler = self.server.RequestHandlerClass
        for name in ("do_GET", "do_POST"):
            setattr(handler, name, self._noting(getattr(handler, name)))

    def _noting(self, answer):
        """Note what is asked and by whom before it is answered."""

        def noting(request):
            self.path = request.path
            self.wants_key = self.key and request.headers["Authorization"] != f"Bearer {self.key}"
            answer(request)

        return noting

    def begin(self, table, key=""):
        self.table, self.key, self.asked, self.wants_key = dict(table), key, [], False

    def look_up(self, path):
        if self.wants_key:
            return 401, b"{}"
        return self._found(path)

    def answer(self, body, headers):
        self.asked.append((self.path, json.loads(body)))
        return self._found(self.path)

    def _found(self, path):
        status, body = self.table.get(path, (404, {"detail": "Not Found"}))
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture(scope="module")
def endpoint():
    with Endpoint() as server:
        yield server


def models(*ids, **more):
    return {"/v1/models": (200, {"object": "list", "data": [{"id": each, **more} for each in ids]})}


OLLAMA = {"/api/version": (200, {"version": "0.5.1"}), **models("llama3:70b", "qwen:0.5b")}
RUNNING = {"/api/ps": (200, {"models": [{"name": "qwen:0.5b", "size": 1}]})}
# the server's answers, the question, the outcome, words of the evidence, what was posted and to which model, the reason
KINDS = [
    ({**models("llama"), TEXT: (200, TOKEN)}, {}, "ok", "one token of llama", [(TEXT, "llama")], "vLLM, llama.cpp"),
    (
        {**models("llama"), CHAT: (200, TOKEN)},
        {},
        "ok",
        "POST /v1/chat/completions gave one token",
        [(TEXT, "llama"), (CHAT, "llama")],
        "chat only",
    ),
    (
        {**models("bge"), TEXT: (400, {}), VECTORS: (200, {"data": [{"embedding": [1]}]})},
        {},
        "ok",
        "gave one embedding of bge",
        [(TEXT, "bge"), (CHAT, "bge"), (VECTORS, "bge")],
        "embeddings only",
    ),
    (
        {**models("a", "b", "c"), "/v1/model": (200, {"id": "b"}), TEXT: (200, TOKEN)},
        {},
        "ok",
        "one token of b",
        [(TEXT, "b")],
        "TabbyAPI: the loaded model, not another one of its directory",
    ),
    ({**models("a", "b"), "/v1/model": (503, NO_MODEL)}, {}, "failed", "No models are currently loaded.", [], "TabbyAPI without a model"),
    (
        {**models("a", "b")},
        {},
        "unknown",
        "it has 2 models (a, b): name the one to ask with --model",
        [],
        "a router: another may be loaded",
    ),
    (
        {"/v1/models": (200, {"data": [{"id": "base"}, {"id": "lora", "parent": "base"}]}), TEXT: (200, TOKEN)},
        {},
        "ok",
        "one token of base",
        [(TEXT, "base")],
        "vLLM with an adapter",
    ),
    ({**models(), TEXT: (503, NO_MODEL)}, {}, "failed", "HTTP 503", [(TEXT, None)], "no model at all"),
    ({**models("a"), TEXT: (200, {"choices": []})}, {}, "failed", "no choices", [(TEXT, "a")], "an empty answer"),
    (
        {**models("a"), TEXT: (200, {"error": {"message": "engine dead"}})},
        {},
        "failed",
        "an error: {'message': 'engine dead'}",
        [(TEXT, "a")],
        "an error inside a 200",
    ),
    ({**models("a"), TEXT: (200, b"<html>")}, {}, "failed", "HTML", [(TEXT, "a")], "a page instead of JSON"),
    ({**models("a"), TEXT: (500, {})}, {}, "failed", "HTTP 500", [(TEXT, "a")], "a broken engine is not asked again"),
    (
        {TEXT: (404, {"message": "The model `x` does not exist."})},
        {"model": "x"},
        "failed",
        "The model `x` does not exist.",
        [(TEXT, "x"), (CHAT, "x"), (VECTORS, "x"), (GENERATE, "x")],
        "a model that is not there, in the server's own words",
    ),
    (OLLAMA | RUNNING | {TEXT: (200, TOKEN)}, {}, "ok", "qwen:0.5b", [(TEXT, "qwen:0.5b")], "Ollama: what it has loaded"),
    (OLLAMA | {"/api/ps": (200, {"models": []})}, {}, "ok", "with no model loaded", [], "Ollama idle: loading 70b is not asked for"),
    (
        {GENERATE: (200, {"response": "", "done": True})},
        {"model": "m"},
        "ok",
        "POST /api/generate gave one token of m",
        [(TEXT, "m"), (CHAT, "m"), (VECTORS, "m"), (GENERATE, "m")],
        "Ollama before it had /v1",
    ),
    ({"/health": (200, {"status": "ok"})}, {}, "ok", "GET /health answers", [], "plain"),
    ({"/": (200, b"<html>hello")}, {}, "ok", "GET / answers", [], "plain, without /health"),
    ({}, {}, "unknown", "name a path with --path", [], "plain, with neither"),
    ({"/health": (503, {"status": "unhealthy"})}, {}, "failed", "HTTP 503", [], "plain and unhealthy"),
    ({"/ready": (200, b"all good")}, {"path": "/ready", "expect": "good"}, "ok", "with the expected text", [], "a given path and text"),
    ({"/ready": (200, b"all bad")}, {"path": "/ready", "expect": "good"}, "failed", "it begins with all bad", [], "another text"),
    (models("a"), {"path": "/ready"}, "failed", "GET /ready answers HTTP 404", [], "a given path that is not there; no prompt is sent"),
    (
        {"/ready": (200, b"x"), TEXT: (200, TOKEN)},
        {"path": "/ready", "model": "m"},
        "ok",
        "GET /ready answers",
        [(TEXT, "m")],
        "both were asked for",
    ),
]


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
    endpoint.begin({**models("a"), TEXT: (200, TOKEN)}, KEY)
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
    with serving(handle) as url:
        unknown, given = ask(url, Question(), within_s), ask(url, Question(model="m"), within_s)
    assert unknown.outcome == ("unknown" if kind in UNSURE else "ok" if kind in FINE else "failed"), unknown
    assert given.outcome == ("unknown" if kind in {"wants a login", "forbids"} else "failed"), given
    for check in (unknown, given):
        assert LEAKED not in check.evidence
        assert check.evidence.isprintable()


def test_a_server_that_loads_is_asked_again(endpoint):
    endpoint.begin({"/v1/models": (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})})
    calls = []

    def stays():
        calls.append(1)
        endpoint.table = {**models("a"), TEXT: (200, TOKEN)}
        return True

    check = answer_check(endpoint.url, Question(), time.monotonic() + 20, stays)
    assert (check.outcome, len(calls)) == ("ok", 1)


@pytest.mark.parametrize(
    ("answers", "stays", "reason"),
    [
        ({**models("a"), TEXT: (503, NO_MODEL)}, True, "no model: nothing will load one"),
        ({"/v1/models": (503, {"message": "Loading model"})}, False, "it loads, but the unit has ended"),
    ],
)
def test_what_will_not_answer_is_asked_once(endpoint, answers, stays, reason):
    endpoint.begin(answers)
    endpoint.paths.clear()
    check = answer_check(endpoint.url, Question(), time.monotonic() + 20, lambda: stays)
    assert check.outcome == "failed"
    assert endpoint.paths.count("/v1/models") == 1, reason


def test_a_port_where_nobody_listens_is_asked_until_the_time_is_over():
    asked = []
    check = answer_check(f"http://127.0.0.1:{free_port()}", Question(), time.monotonic() + 2.5, lambda: asked.append(1) is None)
    assert "refuses connections" in check.evidence
    assert len(asked) in {1, 2}
