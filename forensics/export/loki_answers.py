"""Read Loki's answers to a push: whether to try again, which lines are refused and why, and what helps.

Measured on Loki 3.4.6 and 3.7.6, where a 400 or 429 may have stored a part of the request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from forensics.alerting.sinks.http import TEMPORARY, Answer
from forensics.export.loki_streams import Line
from forensics.sanitize import safe_line

_PARTLY = re.compile(r"total ignored: (\d{1,12}) out of (\d{1,12})")
_ACCEPTABLE = re.compile(r"oldest acceptable timestamp is: (\S+Z)")
_IGNORED = re.compile(r"entry with timestamp (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? \+0000 UTC ignored")
_STREAM = re.compile(r"\{[^{}]*\}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| \+0000 UTC)")
_TENANT = re.compile(r"\b(?:tenant|org) ?id\b", re.IGNORECASE)
_NEVER_TEMPORARY = frozenset({501, 505})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why Loki refuses lines, for a user: what is wrong and what helps."""

    pattern: re.Pattern[str]
    text: str
    remedy: str


BEHIND = Problem(
    re.compile("too far behind|out of order", re.IGNORECASE),
    "too far behind: their streams have lines more than an hour newer, and Loki does not show these",
    "push again when the streams have had no new lines for half an hour (chunk_idle_period)",
)
TOO_OLD = Problem(
    re.compile("timestamp too old", re.IGNORECASE),
    "timestamp too old",
    "set reject_old_samples to false, or raise reject_old_samples_max_age, in Loki's limits_config; or push a shorter window, "
    "such as --since 6d with Loki's default of a week",
)
PROBLEMS = (
    BEHIND,
    TOO_OLD,
    Problem(re.compile("timestamp too new", re.IGNORECASE), "timestamp too new", "compare the clocks of Loki's host and of this journal"),
    Problem(re.compile("max entry size", re.IGNORECASE), "line too long for Loki", "raise max_line_size in Loki's limits_config"),
)


TOO_OLD_ANSWER = Answer(400, TOO_OLD.text)


def problem_of(answer: Answer) -> Problem | None:
    """Recognise why lines were refused."""
    return next((problem for problem in PROBLEMS if problem.pattern.search(answer.text)), None)


def reason(answer: Answer) -> str:
    """Write why lines were refused and what helps; equal for answers that differ in times and streams only."""
    problem = problem_of(answer)
    if problem is not None:
        return f"{problem.text}; {problem.remedy}"
    text = _TIME.sub("…", _STREAM.sub("{…}", _PARTLY.sub("", answer.text)))
    return explained(replace(answer, text=text))


def explained(answer: Answer) -> str:
    """Write status and text of an answer, safe to show."""
    text = safe_line(answer.text).strip(" ,;.")
    return f"HTTP {answer.status} {text}".strip() if answer.status else text


def is_temporary(answer: Answer) -> bool:
    """Whether the same request may be accepted later; a status of 0 is no answer."""
    return answer.status in {0, *TEMPORARY} or (answer.status >= 500 and answer.status not in _NEVER_TEMPORARY)


def refusal_of_all(answer: Answer) -> str | None:
    """Explain an answer that would be the same for every line; None for other answers."""
    answered, names_tenant = explained(answer), bool(_TENANT.search(_STREAM.sub("", answer.text)))
    if answer.status in {401, 403} or (answer.status == 400 and names_tenant):
        remedy = "name a valid tenant with --tenant" if names_tenant else "give a token that may push with --token-file"
        return f"Loki refuses every line ({answered}); {remedy}"
    if answer.status == 413:
        return f"A server before Loki refuses requests of 256 KiB ({answered}); raise its limit, in nginx client_max_body_size"
    if answer.status in {400, 422} or is_temporary(answer):
        return None
    return f"No Loki takes lines at this URL ({answered}); give --url without /loki/api/v1/push, with the prefix of a proxy if there is one"


def ignored_count(answer: Answer, size: int) -> int | None:
    """Read how many of a request's `size` lines were ignored; the others are stored."""
    partly = _PARTLY.search(answer.text)
    return int(partly[1]) if partly and int(partly[2]) == size else None


def dropped_as_too_old(answer: Answer, size: int) -> int:
    """Count the lines of a request that were dropped before the stream saw it: the first ones, and silently."""
    partly = _PARTLY.search(answer.text)
    if partly is None or problem_of(answer) is not BEHIND or "__stream_shard__" in answer.text:
        return 0
    return max(0, size - int(partly[2]))


def stored_before_limit(answer: Answer, batch: Sequence[Line]) -> int:
    """Count the lines that a rate limit let pass before the first that it ignored; Loki takes lines in order."""
    ignored = ignored_count(answer, len(batch))
    if ignored is None:
        return 0
    first = _IGNORED.search(answer.text)
    if first is not None and (second := _nanoseconds(f"{first[1]}T{first[2]}Z")) is not None:
        at = second + int((first[3] or "0").ljust(9, "0"))
        return sum(1 for line in batch if line[0] < at)
    return len(batch) - ignored


def count_of_older(answer: Answer, batch: Sequence[Line]) -> int | None:
    """Count the lines older than Loki takes, by its number or by the time that it names; None if it names neither.

    They are the first of a batch, whose lines ascend in time.
    """
    ignored = ignored_count(answer, len(batch))
    if ignored is not None:
        return ignored
    acceptable, second = _ACCEPTABLE.search(answer.text), 1_000_000_000  # Loki cuts the fraction off
    oldest = _nanoseconds(acceptable[1]) if acceptable else None
    if oldest is None:
        return None
    older = sum(1 for line in batch if line[0] < oldest)
    return older or sum(1 for line in batch if line[0] < oldest + second)


def _nanoseconds(text: str) -> int | None:
    """Read a time; None for what is none."""
    try:
        return _whole_second(text)
    except (ValueError, OverflowError):
        return None


def _whole_second(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(microsecond=0).astimezone(UTC).timestamp()) * 1_000_000_000
