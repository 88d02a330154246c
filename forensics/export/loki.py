"""Push streams to Loki and account for every line.

Loki stores a line that it has already only once, as long as it goes to the same stream. While a stream is fast (1,536 KB/s) Loki splits
it (`shard_streams`), and a line that is sent again may then be stored twice. 256 KiB every 0.4 s was measured not to be split.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from forensics.alerting.sinks.http import Answer
from forensics.errors import ForensicsError
from forensics.export.loki_accepted import Accepted, digests
from forensics.export.loki_answers import (
    BEHIND,
    TOO_OLD,
    TOO_OLD_ANSWER,
    count_of_older,
    dropped_as_too_old,
    explained,
    ignored_count,
    is_temporary,
    problem_of,
    reason,
    refusal_of_all,
    stored_before_limit,
)
from forensics.export.loki_client import NO_ANSWER, LokiClient
from forensics.export.loki_streams import MOST_BYTES, Line, LogStream, as_value, batches

TRIES = 8  # of a request that Loki neither accepts nor refuses; the waits between them double
FIRST_TRIES = 3  # while nothing has answered yet
TRIES_BEFORE_HALVING = 3  # a rate limit whose burst is smaller than the request refuses it for ever
MOST_REFUSED_IN_A_ROW = 64
LONGEST_WAIT_S = 60.0
LONGEST_RETRY_AFTER_S = 300.0
PAUSE_S = 0.4  # between two requests of MOST_BYTES to one stream
TOO_MANY_REQUESTS = 429


@dataclass(slots=True)
class Pushed:
    """Lines so far. present: Loki had them before; reasons: why lines were refused, with their number."""

    accepted: int = 0
    present: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def refuse(self, number: int, why: str) -> None:
        self.refused += number
        self.reasons[why] += number


@dataclass(slots=True)
class LokiPush:
    """A push to one Loki. wait: sleeps for seconds; notice: prints a sentence for the user."""

    client: LokiClient
    record: Accepted
    wait: Callable[[float], object] = time.sleep
    notice: Callable[[str], object] = str
    pushed: Pushed = field(default_factory=Pushed)
    has_answered: bool = False
    noticed: set[int] = field(default_factory=set)  # statuses that the user knows of
    refused_in_a_row: int = 0
    last_sent: tuple[str, int] = ("", 0)  # stream and bytes

    def push(self, streams: Sequence[LogStream]) -> None:
        """Push the lines that the continued push has not delivered. Raises ForensicsError for what concerns every line."""
        with self.record:
            for stream in streams:
                self._push_stream(stream)
            self.record.finish()

    def _push_stream(self, stream: LogStream) -> None:
        lines = self.record.undelivered(stream)
        self.pushed.present += stream.lines.height - lines.height
        for batch in batches(lines):
            hashes = digests(stream, batch)
            sent_before = self.record.was_in_flight(hashes)
            self.record.begin(hashes)
            self._deliver(stream, batch, sent_before=sent_before)

    def _deliver(self, stream: LogStream, batch: Sequence[Line], *, sent_before: bool) -> None:
        """Send lines until Loki has accepted or refused each. sent_before: in a request that Loki may have stored."""
        tries = 0
        while batch:
            answer = self._send(stream, batch)
            if answer.status in range(200, 300):
                self._accept(stream, batch)
                return
            if not is_temporary(answer):
                batch = self._handle_refusal(stream, batch, answer, sent_before=sent_before)
                sent_before |= problem_of(answer) is TOO_OLD  # Loki names this reason only where it stored all other lines
                continue
            stored = stored_before_limit(answer, batch)
            self._accept(stream, batch[:stored])
            if answer.status != TOO_MANY_REQUESTS:
                sent_before = True
            elif ignored_count(answer, len(batch)) is not None:
                sent_before = False
            batch, tries = batch[stored:], 0 if stored else tries + 1
            self._wait_after(answer, tries)
            if answer.status == TOO_MANY_REQUESTS and tries == TRIES_BEFORE_HALVING and len(batch) > 1:
                self._deliver_halves(stream, batch, sent_before=sent_before)
                return

    def _deliver_halves(self, stream: LogStream, batch: Sequence[Line], *, sent_before: bool) -> None:
        middle = len(batch) // 2
        self._deliver(stream, batch[:middle], sent_before=sent_before)
        self._deliver(stream, batch[middle:], sent_before=sent_before)

    def _wait_after(self, answer: Answer, tries: int) -> None:
        """Wait longer after each try, or as long as Loki asks for. Raises ForensicsError after the last one."""
        what = "does not answer" if answer.status == NO_ANSWER else "does not accept lines now"
        if tries >= (TRIES if self.has_answered else FIRST_TRIES):
            raise ForensicsError(f"Loki {what} ({explained(answer)})")
        seconds = min(2.0 ** max(tries - 1, 0), LONGEST_WAIT_S)
        if answer.retry_after is not None:
            seconds = max(seconds, min(answer.retry_after, LONGEST_RETRY_AFTER_S))
        if answer.status not in self.noticed:
            self.noticed.add(answer.status)
            self.notice(f"Loki {what} ({explained(answer)}); trying again.")
        self.wait(seconds)

    def _handle_refusal(self, stream: LogStream, batch: Sequence[Line], answer: Answer, *, sent_before: bool) -> Sequence[Line]:
        """Account for the refused lines of a batch, and return those that must be sent again."""
        if sentence := refusal_of_all(answer):
            raise ForensicsError(sentence)
        if dropped := dropped_as_too_old(answer, len(batch)):
            self._judge_older(stream, batch[:dropped], TOO_OLD_ANSWER, was_stored=False)
            return batch[dropped:]
        problem, ignored = problem_of(answer), ignored_count(answer, len(batch))
        older = count_of_older(answer, batch) if problem in {BEHIND, TOO_OLD} else None
        if older:
            # if not even the last line is accepted, the newer ones came from another push, not from an earlier try of this request
            was_stored = sent_before and problem is BEHIND and older < len(batch)
            self._judge_older(stream, batch[:older], answer, was_stored=was_stored)
            if ignored is None:
                return batch[older:]
            self._accept(stream, batch[older:])
        elif ignored is not None:
            self.pushed.accepted += len(batch) - ignored
            self.pushed.refuse(ignored, reason(answer))
        elif len(batch) == 1:
            self._refuse_one(answer)
        else:
            self._search(stream, batch, answer, sent_before=sent_before)
        return ()

    def _refuse_one(self, answer: Answer) -> None:
        """Count a refused line. Raises ForensicsError after many in a row for an unknown reason, which is then not about lines."""
        self.pushed.refuse(1, reason(answer))
        self.refused_in_a_row += problem_of(answer) is None
        if self.refused_in_a_row >= MOST_REFUSED_IN_A_ROW:
            raise ForensicsError(f"Loki refuses one line after another ({explained(answer)})")

    def _judge_older(self, stream: LogStream, lines: Sequence[Line], answer: Answer, *, was_stored: bool) -> None:
        """Tell the lines that Loki has, and refuses because it has newer ones, from those that it does not have."""
        if was_stored:
            self._accept(stream, lines)
            return
        known = self.record.is_known(digests(stream, lines)).tolist()
        if problem_of(answer) is BEHIND and not all(known):
            stored = self.client.stored(stream, [line for line, is_known in zip(lines, known, strict=True) if not is_known])
            known = [is_known or line[:2] in stored for line, is_known in zip(lines, known, strict=True)]
        present = [line for line, is_known in zip(lines, known, strict=True) if is_known]
        self.record.add(digests(stream, present))
        self.pushed.present += len(present)
        if refused := len(lines) - len(present):
            self.pushed.refuse(refused, reason(answer))

    def _search(self, stream: LogStream, batch: Sequence[Line], answer: Answer, *, sent_before: bool) -> None:
        """Find the lines that Loki refuses without naming them. Raises ForensicsError if it refuses whatever it is sent."""
        if not self.pushed.accepted and problem_of(answer) is None:
            ends = [self._send(stream, batch[:1]), self._send(stream, batch[-1:])]
            if all(end.status == answer.status for end in ends):
                raise ForensicsError(f"Loki refuses every line ({explained(answer)})")
        self._deliver_halves(stream, batch, sent_before=sent_before)

    def _accept(self, stream: LogStream, lines: Sequence[Line]) -> None:
        self.record.add(digests(stream, lines))
        self.pushed.accepted += len(lines)
        self.refused_in_a_row = 0 if lines else self.refused_in_a_row

    def _send(self, stream: LogStream, batch: Sequence[Line]) -> Answer:
        """Send lines, to each stream no faster than Loki takes them undivided."""
        name, size = self.last_sent
        if name == stream.name:
            self.wait(PAUSE_S * size / MOST_BYTES)
        self.last_sent = (stream.name, sum(len(as_value(line)) for line in batch))
        answer = self.client.send(stream, batch)
        self.has_answered |= answer.status != NO_ANSWER
        return answer
