"""Connect the breakers to the LiteLLM proxy: which deployments it may ask, and how each attempt ended.

Measured on LiteLLM 1.106.2 and 1.108.0: all hooks carry the id of the request; a stream that breaks off before its first word becomes the
next attempt of the same request, and no hook is called for it; one that breaks off later is an error in the stream.
"""

import asyncio
import json
import logging
import os
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from forensics.generate.litellm_alerts import MOST_ALERTS, SINKS, Alert, deliver
from forensics.generate.litellm_breaker import CLOSED, Breaker, Breakers, Settings
from forensics.generate.litellm_checks import Collector, check_for_ever, write_for_ever

try:
    from litellm.integrations.custom_logger import CustomLogger
except ImportError:  # the tests of this file need no LiteLLM
    CustomLogger = object

CLIENTS_FAULT = frozenset({400, 413, 415, 422})  # also contexts that are too long, refused contents, TabbyAPI's "cancelled by user"
NEEDED = (
    "async_filter_deployments",
    "async_pre_call_deployment_hook",
    "async_post_call_success_deployment_hook",
    "async_post_call_failure_deployment_hook",  # the newest: in 1.100.0, not yet in 1.99.0
    "async_post_call_streaming_iterator_hook",
)
log = logging.getLogger("tabby_breaker")


def read_settings(file: Path) -> Settings:
    """Read tabby_breaker.json; what is missing or of no use has its default, with a line in the log."""
    try:
        given = dict(json.loads(file.read_text()).items())
        known = {each.name: given[each.name] for each in fields(Settings) if each.name in given}
        settings = Settings(**known)
        _refuse_bad(settings)
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        log.warning("%s cannot be used: no health checks, no alerts: %s", file, error)
        return Settings()
    return settings


def _refuse_bad(settings: Settings) -> None:
    """Raises ValueError for settings that would fail later."""
    for name in ("failures", "cooldown_s", "lease_s", "bad_checks", "check_every_s", "check_within_s"):
        if not isinstance(getattr(settings, name), int | float) or getattr(settings, name) <= 0:
            raise ValueError(f"{name} is not a number above 0")
    for sink in settings.sinks:
        if sink["kind"] not in SINKS:
            raise ValueError(f"there is no sink {sink['kind']!r}")
    urls = [each["health"] for each in settings.deployments.values() if each.get("health")] + [sink["url"] for sink in settings.sinks]
    if not all(url.startswith(("http://", "https://")) for url in urls):
        raise ValueError("a URL does not start with http:// or https://")


