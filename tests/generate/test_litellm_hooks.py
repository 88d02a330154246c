"""What the breaker's hooks make of LiteLLM's calls: which attempts count, what is let through, whom a change is sent to."""

import asyncio
import json
import logging
import threading

import pytest

from forensics.generate import litellm_hooks as hooks
from forensics.generate.litellm_breaker import CLOSED, OPEN, Breaker, Settings
from tests.generate.litellm_requests import LIMITS, NAME
from tests.http_recorder import Recorder
from tests.servers import wait_for


class Status(Exception):  # noqa: N818 - stands for LiteLLM's
    def __init__(self, status_code=None):
        super().__init__("secret prompt")
        self.status_code = status_code


ANSWER = object()


class Hooks:
    """LiteLLM's calls of the hooks, in its order and with its arguments."""

    def __init__(self, settings=LIMITS, base=None):
        self.callback = hooks.TabbyBreaker(settings, base or hooks.TabbyBreaker)
        self.ids = iter(range(10**6))

    def kwargs(self, request, name=NAME):
        return {"litellm_call_id": request, "metadata": {"model_info": {"id": name}}}

    async def choose(self, request, names=(NAME,), **more):
        deployments = [{"model_info": {"id": name}} for name in names]
        asked = {"litellm_call_id": request, **more}
        kept = await self.callback.async_filter_deployments(
            model="group", healthy_deployments=deployments, messages=None, request_kwargs=asked, parent_otel_span=None, newer="argument"
        )
        return [each["model_info"]["id"] for each in kept]

    async def ask(self, error=None, call_type="acompletion", response=ANSWER):
        """One request that succeeds, or fails with an error."""
        request = f"h{next(self.ids)}"
        if not await self.choose(request):
            return False
        await self.callback.async_pre_call_deployment_hook(self.kwargs(request), call_type)
        if error is None:
            await self.callback.async_post_call_success_deployment_hook(self.kwargs(request), response, call_type)
        else:
            await self.callback.async_post_call_failure_deployment_hook(self.kwargs(request), error, call_type, fallback_depth=None)
        return True

    async def stream(self, error=None, taken=3):
        request = f"h{next(self.ids)}"
        assert await self.choose(request, stream=True)
        await self.callback.async_pre_call_deployment_hook(self.kwargs(request), "acompletion")

        async def chunks():
            for number in range(3):
                yield number
            if error is not None:
                raise error

        passed = self.callback.async_post_call_streaming_iterator_hook(None, chunks(), {"litellm_call_id": request})
        got = []
        try:
            async for chunk in passed:
                got.append(chunk)
                if len(got) == taken:
                    break
        except Status:
            pass
        finally:
            await passed.aclose()
        return got

    @property
    def state(self):
        return self.callback.breakers.all.get(NAME, Breaker()).state


# error of the five requests, kind of call, state, why
ERRORS = [
    (Status(500), "acompletion", OPEN, "the server failed"),
    (Status(429), "acompletion", OPEN, "it is too busy"),
    (Status(408), "acompletion", OPEN, "a time-out"),
    (Status(401), "acompletion", OPEN, "the proxy's key is wrong"),
    (Status(), "acompletion", OPEN, "no answer at all"),
    (Status(400), "acompletion", CLOSED, "the client's mistake"),
    (Status(413), "acompletion", CLOSED, "a request that is too large"),
    (Status(422), "acompletion", CLOSED, "TabbyAPI's: cancelled by user"),
    (Status(503), "aembedding", CLOSED, "TabbyAPI's: no embedding models are loaded"),
]


@pytest.mark.parametrize(("error", "call_type", "state", "why"), ERRORS)
def test_what_counts_as_a_failure_of_the_server(error, call_type, state, why):
    calls = Hooks()

    async def five():
        for _ in range(5):
            await calls.ask(error, call_type)

    asyncio.run(five())
    assert calls.state == state, why


@pytest.mark.parametrize(
    ("error", "taken", "state", "got"),
    [
        (None, 4, CLOSED, [0, 1, 2]),
        (Status(500), 4, OPEN, [0, 1, 2]),
        (Status(500), 2, CLOSED, [0, 1]),
        (Status(400), 4, CLOSED, [0, 1, 2]),
    ],
)
def test_a_stream_is_passed_on_whole_and_its_end_counts(error, taken, state, got):
    calls = Hooks()

    async def five():
        return [await calls.stream(error, taken) for _ in range(5)]

    assert asyncio.run(five()) == [got] * 5
    assert calls.state == state


