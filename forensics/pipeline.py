"""History on one page: journal → store → entries → attempts → signatures → incidents → Report."""

from __future__ import annotations

import difflib
import fnmatch
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial

import polars as pl

from forensics import __version__
from forensics.assembly import Assembly, assemble
from forensics.attempts import lifecycle_of
from forensics.boots import host_names, machine_ids
from forensics.changes import find_changes
from forensics.changes.shell import is_read_only
from forensics.classes.overrides import Overrides, apply_overrides, read_overrides
from forensics.errors import NothingRecordedError, UsageError
from forensics.incidents import Analysis, Inputs, analyse
from forensics.incidents.gaps import Outside
from forensics.ingest.files import Progress
from forensics.ingest.sources import ingest_or_use_store, ingest_sources
from forensics.model.frames import ENTRIES, checked
from forensics.model.own_entries import is_drill
from forensics.model.values import Asked, Change, Damage, Report, Window
from forensics.paths import overrides_file, store_folder, users_patterns
from forensics.query import Query, unit_pattern
from forensics.resources import folder
from forensics.signatures import Labelled, catalogue, label
from forensics.speakers import is_any
from forensics.store import Store
from forensics.timespec import BootStart
from forensics.wording import plural, zone

Notice = Callable[[str], object]
ALWAYS = Window(None, None)
MOST_NAMED = 8  # units in a sentence
MOST_CHANGES = 200  # of a report
OF_ONE_HOST = ("login", "unit-job", "unit-reload")  # kinds of CHANGES


@dataclass(frozen=True)
class History:
    """What a store holds before incidents are cut: entries, attempts, and why each ended. is_whole: of all units."""

    entries: pl.DataFrame
    assembly: Assembly
    labelled: Labelled
    is_whole: bool = True
    damage: tuple[Damage, ...] = ()  # parts of the store that could not be read
    asked: pl.DataFrame | None = None  # the entries with only the wanted units named, where some are
    outside: Outside | None = None  # of a part of what is recorded

    @cached_property
    def whole_lifecycle(self) -> pl.DataFrame:
        """LIFECYCLE of all units: jobs of other units are changes too, also where only some are wanted."""
        return self.assembly.lifecycle if self.is_whole else lifecycle_of(self.entries)

    @cached_property
    def changes(self) -> pl.DataFrame:
        """CHANGES: who did what to the host."""
        return find_changes(self.entries, self.whole_lifecycle)


@dataclass(frozen=True, slots=True)
class Investigation:
    """A report with the rows that it was made of. restarts: CLASSED_RESTARTS; window: as asked for, an open side is None."""

    history: History
    restarts: pl.DataFrame
    report: Report
    window: Window = ALWAYS


def investigate(query: Query, progress: Progress | None = None, notice: Notice = lambda _: None, *, whole: bool = False) -> Investigation:
    """Analyse the window that `query` names. notice: called where the store has to do without a journal.

    whole: analyse all that is recorded, so that nothing found depends on the window.

    Raises UsageError for a unit that never appears or a broken pattern, NothingRecordedError for an empty window, and what
    ingesting raises.
    """
    patterns = catalogue.load(query.pattern_folders)
    ingested = ingest_or_use_store(query.sources, query.store, progress, notice)
    read = _entries(query, ingested.sources, ingested.present, whole=whole)
    read = replace(read, damage=tuple(dict.fromkeys([*ingested.damage, *read.damage])))
    history = _history(query, read, patterns, read_overrides(overrides_file()))
    analysis = analyse(_inputs(history), ALWAYS if whole else read.window, query.declared, zone(query.timezone))
    refused = (f"Skipped patterns: {catalogue.format_mistakes(patterns.refused)}",) if patterns.refused else ()
    report = _report(query, read, analysis, notes=(*patterns.notes, *refused))
    report = replace(report, machines=machine_ids(read.entries), changes=_to_the_machines(history.changes, report.window))
    return Investigation(history, analysis.classed_restarts, report, read.window)


def read_history(query: Query, patterns: catalogue.Catalogue, overrides: Overrides, progress: Progress | None = None) -> History:
    """Read the labelled history that `query` asks for; without a named source, all that the store has, without ingesting."""
    sources = None if query.sources.are_the_hosts_own else ingest_sources(query.sources, query.store, progress).sources
    return history_of(query, sources, patterns, overrides)


