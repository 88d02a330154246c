"""Show that `watch` reads history: in its metrics, to the service manager, and in sentences."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from forensics.watch.metrics import Metrics

SAY_EVERY_S = 5.0


class StoppedError(Exception):
    """`watch` was stopped before it had read history."""


@dataclass(slots=True)
class Learning:
    """say: for sentences. notify: sd_notify. is_stopping: whether `watch` is to end."""

    metrics: Metrics
    say: Callable[[str], object] = lambda _: None
    notify: Callable[[str], object] = lambda _: None
    is_stopping: Callable[[], bool] = lambda: False
    _began: float | None = None
    _next_sentence: float = field(default=0.0)

    def beat(self, share: float) -> None:
        """Note which share of history is read. Raises StoppedError."""
        if self.is_stopping():
            raise StoppedError
        now = time.monotonic()
        self.metrics.alive_at = now
        self.metrics.learns(share)
        self.notify("WATCHDOG=1")
        if self._began is None:
            self._began = now
            self._next_sentence = now + SAY_EVERY_S
            self.say("learning… known failures are read from history; what fails meanwhile alerts afterwards.")
        elif now >= self._next_sentence:
            self._next_sentence = now + SAY_EVERY_S
            self.say(f"learning… {share:.0%} of history is read.")
        self.notify(f"STATUS=learning: {share:.0%} of history is read")

    def end(self) -> float | None:
        """Note that history is read; return how many seconds that took, null where there was nothing to read."""
        self.metrics.learns(None)
        self.notify("STATUS=watching")
        return None if self._began is None else time.monotonic() - self._began