# what is answered, by which kind of call: whether it makes a failure before and after it two in a row
ANSWERS = [(ANSWER, "acompletion", CLOSED), (None, "acompletion", OPEN), (ANSWER, "aembedding", OPEN)]


@pytest.mark.parametrize(("response", "call_type", "state"), ANSWERS)
def test_only_an_answer_of_the_model_ends_a_row_of_failures(response, call_type, state):
    calls = Hooks(Settings(failures=2))

    async def three():
        await calls.ask(Status(500))
        await calls.ask(call_type=call_type, response=response)
        await calls.ask(Status(500))

    asyncio.run(three())
    assert calls.state == state


def test_a_request_that_ends_without_being_sent_frees_its_probe():
    calls = Hooks(Settings(cooldown_s=0.001))

    async def scenario():
        for _ in range(5):
            await calls.ask(Status(500))
        await asyncio.sleep(0.01)
        assert await asyncio.create_task(calls.choose("never sent")) == [NAME]
        await asyncio.sleep(0)
        assert await asyncio.create_task(calls.choose("next")) == [NAME]

    asyncio.run(scenario())


def test_a_litellm_without_the_hooks_lets_everything_through_and_logs_it_once(caplog):
    with caplog.at_level(logging.ERROR):
        calls = Hooks(base=type("Old", (), {name: None for name in hooks.NEEDED if "failure" not in name}))
    (logged,) = [record.message for record in caplog.records]
    assert logged == "this LiteLLM has no async_post_call_failure_deployment_hook: the breaker lets every request through"

    async def ten():
        return [await calls.ask(Status(500)) for _ in range(10)]

    assert asyncio.run(ten()) == [True] * 10


def test_an_error_of_its_own_lets_requests_through_and_is_logged_once(caplog):
    calls = Hooks()

    async def broken():
        return [await calls.callback.async_filter_deployments("group", [{"no": "id"}], None, {}) for _ in range(3)]

    assert asyncio.run(broken()) == [[{"no": "id"}]] * 3
    assert sum("lets requests through" in record.message for record in caplog.records) == 1


# text of tabby_breaker.json, what the log names
BAD_SETTINGS = [
    ("{", "Expecting property name"),
    ("[]", "tabby_breaker.json cannot be used"),
    ('{"failures": 0}', "failures is not a number above 0"),
    ('{"cooldown_s": "soon"}', "cooldown_s is not a number above 0"),
    ('{"sinks": [{"kind": "pager", "url": "http://a"}]}', "there is no sink 'pager'"),
    ('{"sinks": [{"kind": "webhook", "url": "file:///etc/passwd"}]}', "does not start with http"),
    ('{"deployments": {"a": {"health": "ftp://a"}}}', "does not start with http"),
    ('{"deployments": []}', "tabby_breaker.json cannot be used"),
]


@pytest.mark.parametrize(("text", "words"), BAD_SETTINGS)
def test_settings_of_no_use_are_logged_and_the_defaults_hold(tmp_path, caplog, text, words):
    file = tmp_path / "tabby_breaker.json"
    file.write_text(text)
    assert hooks.read_settings(file) == Settings()
    assert words in caplog.text


def test_settings_are_read(tmp_path):
    file = tmp_path / "tabby_breaker.json"
    file.write_text(json.dumps({"about": "x", "failures": 3, "sinks": [{"kind": "slack", "url": "https://a"}]}))
    assert hooks.read_settings(file) == Settings(failures=3, sinks=[{"kind": "slack", "url": "https://a"}])


def test_changes_are_alerted_from_threads_of_their_own():
    before = threading.active_count()
    with Recorder() as recorder:
        calls = Hooks(Settings(host="alpha", cooldown_s=0.001, sinks=[{"kind": "webhook", "url": recorder.url}]))
        calls.callback.start()
        calls.callback.start()
        assert threading.active_count() - before <= 2  # the recorder answers in one more

        async def fails_and_recovers():
            for _ in range(5):
                await calls.ask(Status(500))
            await asyncio.sleep(0.01)
            await calls.ask(Status(500))
            await asyncio.sleep(0.01)
            await calls.ask()

        asyncio.run(fails_and_recovers())
        wait_for(lambda: len(recorder.got) == 2, 10)
    assert [body["status"] for body in recorder.got] == ["firing", "resolved"]
    assert "secret prompt" not in json.dumps(recorder.got)
