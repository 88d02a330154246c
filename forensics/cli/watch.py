"""`watch`: follow the journal and alert when a previously unseen failure appears."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import output, params
from forensics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.alerting.delivery import Delivery
    from forensics.watch.config import WatchConfig
    from forensics.watch.exporter import Exporter
    from forensics.watch.learning import Learning
    from forensics.watch.loop import Watch
    from forensics.watch.metrics import Metrics
    from forensics.watch.state import State
    from forensics.watch.tracker import Tracker

DRAIN_S = 5.0

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Units, sinks and exporter. Default: $XDG_CONFIG_HOME/tabby-forensics/watch.toml."),
]
Check = Annotated[bool, typer.Option("--check-config", help="Check the configuration and exit.")]
Test = Annotated[bool, typer.Option("--test-alert", help="Send one alert through each sink, print the responses and exit.")]
Listen = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve metrics for Prometheus, such as 127.0.0.1:9847 or [::]:9847.")]
Learn = Annotated[str | None, typer.Option(metavar="TIME", help="How far back to look for known failures (first run only). Default: 30d.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Start alerting from this time (first run only). Default: now.")]
JournalDir = Annotated[
    Path | None, typer.Option("--journal-dir", metavar="DIR", help="Journal directory to follow. Default: the host's own.")
]
StateDir = Annotated[Path | None, typer.Option("--state", metavar="DIR", help="Directory of its state. Default: `watch` in the store.")]


def watch(
    config: ConfigFile = None,
    check_config: Check = False,
    test_alert: Test = False,
    listen: Listen = None,
    learn: Learn = None,
    since: Since = None,
    unit: params.Unit = None,
    journal_dir: JournalDir = None,
    store: params.Store = None,
    patterns: params.Patterns = None,
    state: StateDir = None,
) -> None:
    """Follow the journal and alert within a second when a previously unseen failure appears."""
    import os

    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # batches are small: threads would only wait for each other
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")  # polars' jemalloc: 10 MB less, at no measured cost
    from forensics.paths import watch_file
    from forensics.query import unit_pattern
    from forensics.watch.config import host_and_port, read_config

    file = config or (watch_file() if watch_file().exists() else None)
    settings = read_config(file)
    if check_config:
        _check_other_files(patterns)
        typer.echo(f"{file or 'no configuration file'}: OK; sinks: {', '.join(settings.sinks)}")
        return
    if test_alert:
        _test(settings)
        return
    address = listen or settings.listen
    at = host_and_port(address) if address else None
    if address and at is None:
        raise UsageError(f"--listen: '{address}' is not HOST:PORT, such as 127.0.0.1:9847 or [::1]:9847.")
    from forensics.cli import parse

    store = parse.store_named(store)
    now = parse.clock()
    options = _Options(
        file=file,
        units=tuple(unit_pattern(name) for name in unit or ()),
        listen=at,
        learn=_point(learn or settings.learn, now),
        since=_point(since, now) if since else None,
        journal_dir=journal_dir,
        store=store,
        state=state or store / "watch",
        patterns=parse.pattern_folders(patterns),
    )
    _start(options, settings)


def _check_other_files(patterns: list[Path] | None) -> None:
    """Raises UsageError for mistakes in `classes.toml` or in the user's patterns."""
    from forensics.classes.overrides import read_overrides
    from forensics.cli import parse
    from forensics.paths import overrides_file
    from forensics.signatures import catalogue

    read_overrides(overrides_file())
    if refused := catalogue.load(parse.pattern_folders(patterns)).refused:
        raise UsageError(catalogue.format_mistakes(refused))


@dataclass(frozen=True, slots=True)
class _Options:
    """The command line, parsed. units: override those in the file."""

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


def _start(options: _Options, config: WatchConfig) -> None:
    from forensics.watch.learning import Learning, StoppedError
    from forensics.watch.metrics import Metrics
    from forensics.watch.state import State

    state = State.open(options.state, output.notice)
    _expect_journal(options.journal_dir)
    metrics = Metrics()
    if state.is_new:
        metrics.learns(0.0)
    exporter = _exporter(metrics, options)  # before history is read
    try:
        signals = _obeyed_signals()
        learning = Learning(metrics, output.notice, signals.notify, lambda: signals.stopping)
        try:
            watching = _watching(options, config, state, metrics, learning, signals)
        except StoppedError:
            output.notice("stopped while learning; the next start reads history again, and alerts about what fails meanwhile.")
            state.close()
        else:
            _run(watching, config, signals, learning)
    finally:
        signals.notify("STOPPING=1")
        if exporter is not None:
            exporter.close()
    if signals.interrupted:
        raise KeyboardInterrupt


