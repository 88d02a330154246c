"""Ask an endpoint for one token, or a plain endpoint for its health; which kind it is, is found by harmless questions first."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from forensics.guard.verify.asked import Question
from forensics.guard.verify.checks import FAILED, OK, UNKNOWN, Check, Outcome
from forensics.sanitize import brief, safe_line
from forensics.web import LOGIN, NoAnswerError, Server

AGAIN_S = 1.0  # between questions to a server that loads
NOT_HERE = (400, 404, 405, 410, 422, 501)  # how servers answer what they do not offer
MOST_NAMED, LONGEST_NAME, LONGEST_TEXT = 5, 80, 120
_LOADING = re.compile(r"\bloading\b|\bstarting\b|refuses connections", re.IGNORECASE)  # llama.cpp: 503 "Loading model"
_NO_HTTP = "does not answer in HTTP"

# what is asked for one token, in this order, each with the key that a right answer has
ONE_TOKEN: Mapping[str, tuple[Mapping[str, object], str]] = {
    "/v1/completions": ({"prompt": "1", "max_tokens": 1, "temperature": 0, "stream": False}, "choices"),
    "/v1/chat/completions": ({"messages": [{"role": "user", "content": "1"}], "max_tokens": 1, "stream": False}, "choices"),
    "/v1/embeddings": ({"input": "1"}, "data"),
    "/api/generate": ({"prompt": "1", "stream": False, "options": {"num_predict": 1}}, "response"),
}
PLAIN_PATHS = ("/health", "/")


class _UnansweredError(Exception):
    """Why there is no verdict by an answer, as a sentence; outcome: what that makes of the check."""

    def __init__(self, evidence: str, outcome: Outcome = FAILED, status: int = 0) -> None:
        super().__init__(evidence)
        self.outcome, self.status = outcome, status


def answer_check(url: str, question: Question, until: float, stays: Callable[[], bool] = lambda: True) -> Check:
    """Ask until there is an answer: again while the server loads, and the unit stays as it was."""
    while True:
        left = max(until - time.monotonic(), AGAIN_S)
        check = ask(url, question, left)
        may_ask_again = time.monotonic() + AGAIN_S < until and _LOADING.search(check.evidence) is not None
        if check.outcome != FAILED or not may_ask_again or not stays():
            return check
        time.sleep(AGAIN_S)


def ask(url: str, question: Question, within_s: float) -> Check:
    """Ask once, within a time for all questions together. Raises UsageError for a URL that is none."""
    server = Server(url, question.token, within_s)
    try:
        return Check("answer", OK, f"{server.where}: {_answered(server, question)}")
    except _UnansweredError as error:
        return Check("answer", error.outcome, f"{server.where}: {error}")


def _answered(server: Server, question: Question) -> str:
    if question.model:
        plain = f"; {_plain(server, question)}" if question.path else ""
        return f"{_one_token(server, question.model)}{plain}"
    if question.path or question.expect:
        return _plain(server, question)
    models, loaded = _models(server), _ollama(server)
    if loaded is not None:
        return _one_token(server, loaded) if loaded else "GET /api/ps answers: Ollama runs, with no model loaded; --model asks for one"
    return _plain(server, question) if models is None else _one_token(server, _model_of(server, models))


def _models(server: Server) -> list[dict[str, Any]] | None:
    """List the models that an OpenAI-like server has; None for another kind of server."""
    answer = _json_or_none(server, "/v1/models")
    models = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(models, list):
        return None
    named = [model for model in models if isinstance(model, dict) and isinstance(model.get("id"), str)]
    return named if named or not models else None


def _ollama(server: Server) -> str | None:
    """Return the model that Ollama has loaded, "" without one, None where it is not Ollama: its list has every model on disk."""
    version = _json_or_none(server, "/api/version")
    if not isinstance(version, dict) or "version" not in version:
        return None
    running = _json_or_none(server, "/api/ps")
    models = running.get("models") if isinstance(running, dict) else None
    if not isinstance(models, list):
        return None
    return next((model["name"] for model in models if isinstance(model, dict) and isinstance(model.get("name"), str)), "")


def _model_of(server: Server, models: list[dict[str, Any]]) -> str:
    """Choose the model to ask: the only one, or the one that TabbyAPI has loaded; asking for another may load it."""
    names = [model["id"] for model in models if not model.get("parent")]  # vLLM's adapters have one
    if len(names) <= 1:
        return names[0] if names else ""
    current = _json_or_none(server, "/v1/model")
    if isinstance(current, dict) and isinstance(current.get("id"), str):
        return str(current["id"])
    more = ", …" if len(names) > MOST_NAMED else ""
    listed = ", ".join(_shown(name) for name in names[:MOST_NAMED])
    raise _UnansweredError(f"it has {len(names)} models ({listed}{more}): name the one to ask with --model", UNKNOWN)


def _one_token(server: Server, model: str) -> str:
    """Ask for one token in each way that there is, until the server knows one."""
    first: _UnansweredError | None = None
    for path, (body, wanted) in ONE_TOKEN.items():
        start = time.monotonic()
        try:
            with _asking(f"POST {path}"):
                text = server.post(path, {**body, "model": model} if model else body)
        except _UnansweredError as error:
            if error.status not in NOT_HERE:
                raise
            first = first or error
            continue
        _require(path, text, wanted)
        what = "embedding" if wanted == "data" else "token"
        of = f" of {_shown(model)}" if model else ""
        return f"POST {path} gave one {what}{of} in {_since(start)}"
    raise first or _UnansweredError("nothing was asked", UNKNOWN)


def _require(path: str, text: str, wanted: str) -> None:
    """Raises _UnansweredError where an answer to a completion is none."""
    answer = _parsed(text)
    if isinstance(answer, dict) and not answer.get("error") and (answer.get(wanted) or (wanted == "response" and wanted in answer)):
        return
    error = answer.get("error") if isinstance(answer, dict) else None
    said = f"an error: {brief(safe_line(str(error)), LONGEST_TEXT)}" if error else f"no {wanted}: {_beginning(text)}"
    raise _UnansweredError(f"POST {path} answers with {said}")


def _plain(server: Server, question: Question) -> str:
    """Ask a plain endpoint: the named path, else the usual ones."""
    if question.path or question.expect:
        return _expected(server, question.path or PLAIN_PATHS[0], question.expect)
    for path in PLAIN_PATHS:
        try:
            return _expected(server, path, "")
        except _UnansweredError as error:
            if error.status not in NOT_HERE:
                raise
    raise _UnansweredError(f"it answers HTTP, but not GET {' or '.join(PLAIN_PATHS)}: name a path with --path", UNKNOWN)


def _expected(server: Server, path: str, expect: str) -> str:
    start = time.monotonic()
    with _asking(f"GET {path}", is_guess=not expect):
        text = server.text(path)
    if expect and expect not in text:
        raise _UnansweredError(f"GET {path} answers without the expected text: {_beginning(text)}")
    return f"GET {path} answers{' with the expected text' if expect else ''} in {_since(start)}"


def _json_or_none(server: Server, path: str) -> Any:
    """Ask for JSON; None where the server has something else there. Raises _UnansweredError where it does not answer at all."""
    try:
        with _asking(f"GET {path}", is_guess=True):
            return _parsed(server.text(path))
    except _UnansweredError as error:
        if error.status in {0, 503, *LOGIN}:
            raise
        return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@contextmanager
def _asking(what: str, *, is_guess: bool = False) -> Iterator[None]:
    """Name the question in the reason why it has no answer. is_guess: nobody said that the port speaks HTTP."""
    try:
        yield
    except NoAnswerError as error:
        could_not_tell = error.status in LOGIN or (is_guess and str(error).startswith(_NO_HTTP))
        hint = "; give a key with --key-file or TABBY_FORENSICS_VERIFY_TOKEN" if error.status in LOGIN else ""
        raise _UnansweredError(f"{what} {error}{hint}", UNKNOWN if could_not_tell else FAILED, error.status) from None


def _since(start: float) -> str:
    return f"{max(time.monotonic() - start, 0.01):.2f} s"


def _shown(name: str) -> str:
    return brief(safe_line(name), LONGEST_NAME)


def _beginning(text: str) -> str:
    if text.lstrip()[:1] == "<":
        return "it is a page of HTML"
    return f"it begins with {brief(safe_line(text[:300]), LONGEST_TEXT)}" if text.strip() else "it is empty"