class TabbyBreaker(CustomLogger):  # type: ignore[misc]
    """The callback. It fails open: an error of its own, or a LiteLLM without its hooks, lets every request through."""

    def __init__(self, settings: Settings, hooks: object = CustomLogger) -> None:
        super().__init__()
        self.settings = settings
        self.breakers = Breakers(settings, self._changed)
        self._alerts: dict[str, Alert] = {}
        self._queues: list[queue.Queue[Alert]] = []
        self._process = 0
        self._has_failed = False
        missing = [name for name in NEEDED if not hasattr(hooks, name)]
        self.acts = not missing
        if missing:
            log.error("this LiteLLM has no %s: the breaker lets every request through", ", ".join(missing))

    def start(self) -> None:
        """Start the threads once in each process: a worker may be a copy of one that has them."""
        if self._process == os.getpid() or not self.acts:
            return
        self._process = os.getpid()
        self._queues = [queue.Queue(MOST_ALERTS) for _ in self.settings.sinks]
        for sink, waiting in zip(self.settings.sinks, self._queues, strict=True):
            _in_thread(deliver, sink, waiting)
        for name, each in self.settings.deployments.items():
            if each.get("health"):
                _in_thread(check_for_ever, name, each["health"], self.breakers)
        if self.settings.metrics_file:
            _in_thread(write_for_ever, Path(self.settings.metrics_file), self.breakers)

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: Any,
        messages: Any,
        request_kwargs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """Leave out the deployments that may not be asked. more: what this version of LiteLLM or a newer one passes besides."""
        del model, messages, more
        chosen = self._safely(lambda: self._chosen(healthy_deployments, request_kwargs or {}))
        return healthy_deployments if chosen is None else chosen

    def _chosen(self, deployments: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        self.start()
        request = str(asked.get("litellm_call_id"))
        names = self.breakers.choose(request, [each["model_info"]["id"] for each in deployments])
        task, streams = asyncio.current_task(), bool(asked.get("stream"))
        if task is not None:
            task.add_done_callback(lambda done: self.breakers.drop(request, also_sent=done.cancelled() or not streams))
        return [each for each in deployments if each["model_info"]["id"] in names]

    async def async_pre_call_deployment_hook(self, kwargs: Mapping[str, Any], call_type: Any, **more: Any) -> None:
        del call_type, more
        self._safely(lambda: self.breakers.sent(_request(kwargs), _deployment(kwargs)))

    async def async_post_call_success_deployment_hook(
        self, request_data: Mapping[str, Any], response: Any, call_type: Any, **more: Any
    ) -> None:
        """Count an answer: not a stream, whose end is noted where it is read, nor nothing, which LiteLLM can make of a refusal."""
        del more
        request, name = _request(request_data), _deployment(request_data)
        if response is None or not self._is_generating(call_type):
            self._safely(lambda: self.breakers.refused(request, name, "it answered nothing", counts=False))
        else:
            self._safely(lambda: self.breakers.answered(request, name))

    async def async_post_call_failure_deployment_hook(
        self, request_data: Mapping[str, Any], exception: Exception, call_type: Any, **more: Any
    ) -> None:
        del more
        counts = self._is_generating(call_type) and is_servers_fault(exception)
        request, name, why = _request(request_data), _deployment(request_data), _why(exception)
        self._safely(lambda: self.breakers.refused(request, name, why, counts=counts))

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: AsyncIterator[Any], request_data: Mapping[str, Any], **more: Any
    ) -> AsyncIterator[Any]:
        """Pass a stream on; note how it ended. A client that hung up shows nothing."""
        del user_api_key_dict, more
        request = _request(request_data)
        try:
            async for chunk in response:
                self._safely(lambda: self.breakers.goes_on(request))
                yield chunk
        except Exception as error:
            counts, why = is_servers_fault(error), _why(error)
            self._safely(lambda: self.breakers.ended(request, why, counts=counts))
            raise
        except BaseException:
            self._safely(lambda: self.breakers.drop(request, also_sent=True))
            raise
        self._safely(lambda: self.breakers.ended(request))

    def _is_generating(self, call_type: Any) -> bool:
        return getattr(call_type, "value", call_type) in self.settings.call_types

    def _safely(self, step: Callable[[], Any]) -> Any:
        """Take a step; None where it cannot be taken."""
        try:
            return step() if self.acts else None
        except Exception:
            if not self._has_failed:
                log.exception("the breaker failed and lets requests through; it will not say so again")
            self._has_failed = True
            return None

    def _changed(self, name: str, before: Breaker, after: Breaker, why: str) -> None:
        """Log a change, and send an alert when a deployment is no longer asked, and when it is again."""
        log.warning("%s is %s, it was %s: %s", name, after.state, before.state, why)
        if before.state == CLOSED:
            unit = self.settings.deployments.get(name, {}).get("unit", "")
            self._alerts[name] = Alert(name, unit, self.settings.host, why, time.time())
            self._send(self._alerts[name])
        elif after.state == CLOSED and name in self._alerts:
            self._send(replace(self._alerts.pop(name), why=why, ended_at=time.time()))

    def _send(self, alert: Alert) -> None:
        for waiting in self._queues:
            with suppress(queue.Full):  # its sink takes nothing, and a hundred alerts wait for it
                waiting.put_nowait(alert)


def is_servers_fault(error: BaseException) -> bool:
    """Whether a failure is the deployment's: not a request that no deployment would answer."""
    return getattr(error, "status_code", None) not in CLIENTS_FAULT


def _why(error: Exception) -> str:
    """Name a failure without its text, which may quote a prompt."""
    status = getattr(error, "status_code", None)
    return type(error).__name__ + (f" (HTTP {status})" if status else "")


def _request(kwargs: Mapping[str, Any]) -> str:
    return str(kwargs.get("litellm_call_id"))


def _deployment(kwargs: Mapping[str, Any]) -> str:
    """Find a deployment's id where each of LiteLLM's endpoints puts it."""
    for place in (kwargs, kwargs.get("metadata"), kwargs.get("litellm_metadata")):
        information = place.get("model_info") if isinstance(place, Mapping) else None
        if isinstance(information, Mapping) and information.get("id"):
            return str(information["id"])
    return ""


def _in_thread(function: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, daemon=True, name=f"tabby-breaker-{function.__name__}").start()


def _show_among_litellms_metrics(breakers: Breakers) -> None:
    try:
        from prometheus_client import REGISTRY  # noqa: PLC0415 - LiteLLM does not bring it
    except ImportError:
        return
    with suppress(ValueError):  # this file was loaded before
        REGISTRY.register(Collector(breakers))


def loaded(file: Path) -> TabbyBreaker:
    """Make the callback that LiteLLM asks for, with the settings beside `file`."""
    breaker = TabbyBreaker(read_settings(file.with_suffix(".json")))
    breaker.start()
    _show_among_litellms_metrics(breaker.breakers)
    return breaker
