"""A batch of entries in, what it says at once out: restarts, starts, stops, lost lines, whose end is told, who says something new."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from forensics.attempts.manager_messages import BY_MESSAGE_ID, ManagerMessage
from forensics.signatures import line_level
from forensics.speakers import Speaker, speakers

# "Stopped" is also said between an end and its restart; then the job is no stop
NO_ENDS = {ManagerMessage.STARTING, ManagerMessage.STARTED, ManagerMessage.STOPPING, ManagerMessage.RESTART, ManagerMessage.RESOURCES}
MOST_HEARD = 50_000
LONGEST = 300  # letters of a line that tell whether it was heard before
NUMBERED = re.compile(r"\w*\d\w*")
FIELDS = ("message_id", "unit", "message", "job_type", "invocation", "boot")


@dataclass(frozen=True, slots=True)
class Restart:
    """counter: systemd's, null where it is not recorded."""

    unit: str
    time: datetime
    counter: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch brought."""

    restarts: tuple[Restart, ...] = ()
    started: tuple[tuple[str, str], ...] = ()  # (unit, run)
    stopped: tuple[tuple[str, datetime], ...] = ()  # on request, also while it waited for its restart
    ending: frozenset[str] = frozenset()  # units about whose end the manager says something
    news: frozenset[str] = frozenset()  # units about which something is said for the first time
    alarming: frozenset[str] = frozenset()  # of them those that say of themselves that something is wrong
    host: str = ""
    boot: str = ""  # of the newest entry
    dropped: int = 0  # lines that journald says it lost


@dataclass(slots=True)
class Ears:
    """Remembers which lines were heard of which unit; words with a digit in them count as the same."""

    _heard: set[int] = field(default_factory=set)

    def listen(self, new: pl.DataFrame) -> Seen:
        """new: model.ENTRIES. A row costs about 4 µs: a busy host writes some hundred a second."""
        by = speakers(new)
        texts = new.select(*(pl.col(name).cast(pl.String) for name in FIELDS), "time", "restart_counter", by=by)
        restarts, started, stopped, ending, news = [], [], [], set(), set()
        words: list[tuple[str, str]] = []
        for id_, unit, text, job, run, _, time, counter, speaker in texts.filter(pl.col("unit").is_not_null()).iter_rows():
            if self._is_new(unit, text):
                news.add(unit)
                if speaker == Speaker.SERVICE:
                    words.append((unit, text))
            # a service may write any MESSAGE_ID about itself
            if speaker != Speaker.MANAGER or id_ is None or (says := BY_MESSAGE_ID.get(id_)) is None:
                continue
            if says == ManagerMessage.RESTART:
                restarts.append(Restart(unit, time, counter))
            elif says == ManagerMessage.STARTED:
                started.append((unit, run or ""))
            elif says == ManagerMessage.STOPPED and job == "stop":
                stopped.append((unit, time))
            if says not in NO_ENDS:
                ending.add(unit)
        return Seen(
            restarts=tuple(restarts),
            started=tuple(started),
            stopped=tuple(stopped),
            ending=frozenset(ending),
            news=frozenset(news),
            alarming=_alarming(words),
            host=str(new["host"].drop_nulls().last() or "") if new["host"].count() else "",
            boot=str(texts["boot"].last() or "") if len(texts) else "",
            dropped=int(new["dropped"].filter(by == Speaker.JOURNALD).sum() or 0),
        )

    def _is_new(self, unit: str, text: str | None) -> bool:
        shape = hash((unit, NUMBERED.sub("0", (text or "")[:LONGEST])))
        if shape in self._heard:
            return False
        if len(self._heard) >= MOST_HEARD:
            self._heard.clear()
        self._heard.add(shape)
        return True


def _alarming(words: list[tuple[str, str]]) -> frozenset[str]:
    if not words:
        return frozenset()
    frame = pl.DataFrame(words, schema={"unit": pl.String, "text": pl.String}, orient="row").drop_nulls()
    loud = line_level.reports_error(pl.col("text")) | line_level.complains(pl.col("text"))
    return frozenset(frame.filter(loud)["unit"])
