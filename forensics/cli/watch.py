"""`watch`: follows the journal and raises an alert when a failure appears that nobody has seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params
from forensics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.alerting.delivery import Delivery
    from forensics.watch.config import WatchConfig
    from forensics.watch.loop import Watch
    from forensics.watch.metrics import Metrics
    from forensics.watch.state import State
    from forensics.watch.tracker import Tracker

DRAIN_S = 5.0

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Units, sinks and exporter. Default: $XDG_CONFIG_HOME/tabby-forensics/watch.toml."),
]
Check = Annotated[bool, typer.Option("--check-config", help="Say whether the configuration is right, and end.")]
Test = Annotated[bool, typer.Option("--test-alert", help="Send one alert through each sink, say what came back, and end.")]
Listen = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve metrics for Prometheus, such as 127.0.0.1:9847.")]
Learn = Annotated[str | None, typer.Option(metavar="TIME", help="How far back a first run looks for known failures. Default: 30d.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="From when on a first run alerts. Default: now.")]
Folder = Annotated[Path | None, typer.Option("--journal-dir", metavar="DIR", help="A journal directory. Default: the host's own.")]
StateDir = Annotated[Path | None, typer.Option("--state", metavar="DIR", help="What is remembered. Default: `watch` in the store.")]


def watch(
    config: ConfigFile = None,
    check_config: Check = False,
    test_alert: Test = False,
    listen: Listen = None,
    learn: Learn = None,
    since: Since = None,
    unit: params.Unit = None,
    journal_dir: Folder = None,
    store: params.StoreFolder = None,
    patterns: params.Patterns = None,
    state: StateDir = None,
) -> None:
    """Follow the journal and alert within a second when a failure nobody has seen appears."""
    import os

    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # batches are small: threads would only wait for each other
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")  # polars' jemalloc: 10 MB less, at no measured cost
    from forensics.paths import store_folder, watch_file
    from forensics.query import unit_pattern
    from forensics.watch.config import host_and_port, read_config

    file = config or (watch_file() if watch_file().exists() else None)
    settings = read_config(file)
    if check_config:
        typer.echo(f"{file or 'no configuration'}: right; sinks: {', '.join(settings.sinks)}")
        return
    if test_alert:
        _test(settings)
        return
    wanted = listen or settings.listen
    at = host_and_port(wanted) if wanted else None
    if wanted and at is None:
        raise UsageError(f"'{wanted}' is not HOST:PORT.")
    from forensics.cli import parse

    where = store or store_folder()
    now = parse.clock()
    asked = _Asked(
        file=file,
        units=tuple(unit_pattern(name) for name in unit or ()),
        listen=at,
        learn=_point(learn or settings.learn, now),
        since=_point(since, now) if since else None,
        journal_dir=journal_dir,
        store=where,
        state=state or where / "watch",
        patterns=parse.pattern_folders(patterns),
    )
    _run(asked, settings)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says. units: instead of those in the file."""

    file: Path | None
    units: tuple[str, ...]
    listen: tuple[str, int] | None
    learn: datetime
    since: datetime | None
    journal_dir: Path | None
    store: Path
    state: Path
    patterns: tuple[Path, ...]


def _point(text: str, now: datetime) -> datetime:
    from forensics.cli import parse

    moment = parse.point(text, now, parse.zone_named(None))
    return now if moment is None else moment


def _test(settings: WatchConfig) -> None:
    import os
    import time

    from forensics.alerting.alert import TEST, Alert
    from forensics.alerting.sinks.sink import RefusedError, UnreachableError

    alert = Alert(TEST, "test.service", os.uname().nodename, "info", "this is a test; nothing is wrong", time.time())
    failed = False
    for name, sink in settings.sinks.items():
        try:
            typer.echo(f"{name}: {sink.send(alert)}")
        except (RefusedError, UnreachableError) as error:
            failed = True
            typer.echo(f"{name}: failed: {error}")
    if failed:
        raise typer.Exit(1)


