"""Comparisons to show: a week with a new class, one gone, one more often, one too few to tell; incidents of every fate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forensics.compare import compare, facts_of
from forensics.model.values import Report
from tests.report import kinds, sample


def compared() -> Report:
    """The kinds of incidents, compared with a month in which other classes failed."""
    now = kinds.all_kinds()
    job = replace(now.incidents[2], start=kinds.SINCE + timedelta(hours=2))
    now = replace(now, incidents=(*now.incidents[:2], job, *now.incidents[3:]))
    return replace(now, compare=compare(facts_of(earlier()), facts_of(now)))


def earlier() -> Report:
    """The month before: the same job failed already, another unit too."""
    now = kinds.all_kinds()
    back = timedelta(days=30)
    job, recurring = now.incidents[2], now.incidents[3]
    before = kinds.report(
        replace(job, start=job.start - back, detection=replace(job.detection, signal=None)),
        replace(recurring, unit="old.service", start=recurring.start - back, end=recurring.end - back, classes=(_gone(recurring),)),
    )
    return replace(before, window=replace(before.window, since=kinds.SINCE - back, until=kinds.SINCE))


def _gone(incident):
    return replace(incident.classes[0], signature="disk.full", title="The disk is full")


def hostile() -> Report:
    return sample.poisoned(compared())
