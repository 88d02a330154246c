"""What the store has of the past in, a tracker that knows its failures out: no alert will call them new."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import polars as pl

from forensics.decisions import read_decisions
from forensics.errors import NothingRecordedError
from forensics.ingestion import ingest_sources
from forensics.live.tracker import Tracker
from forensics.pipeline import read_history
from forensics.settings import Settings, decisions_file
from forensics.signatures import catalogue
from forensics.signatures.survived import problems


def learned(settings: Settings) -> Tracker:
    """The failures of the window and the sources that `settings` names, which are ingested first.

    In a process of its own: a month of history takes memory that the watching, which goes on for months, does not need.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(learn, settings).result()


def learn(settings: Settings) -> Tracker:
    """As `learned`, in this process."""
    tracker = Tracker()
    try:
        if settings.sources.are_the_hosts_own:
            ingest_sources(settings.sources, settings.store)
        known, decisions = catalogue.load(settings.pattern_folders), read_decisions(decisions_file())
        history = read_history(settings, known, decisions)
    except NothingRecordedError:
        return tracker
    failed = history.labelled.labels.filter("failed").join(history.assembly.attempts.select("attempt", "unit", "ended"), on="attempt")
    times = pl.col("ended").drop_nulls().dt.epoch("ms") / 1000
    of_class = failed.group_by("unit", "signature").agg(first=times.min(), last=times.max(), count=pl.len())
    for unit, signature, first, last, count in of_class.drop_nulls().sort("unit", "signature").iter_rows():
        tracker.learn(unit, signature, first, last, count)
    units = history.assembly.attempts.select("attempt", "unit")
    told = problems(history.assembly.events, known).join(units, on="attempt").select("unit", "signature").unique()
    tracker.survived = {f"{unit} {decisions.shown_as(signature)}" for unit, signature in told.iter_rows()}
    return tracker