def _run(asked: _Asked, config: WatchConfig) -> None:
    from forensics.classes.overrides import read_overrides
    from forensics.paths import overrides_file
    from forensics.query import Query, Sources
    from forensics.signatures import catalogue
    from forensics.watch.loop import Watch
    from forensics.watch.metrics import Metrics, serve
    from forensics.watch.startup import start
    from forensics.watch.state import State
    from forensics.watch.stream import Stream

    known = catalogue.load(asked.patterns)
    if known.refused:
        _say(f"left out, {catalogue.format_mistakes(known.refused)}")
    overrides = read_overrides(overrides_file())
    state = State.open(asked.state, _say)
    sources = Sources((asked.journal_dir,) if asked.journal_dir else ())

    _expect_journal(asked.journal_dir)

    def baseline(until: datetime) -> Tracker:
        from forensics.watch.baseline_process import read_baseline_in_process

        query = Query(sources, asked.store, until, since=asked.learn, until=until, pattern_folders=asked.patterns)
        return read_baseline_in_process(query, _say)

    begun = start(state, asked.journal_dir, asked.since, baseline)
    if asked.since and not begun.first:
        _say(f"--since is for a first run; this one goes on where the last one in '{asked.state}' ended.")
    metrics = Metrics()
    delivery = _delivery(config, state, metrics)
    for key, class_ in begun.tracker.classes.items():
        name, _, signature = key.partition(" ")
        metrics.state(name, signature, class_)
    watching = Watch(
        begun.follower, Stream(known, overrides), begun.tracker, state, delivery, metrics, asked.units or config.units, say=_say
    )
    watching.resume(begun.position, first=begun.first)
    server = serve(metrics, *asked.listen) if asked.listen else None
    notify = _obey_signals(watching, asked)
    delivery.start()
    notify("READY=1")
    _say(f"watching; {len(begun.tracker.classes)} failure classes are known, alerts go to {', '.join(config.sinks)}.")
    try:
        watching.run()
    finally:
        notify("STOPPING=1")
        watching.delivery.stop(DRAIN_S)
        if server is not None:
            server.shutdown()


def _expect_journal(folder: Path | None) -> None:
    """sd-journal takes a journal that may not be read for an empty one. Raises JournalPermissionError."""
    from forensics.errors import NothingRecordedError
    from forensics.journal.directory import host_files, journal_files

    try:
        journal_files(folder) if folder else host_files()
    except NothingRecordedError as error:
        _say(f"{error} Waiting for one.")


def _delivery(settings: WatchConfig, state: State, metrics: Metrics) -> Delivery:
    from forensics.alerting.delivery import Delivery

    metrics.sinks(state.queue.size, settings.sinks)
    return Delivery(state.queue, settings.sinks, _say, refused=metrics.refused)


def _obey_signals(watching: Watch, asked: _Asked) -> Callable[[str], object]:
    """SIGTERM and SIGINT end the watching, SIGHUP reads the file again; gives the way to tell the service manager how it goes."""
    import signal

    from systemd import daemon

    notify: Callable[[str], object] = daemon.notify  # says nothing where there is no service manager
    hangups: list[int] = []

    def stop(*_: object) -> None:
        watching.stopping = True

    def beat() -> None:
        notify("WATCHDOG=1")
        if hangups:
            hangups.clear()
            _reload(watching, asked)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, lambda number, _: hangups.append(number))
    watching.beat = beat
    return notify


def _reload(watching: Watch, asked: _Asked) -> None:
    """Sinks and units as the file says now; a file with mistakes changes nothing."""
    from forensics.watch.config import read_config

    try:
        now = read_config(asked.file)
    except UsageError as error:
        _say(f"goes on as before: {error}")
        return
    watching.delivery.stop(DRAIN_S)
    watching.delivery = _delivery(now, watching.state, watching.metrics)
    watching.delivery.open_alerts = tuple(watching.tracker.open.values())
    watching.delivery.start()
    watching.units = asked.units or now.units
    _say(f"reloaded; alerts go to {', '.join(now.sinks)}.")


def _say(sentence: str) -> None:
    typer.echo(f"tabby-forensics: {sentence}", err=True)
