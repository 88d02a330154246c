"""Decide whether LiteLLM may ask a deployment: the circuit breaker of `generate litellm`, without anything of LiteLLM.

generate/litellm.py joins it with litellm_alerts.py, litellm_checks.py and litellm_hooks.py into tabby_breaker.py, which needs nothing
of this program. None has `from __future__ import annotations`: LiteLLM loads the file without a name that dataclasses could look up.
"""

import collections
import platform
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"
# TabbyAPI and Ollama refuse, with a server's error, kinds of requests that their model is not made for: those say nothing about it
GENERATING = ("acompletion", "atext_completion", "aresponses", "anthropic_messages")
MOST_REQUESTS = 10_000  # under way at once; older ones are forgotten, and their probes end with the lease


@dataclass(frozen=True)
class Settings:
    """What tabby_breaker.json may set. deployments: id → unit and the URL of its health check; sinks: kind, url and token each."""

    failures: int = 5  # in a row
    cooldown_s: float = 60.0
    lease_s: float = 125.0  # of a probe that neither ends nor sends: longer than LiteLLM's own time-out
    bad_checks: int = 2  # in a row
    check_every_s: float = 30.0
    check_within_s: float = 10.0
    metrics_file: str = ""
    host: str = field(default_factory=platform.node)
    call_types: Sequence[str] = GENERATING
    deployments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sinks: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Breaker:
    """One deployment's breaker. epoch: number of its changes; an answer counts only in the epoch in which its request was let through."""

    state: str = CLOSED
    epoch: int = 0
    failures: int = 0  # in a row
    bad_checks: int = 0  # in a row
    check_is_trusted: bool = True  # not while requests succeed although checks fail
    opened_at: float = 0.0
    probe_until: float | None = None  # end of the lease of the probe that is under way
    opened: int = 0
    probes: int = 0


def admitted(breaker: Breaker, now: float, limits: Settings) -> tuple[Breaker, bool]:
    """Decide on a request: once the cooldown is over exactly one may probe, until it ends or its lease does."""
    if breaker.state == CLOSED:
        return breaker, True
    if breaker.state == OPEN and now - breaker.opened_at < limits.cooldown_s:
        return breaker, False
    if breaker.probe_until is not None and now < breaker.probe_until:
        return breaker, False
    lease = now + limits.lease_s
    return replace(breaker, state=HALF_OPEN, epoch=breaker.epoch + 1, probe_until=lease, probes=breaker.probes + 1), True


def succeeded(breaker: Breaker, epoch: int) -> Breaker:
    """Count an answer; that of a probe closes."""
    if epoch != breaker.epoch:
        return breaker
    if breaker.state == CLOSED:
        return replace(breaker, failures=0, bad_checks=0)
    return _closed(replace(breaker, check_is_trusted=breaker.bad_checks == 0))


def failed(breaker: Breaker, epoch: int, now: float, limits: Settings) -> Breaker:
    """Count a failure: the last one in a row opens, and so does that of a probe."""
    if epoch != breaker.epoch:
        return breaker
    if breaker.state == HALF_OPEN or breaker.failures + 1 >= limits.failures:
        return _opened(breaker, now)
    return replace(breaker, failures=breaker.failures + 1)


def released(breaker: Breaker, epoch: int) -> Breaker:
    """End a probe that shows nothing: its request was cancelled, never sent, or the client's own mistake."""
    if epoch != breaker.epoch or breaker.state != HALF_OPEN:
        return breaker
    return replace(breaker, epoch=breaker.epoch + 1, probe_until=None)


def renewed(breaker: Breaker, epoch: int, now: float, limits: Settings) -> Breaker:
    """Extend the lease of a probe whose stream goes on."""
    return replace(breaker, probe_until=now + limits.lease_s) if epoch == breaker.epoch and breaker.state == HALF_OPEN else breaker


def checked(breaker: Breaker, now: float, limits: Settings, *, healthy: bool) -> Breaker:
    """Count a health check: bad ones in a row open, and a good one after them closes."""
    if healthy:
        was_down = breaker.bad_checks >= limits.bad_checks
        breaker = replace(breaker, bad_checks=0, check_is_trusted=True)
        return _closed(breaker) if was_down and breaker.state != CLOSED else breaker
    breaker = replace(breaker, bad_checks=breaker.bad_checks + 1)
    if breaker.state == CLOSED and breaker.bad_checks >= limits.bad_checks and breaker.check_is_trusted:
        return _opened(breaker, now)
    return breaker


