"""`watch`: follows the journal and raises an alert when a failure appears that nobody has seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import options
from forensics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.live.config import Config
    from forensics.live.delivery import Delivery
    from forensics.live.metrics import Metrics
    from forensics.live.state import State
    from forensics.live.watch import Watch

DRAIN_S = 5.0

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Units, sinks and exporter. Default: $XDG_CONFIG_HOME/tabby-forensics/watch.toml."),
]
Check = Annotated[bool, typer.Option("--check-config", help="Say whether the configuration is right, and end.")]
Test = Annotated[bool, typer.Option("--test-alert", help="Send one alert through each sink, say what came back, and end.")]
Listen = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve metrics for Prometheus, such as 127.0.0.1:9847.")]
Learn = Annotated[str | None, typer.Option(metavar="TIME", help="How far back a first run looks for known failures. Default: 30d.")]
Folder = Annotated[Path | None, typer.Option("--journal-dir", metavar="DIR", help="A journal directory. Default: the host's own.")]
StateDir = Annotated[Path | None, typer.Option("--state", metavar="DIR", help="What is remembered. Default: `watch` in the store.")]


def watch(
    config: ConfigFile = None,
    check_config: Check = False,
    test_alert: Test = False,
    listen: Listen = None,
    learn: Learn = None,
    unit: options.Unit = None,
    journal_dir: Folder = None,
    store: options.StoreFolder = None,
    patterns: options.Patterns = None,
    state: StateDir = None,
) -> None:
    """Follow the journal and alert within a second when a failure nobody has seen appears."""
    import os

    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # batches are small: threads would only wait for each other
    from forensics.live.config import address, read_config
    from forensics.settings import store_folder, watch_file

    file = config or (watch_file() if watch_file().exists() else None)
    settings = read_config(file)
    if check_config:
        typer.echo(f"{file or 'no configuration'}: right; sinks: {', '.join(settings.sinks)}")
        return
    if test_alert:
        _test(settings)
        return
    wanted = listen or settings.listen
    at = address(wanted) if wanted else None
    if wanted and at is None:
        raise UsageError(f"'{wanted}' is not HOST:PORT.")
    where = store or store_folder()
    _run(file, settings, unit, learn or settings.learn, at, journal_dir, where, patterns, state or where / "watch")


def _test(settings: Config) -> None:
    import socket
    import time

    from forensics.live.alert import TEST, Alert
    from forensics.live.sinks.base import RefusedError, UnreachableError

    alert = Alert(TEST, "test.service", socket.gethostname(), "info", "this is a test; nothing is wrong", time.time())
    failed = False
    for name, sink in settings.sinks.items():
        try:
            typer.echo(f"{name}: {sink.send(alert)}")
        except (RefusedError, UnreachableError) as error:
            failed = True
            typer.echo(f"{name}: failed: {error}")
    if failed:
        raise typer.Exit(1)


def _run(
    file: Path | None,
    settings: Config,
    units: list[str] | None,
    learn: str,
    listen: tuple[str, int] | None,
    journal_dir: Path | None,
    store: Path,
    patterns: list[Path] | None,
    state_folder: Path,
) -> None:
    from forensics.cli import meaning
    from forensics.decisions import read_decisions
    from forensics.journal.follow import open_follower
    from forensics.live.learning import learned
    from forensics.live.metrics import Metrics, serve
    from forensics.live.state import Position, State
    from forensics.live.stream import Stream
    from forensics.live.tracker import tracker_of
    from forensics.live.watch import Watch
    from forensics.settings import Sources, decisions_file
    from forensics.signatures import catalogue

    folders = meaning.pattern_folders(patterns)
    known = catalogue.load(folders)
    if known.refused:
        _say(f"left out, {catalogue.told(known.refused)}")
    decisions = read_decisions(decisions_file())
    remembered = State.open(state_folder, _say)
    position, stored = remembered.position(), remembered.tracker()
    # the place in the journal first: what is written while history is learned is read afterwards
    follower = open_follower(journal_dir, after=position.replay)
    sources = Sources((journal_dir,) if journal_dir else ())
    past = meaning.settings(learn, None, "UTC", None, None, sources, store, folders)
    tracker = tracker_of(stored) if stored else learned(past)
    metrics = Metrics()
    delivery = _delivery(settings, remembered, metrics)
    for key, class_ in tracker.classes.items():
        name, _, signature = key.partition(" ")
        metrics.signature(metrics.unit(name), signature, class_.first)
    watching = Watch(follower, Stream(known, decisions), tracker, remembered, delivery, metrics, tuple(units or settings.units))
    watching.resume(position)
    if stored is None:
        remembered.commit(Position(follower.cursor, follower.cursor), tracker.stored(), [], (), {}, 0)
    server = serve(metrics, *listen) if listen else None
    notify = _obey_signals(watching, file, units)
    delivery.start()
    notify("READY=1")
    _say(f"watching; {len(tracker.classes)} failure classes are known, alerts go to {', '.join(settings.sinks)}.")
    try:
        watching.run()
    finally:
        notify("STOPPING=1")
        watching.delivery.stop(DRAIN_S)
        if server is not None:
            server.shutdown()


def _delivery(settings: Config, state: State, metrics: Metrics) -> Delivery:
    from forensics.live.delivery import Delivery

    metrics.sinks(state.queued, settings.sinks)
    return Delivery(state, settings.sinks, _say, refused=metrics.refused)


def _obey_signals(watching: Watch, file: Path | None, units: list[str] | None) -> Callable[[str], object]:
    """SIGTERM and SIGINT end the watching, SIGHUP reads the file again; gives the way to tell the service manager how it goes."""
    import signal

    from systemd import daemon

    notify: Callable[[str], object] = daemon.notify  # says nothing where there is no service manager
    asked: list[int] = []

    def stop(*_: object) -> None:
        watching.stopping = True

    def beat() -> None:
        notify("WATCHDOG=1")
        if asked:
            asked.clear()
            _reload(watching, file, units)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, lambda number, _: asked.append(number))
    watching.beat = beat
    return notify


def _reload(watching: Watch, file: Path | None, units: list[str] | None) -> None:
    """Sinks and units as the file says now; a file with mistakes changes nothing."""
    from forensics.live.config import read_config

    try:
        now = read_config(file)
    except UsageError as error:
        _say(f"goes on as before: {error}")
        return
    watching.delivery.stop(DRAIN_S)
    watching.delivery = _delivery(now, watching.state, watching.metrics)
    watching.delivery.open_alerts = tuple(watching.tracker.open.values())
    watching.delivery.start()
    watching.units = tuple(units or now.units)
    _say(f"reloaded; alerts go to {', '.join(now.sinks)}.")


def _say(sentence: str) -> None:
    typer.echo(f"tabby-forensics: {sentence}", err=True)