def history_of(query: Query, sources: Collection[str] | None, patterns: catalogue.Catalogue, overrides: Overrides) -> History:
    """Label a window of what the store has of `sources` (None: of all). Raises NothingRecordedError for an empty one."""
    return _history(query, _entries(query, sources), patterns, overrides)


def _history(query: Query, read: _Read, patterns: catalogue.Catalogue, overrides: Overrides) -> History:
    """Assemble and label attempts."""
    about = _only_units(read.entries, query.units)
    assembly = assemble(about)
    labelled = apply_overrides(label(assembly.events, assembly.attempts, patterns), overrides)
    return History(read.entries, assembly, labelled, is_whole=about is read.entries, damage=read.damage, asked=about, outside=read.outside)


def _inputs(history: History) -> Inputs:
    """Gather what incidents are cut from."""
    assembly, labelled = history.assembly, history.labelled
    return Inputs(
        entries=history.entries,
        attempts=assembly.attempts,
        events=assembly.events,
        restarts=assembly.restarts,
        lifecycle=assembly.lifecycle,
        labels=labelled.labels,
        changes=history.changes,
        signatures=labelled.signatures,
        whole_lifecycle=history.whole_lifecycle,
        outside=history.outside,
        damage=history.damage,
        captured=labelled.events,
        ranked=labelled.ranked,
    )


def _to_the_machines(changes: pl.DataFrame, window: Window) -> tuple[Change, ...]:
    """Choose the newest changes of CHANGES that several hosts may share, by time: not who logged in, what was read, or which job ran."""
    inside = changes.filter(pl.col("time").is_between(window.since, window.until), ~pl.col("kind").cast(pl.String).is_in(OF_ONE_HOST))
    rows = inside.sort("time", "row").select("time", "kind", "summary").unique(maintain_order=True)
    readers = [summary for summary in rows["summary"].unique() if is_read_only(summary)]
    kept = rows.filter(~pl.col("summary").is_in(readers)).tail(MOST_CHANGES)
    return tuple(Change(time, kind, summary, None) for time, kind, summary in kept.rows())


def span_of(entries: pl.DataFrame, window: Window) -> tuple[datetime, datetime]:
    """Return the window as asked for; an open side is that of the data."""
    return window.since or entries["time"].min(), window.until or entries["time"].max()  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class _Read:
    """ENTRIES of the window, what of the store is damaged, and where to read the numbers of what else is recorded."""

    entries: pl.DataFrame
    damage: tuple[Damage, ...]
    window: Window
    outside: Outside | None


def _entries(query: Query, sources: Collection[str] | None, present: Collection[str] = (), *, whole: bool = False) -> _Read:
    """Read the entries of the sources in the window, or with `whole` all of them, and resolve the window's boots."""
    store = Store.open(query.store)
    since, until = query.since, query.until
    if isinstance(since, BootStart) or isinstance(until, BootStart):
        boots = store.boot_starts(sources)
        since, until = _resolved(since, boots), _resolved(until, boots)
    if since is not None and until is not None and since >= until:
        raise UsageError(f"The window is empty: --since ({since:%F %T} UTC) is not before --until ({until:%F %T} UTC).")
    stored = store.read(since=None if whole else since, until=None if whole else until, sources=sources, present=present)
    entries = checked(stored.entries, ENTRIES, "entries")
    if whole and not _any_inside(entries, since, until):
        entries = entries.clear()
    if entries.is_empty():
        raise NothingRecordedError(_nothing_recorded(store.time_span(sources), stored.damage))
    # a chunk for each day and file otherwise, and every gather looks for its row's chunk: 0.7 s of 4 over half a million entries
    is_cut = not whole and (since is not None or until is not None)
    outside = partial(store.numbers_outside, since, until, sources) if is_cut else None
    entries = _without_drills(entries.rechunk(), query.units)
    return _Read(entries, stored.damage, Window(since, until), outside)


