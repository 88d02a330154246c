"""Push streams to Loki and account for every line.

Measured on Loki 3.4.6 and 3.7.6: a 400 may have stored a part of the request; 429 comes without Retry-After; a stream accepts lines up to
an hour older than its newest; a line that is stored already is stored once, so that sending again does no harm.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from forensics.alerting.sinks.http import post
from forensics.alerting.sinks.sink import RefusedError, UnreachableError
from forensics.errors import ForensicsError
from forensics.export.loki_streams import Line, LogStream, Position, as_value, batches

TRIES = 8  # of a request that Loki neither accepts nor refuses; the waits between them double
MOST_PROBES = 64  # requests that search for the bad lines of one refused batch
_PARTLY = re.compile(r"total ignored: (\d+) out of (\d+)")
_TOO_OLD = re.compile(r"oldest acceptable timestamp is: (\S+Z)")


@dataclass(slots=True)
class PushState:
    """Lines pushed so far. reasons: Loki's answers for refused lines, with their number. done: the last line that was handled."""

    accepted: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    done: Position | None = None

    def count(self, accepted: int, refused: int, answer: str) -> None:
        self.accepted += accepted
        self.refused += refused
        self.reasons[re.sub(r"\s+", " ", answer)[:200]] += refused


@dataclass(frozen=True, slots=True)
class LokiClient:
    """Pushes to one Loki. wait: sleeps between tries, in seconds."""

    url: str
    tenant: str = ""
    token: str = ""
    wait: Callable[[float], object] = time.sleep

    def push(self, streams: Sequence[LogStream], state: PushState, save: Callable[[PushState], object]) -> None:
        """Push the lines after `state.done`; `save` is called with the state after each batch.

        Raises ForensicsError when Loki does not answer; `state` then has what was accepted so far.
        """
        for stream in streams:
            for batch in batches(stream, state.done):
                self._push_batch(stream, batch, state, [MOST_PROBES])
                state.done = (stream.name, batch[-1][0])
                save(state)

    def _push_batch(self, stream: LogStream, batch: Sequence[Line], state: PushState, probes: list[int]) -> None:
        try:
            self._send(stream, batch)
            state.accepted += len(batch)
        except RefusedError as error:
            self._handle_refusal(stream, batch, str(error), state, probes)

    def _handle_refusal(self, stream: LogStream, batch: Sequence[Line], answer: str, state: PushState, probes: list[int]) -> None:
        """Find out which lines of a refused batch are stored: from Loki's answer, else by pushing its halves."""
        partly, oldest = _PARTLY.search(answer), _TOO_OLD.search(answer)
        if partly and int(partly[2]) == len(batch):
            state.count(len(batch) - int(partly[1]), int(partly[1]), answer)
            return
        old = sum(1 for line in batch if line[0] < _nanoseconds(oldest[1])) if oldest else 0
        if old:
            state.count(0, old, answer)
            if rest := batch[old:]:
                self._push_batch(stream, rest, state, probes)
            return
        probes[0] -= 2
        if len(batch) == 1 or probes[0] < 0:
            state.count(0, len(batch), answer)
            return
        middle = len(batch) // 2
        self._push_batch(stream, batch[:middle], state, probes)
        self._push_batch(stream, batch[middle:], state, probes)

    def _send(self, stream: LogStream, batch: Sequence[Line]) -> None:
        values = ",".join(as_value(line) for line in batch)
        body = f'{{"streams":[{{"stream":{json.dumps(stream.labels)},"values":[{values}]}}]}}'
        headers = {"X-Scope-OrgID": self.tenant} if self.tenant else {}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        for number in range(TRIES):
            try:
                post(f"{self.url.rstrip('/')}/loki/api/v1/push", body.encode(), headers, zipped=True)
            except UnreachableError as error:
                if number == TRIES - 1:
                    raise ForensicsError(f"Loki does not accept the lines: {error}") from None
                self.wait(min(2**number, 60))
            else:
                return


def _nanoseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000_000