def _opened(breaker: Breaker, now: float) -> Breaker:
    count = breaker.opened + (breaker.state == CLOSED)
    return replace(breaker, state=OPEN, epoch=breaker.epoch + 1, failures=0, opened_at=now, probe_until=None, opened=count)


def _closed(breaker: Breaker) -> Breaker:
    return replace(breaker, state=CLOSED, epoch=breaker.epoch + 1, failures=0, bad_checks=0, probe_until=None)


Change = Callable[[str, Breaker, Breaker, str], None]  # deployment, before, after, why


class Breakers:
    """The breakers of all deployments, and which requests are under way. Only `check` is called from other threads than the others."""

    def __init__(self, limits: Settings, changed: Change, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.now = limits, clock
        self.all: dict[str, Breaker] = {name: Breaker() for name in limits.deployments}
        self._changed = changed
        self._lock = threading.Lock()
        self._granted: collections.OrderedDict[str, dict[str, int]] = collections.OrderedDict()  # request → deployment → epoch
        self._sent: dict[str, str] = {}  # request → deployment that was asked last and has not answered

    def choose(self, request: str, names: Sequence[str]) -> list[str]:
        """Return the deployments that a request may ask; where one of them is to be probed, only that one."""
        self.drop(request)
        chosen: dict[str, int] = {}
        for name in names:
            with self._lock:
                after, may = admitted(self.all.get(name, Breaker()), self.now(), self.limits)
                self.all[name] = after
            if may and after.state == HALF_OPEN:
                chosen = {name: after.epoch}
                break
            if may:
                chosen[name] = after.epoch
        if chosen:
            self._granted.setdefault(request, {}).update(chosen)
        while len(self._granted) > MOST_REQUESTS:
            self._sent.pop(self._granted.popitem(last=False)[0], None)
        return list(chosen)

    def sent(self, request: str, name: str) -> None:
        """Note that a deployment is asked. The one that was asked before has not answered: its stream broke off."""
        self.ended(request, "its stream broke off")
        self._sent[request] = name

    def answered(self, request: str, name: str) -> None:
        self._forget(request, name)
        self._update(name, succeeded, request, "it answers again")

    def refused(self, request: str, name: str, why: str, *, counts: bool) -> None:
        """Count a failed attempt, unless it is the client's own mistake."""
        self._forget(request, name)
        probes = self.all.get(name, Breaker()).state == HALF_OPEN
        why = f"its probe failed: {why}" if probes else f"{self.limits.failures} failures in a row, the last one: {why}"
        if counts:
            self._update(name, lambda breaker, epoch: failed(breaker, epoch, self.now(), self.limits), request, why)
        else:
            self._update(name, released, request, why)

    def ended(self, request: str, why: str = "", *, counts: bool = True) -> None:
        """Note the end of a stream, without a reason for it a good one."""
        name = self._sent.pop(request, None)
        if name is not None and why:
            self.refused(request, name, why, counts=counts)
        elif name is not None:
            self.answered(request, name)

    def goes_on(self, request: str) -> None:
        """Note that a stream has sent something."""
        name = self._sent.get(request)
        if name is not None and self.all[name].state == HALF_OPEN:
            self._update(name, lambda breaker, epoch: renewed(breaker, epoch, self.now(), self.limits), request, "", keep=True)

    def drop(self, request: str, *, also_sent: bool = False) -> None:
        """Give up what a request was granted and has not used."""
        under_way = None if also_sent else self._sent.get(request)
        for name in [name for name in self._granted.get(request, ()) if name != under_way]:
            self._update(name, released, request, "")
        if also_sent:
            self._sent.pop(request, None)

    def check(self, name: str, *, healthy: bool) -> None:
        """Count a health check."""
        why = "its health check succeeds again" if healthy else f"{self.limits.bad_checks} health checks in a row failed"
        self._change(name, lambda breaker: checked(breaker, self.now(), self.limits, healthy=healthy), why)

    def _forget(self, request: str, name: str) -> None:
        if self._sent.get(request) == name:
            del self._sent[request]

    def _update(self, name: str, step: Callable[[Breaker, int], Breaker], request: str, why: str, *, keep: bool = False) -> None:
        granted = self._granted.get(request, {})
        epoch = granted.get(name) if keep else granted.pop(name, None)
        if not granted:
            self._granted.pop(request, None)
        if epoch is not None:
            self._change(name, lambda breaker: step(breaker, epoch), why)

    def _change(self, name: str, step: Callable[[Breaker], Breaker], why: str) -> None:
        with self._lock:
            before = self.all.get(name, Breaker())
            after = self.all[name] = step(before)
            if before.state != after.state:
                self._changed(name, before, after, why)