def _watching(options: _Options, config: WatchConfig, state: State, metrics: Metrics, learning: Learning, signals: _Signals) -> Watch:
    """Prepare what runs from the start on; on a first run, history is read. Raises StoppedError."""
    from forensics.classes.overrides import read_overrides
    from forensics.cli.history import load_catalogue
    from forensics.paths import overrides_file
    from forensics.query import Query, Sources
    from forensics.watch.loop import Watch
    from forensics.watch.startup import start
    from forensics.watch.stream import Stream

    if state.is_new:
        learning.beat(0.0)
    catalogue = load_catalogue(options.patterns)
    overrides = read_overrides(overrides_file())
    sources = Sources((options.journal_dir,) if options.journal_dir else ())

    def baseline(until: datetime) -> Tracker:
        from forensics.watch.baseline_process import read_baseline_in_process

        query = Query(sources, options.store, until, since=options.learn, until=until, pattern_folders=options.patterns)
        return read_baseline_in_process(query, output.notice, learning.beat)

    signals.notify("READY=1")  # the port is open, and from here on nothing is missed
    begun = start(state, options.journal_dir, options.since, baseline)
    if options.since and not begun.first:
        output.notice(f"--since is ignored: continuing where the previous run left off (state in '{options.state}').")
    for (unit, signature), known in begun.tracker.classes.items():
        metrics.state(unit.unit, signature, known)
    watching = Watch(
        begun.follower,
        Stream(catalogue, overrides),
        begun.tracker,
        state,
        _delivery(config, state, metrics),
        metrics,
        options.units or config.units,
        say=output.notice,
    )
    watching.resume(begun.position, first=begun.first)
    signals.control(watching, lambda: _reload(watching, options))
    return watching


def _run(watching: Watch, config: WatchConfig, signals: _Signals, learning: Learning) -> None:
    from forensics.wording import duration

    took = learning.end()
    learned = "" if took is None else f", learned in {duration(took)}"
    watching.delivery.start()
    output.notice(f"watching; {len(watching.tracker.classes)} known failure classes{learned}, alerts go to {', '.join(config.sinks)}.")
    try:
        watching.run()
    finally:
        signals.notify("STOPPING=1")
        watching.delivery.stop(DRAIN_S)


def _exporter(metrics: Metrics, options: _Options) -> Exporter | None:
    if options.listen is None:
        return None
    from forensics.watch.exporter import serve

    return serve(metrics, *options.listen)


def _expect_journal(directory: Path | None) -> None:
    """Raises JournalPermissionError for an unreadable journal, which sd-journal presents as an empty one."""
    from forensics.errors import NothingRecordedError
    from forensics.journal.directory import host_files, journal_files

    try:
        journal_files(directory) if directory else host_files()
    except NothingRecordedError as error:
        output.notice(f"{error} Waiting for one.")


def _delivery(settings: WatchConfig, state: State, metrics: Metrics, before: Delivery | None = None) -> Delivery:
    """Prepare the delivery to the configured sinks, and report alerts that wait for others. before: what this one replaces."""
    import time

    from forensics.alerting.delivery import Delivery

    unclaimed = before.unclaimed if before else set()
    delivery = Delivery(state.queue, settings.sinks, output.notice, refused=metrics.refused, unclaimed=unclaimed)
    gone = delivery.report_unclaimed(time.time())
    metrics.sinks(state.queue.size, [*settings.sinks, *gone])
    return delivery


@dataclass(slots=True)
class _Signals:
    """What SIGTERM, SIGINT and SIGHUP asked for. notify: sd_notify, which does nothing without a service manager."""

    notify: Callable[[str], object]
    stopping: bool = False
    interrupted: bool = False  # by Ctrl-C
    hangups: list[int] = field(default_factory=list)
    watching: Watch | None = None

    def control(self, watching: Watch, reload: Callable[[], None]) -> None:
        """Pass on to `watching` what was asked for, and what will be. reload: reads the configuration again."""

        def beat() -> None:
            self.notify("WATCHDOG=1")
            if self.hangups:
                self.hangups.clear()
                reload()

        watching.beat = beat
        self.watching = watching
        watching.stopping |= self.stopping

    def stop(self, number: int, _: object) -> None:
        import signal

        self.stopping = True
        self.interrupted |= number == signal.SIGINT
        if self.watching is not None:
            self.watching.stopping = True


def _notify() -> Callable[[str], object]:
    try:
        from systemd import daemon
    except ImportError:  # the follower, which needs it too, raises a sentence
        return lambda _: None
    notify: Callable[[str], object] = daemon.notify
    return notify


def _obeyed_signals() -> _Signals:
    """Stop on SIGTERM and SIGINT, reload the configuration on SIGHUP."""
    import signal

    signals = _Signals(_notify())
    signal.signal(signal.SIGTERM, signals.stop)
    signal.signal(signal.SIGINT, signals.stop)
    signal.signal(signal.SIGHUP, lambda number, _: signals.hangups.append(number))
    return signals


def _reload(watching: Watch, options: _Options) -> None:
    """Replace sinks and units by those in the file; a file with mistakes changes nothing."""
    from forensics.watch.config import read_config

    try:
        now = read_config(options.file)
    except UsageError as error:
        output.notice(f"configuration not reloaded: {error}")
        return
    watching.delivery.stop(DRAIN_S)
    watching.delivery = _delivery(now, watching.state, watching.metrics, watching.delivery)
    watching.delivery.open_alerts = tuple(watching.tracker.open.values())
    watching.delivery.start()
    watching.units = options.units or now.units
    output.notice(f"configuration reloaded; alerts go to {', '.join(now.sinks)}.")