def _without_drills(entries: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    """Blank the units that failed only to try the alerts, unless one is named."""
    if any(is_drill(name) for name in wanted):
        return entries
    drills = [unit for unit in entries["unit"].unique().cast(pl.String).drop_nulls() if is_drill(unit)]
    return _blanked(entries, ~is_any(entries["unit"], drills)) if drills else entries


def _blanked(entries: pl.DataFrame, keep: pl.Expr | pl.Series) -> pl.DataFrame:
    """Let the other entries be about no unit; all rows stay, so that row numbers remain evidence."""
    return entries.with_columns(pl.when(keep).then(pl.col(name)).alias(name) for name in ("unit", "manager", "invocation"))


def _any_inside(entries: pl.DataFrame, since: datetime | None, until: datetime | None) -> bool:
    inside = pl.lit(value=True) if since is None else pl.col("time") >= since
    return bool(entries.select((inside if until is None else inside & (pl.col("time") < until)).any()).item())


def _nothing_recorded(recorded: tuple[datetime, datetime] | None, damage: Sequence[Damage]) -> str:
    unread = "".join(f" {record.file}: {record.reason}." for record in damage)
    if recorded is None:
        return f"Nothing is recorded: the journal has no entries.{unread}"
    first, last = recorded
    return f"Nothing is recorded in this window; the journal has entries from {first:%F %T} to {last:%F %T} UTC.{unread}"


def _resolved(moment: datetime | BootStart | None, boots: list[datetime]) -> datetime | None:
    if not isinstance(moment, BootStart):
        return moment
    if moment.ago >= len(boots):
        raise UsageError(f"boot-{moment.ago} is not in the journal; it has {plural(len(boots), 'boot')}.")
    return boots[moment.ago]


def _only_units(entries: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    """Blank the units that do not match `wanted`."""
    if not wanted:
        return entries
    recorded = entries["unit"].drop_nulls().unique().cast(pl.String).sort().to_list()
    kept = [unit for unit in recorded if any(fnmatch.fnmatchcase(unit, unit_pattern(name)) for name in wanted)]
    for name in wanted:
        if not fnmatch.filter(recorded, unit_pattern(name)):
            near = difflib.get_close_matches(unit_pattern(name), recorded, n=3, cutoff=0.5)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(f"No entry in this window is about the unit '{name}'.{hint}{_failed_units(entries)}")
    return _blanked(entries, pl.col("unit").is_in(kept))


def _failed_units(entries: pl.DataFrame) -> str:
    """Name the units that failed, as a sentence; empty for none."""
    failed = assemble(entries).attempts.filter(pl.col("outcome") == "failed")["unit"].cast(pl.String).value_counts()
    units = failed.sort("count", "unit", descending=[True, False])["unit"].to_list()
    more = f" and {len(units) - MOST_NAMED} more" if len(units) > MOST_NAMED else ""
    return f" Failed in this window: {', '.join(units[:MOST_NAMED])}{more}." if units else ""


def _report(query: Query, read: _Read, analysis: Analysis, notes: tuple[str, ...]) -> Report:
    entries, window = read.entries, read.window
    hosts = host_names(entries)
    shown = Window(*span_of(entries, window))
    return Report(
        host=hosts[0] if len(hosts) == 1 else ", ".join(hosts),
        hosts=hosts,
        units=analysis.units,
        window=shown,
        timezone=query.timezone,
        completeness=analysis.completeness,
        restarts=analysis.restarts,
        failures=analysis.failures,
        isolated=analysis.isolated,
        classes=analysis.classes,
        incidents=analysis.incidents,
        detection_summary=analysis.detection_summary,
        ledger=analysis.ledger,
        notes=(*analysis.notes, *notes),
        version=__version__,
        generated=query.now,
        asked=_asked(query, window),
    )


def _asked(query: Query, window: Window) -> Asked:
    """Write the options that ask for the same history again; relative times as what they meant now, in whole seconds."""
    named, shipped = query.sources, (folder("patterns"), users_patterns())
    until = None if window.until is None else window.until + timedelta(microseconds=-window.until.microsecond % 1_000_000)
    options = [
        *(("--journal-dir", str(path)) for path in named.journal_dirs),
        *(("--file", str(path)) for path in named.files),
        *(() if query.store == store_folder() else (("--store", str(query.store)),)),
        *((name, f"{time:%FT%TZ}") for name, time in (("--since", window.since), ("--until", until)) if time is not None),
        *(("--unit", unit) for unit in query.units),
        *(("--patterns", str(path)) for path in query.pattern_folders if path not in shipped),
    ]
    return Asked(
        options=" ".join(f"{name}{'=' if value[:1] == '-' and value != '-' else ' '}{shlex.quote(value)}" for name, value in options),
        directories=tuple(map(str, named.journal_dirs)),
        files=tuple(map(str, named.files)),
    )
