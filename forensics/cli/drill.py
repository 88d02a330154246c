"""`drill`: let a sandboxed unit fail with the words of a class, and measure each link up to the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import output, params, parse
from forensics.errors import UsageError

if TYPE_CHECKING:
    from forensics.classes.overrides import Overrides
    from forensics.guard.drill.links import Drill
    from forensics.guard.drill.measure import Chain
    from forensics.guard.drill.scene import Scene
    from forensics.signatures.pattern import Catalogue

FORMATS = ("term", "json")
BROKEN, COULD_NOT_TELL = 3, 4
MOST_CLASSES = 20  # `watch` groups the alerts of a host from the 80th class within ten minutes on: a drill must not use that up
INSTEAD = "port.conflict"  # of --all on a host whose history is not recorded

Class = Annotated[list[str] | None, typer.Argument(metavar="CLASS", help="Failure classes, such as torch.abi-mismatch or mined:….")]
All = Annotated[bool, typer.Option("--all", help=f"The classes that this host has shown, the {MOST_CLASSES} most frequent ones.")]
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", readable=False, help="watch.toml. Default: that of the `watch` that runs.")
]
State = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", readable=False, help="State directory of `watch`. Default: that of the one that runs."),
]
Within = Annotated[str, typer.Option(metavar="TIME", help="How long to wait for every link.")]
Page = Annotated[
    list[str] | None,
    typer.Option("--page", metavar="URL", help="A page that shows what a receiver got: asked until it names the drill's unit; repeatable."),
]
User = Annotated[bool, typer.Option("--user", help="Let the unit run under this user's own service manager.")]


def drill(
    classes: Class = None,
    every: All = False,
    config: Config = None,
    within: Within = "60s",
    page: Page = None,
    user: User = False,
    state: State = None,
    store: params.Store = None,
    patterns: params.Patterns = None,
    format_: params.TermOrJson = "term",
) -> None:
    """Let a unit fail with the recorded words of a class, and measure how long the alert takes to each sink and to the page."""
    from forensics.cli.history import load_catalogue
    from forensics.guard.drill import render, unit
    from forensics.guard.drill.chain import Wanted, find_chain
    from forensics.guard.systemctl import Manager

    parse.require_choice("format", format_, FORMATS)
    _refuse_mistakes(classes, page or (), every=every)
    within_s, manager = parse.seconds("--within", within), Manager(is_users=user)
    unit.refuse_unable(manager)
    chain = find_chain(manager, Wanted(config, state, tuple(page or ())))
    catalogue = load_catalogue(parse.pattern_folders(patterns))
    names = catalogue, chain.overrides
    scenes, left_out = _scenes(classes or [], names, store, every=every)
    for sentence in left_out:
        output.notice(sentence)
    done = _drilled(scenes, chain, within_s, shown=format_ == "term")
    if format_ == "json":
        typer.echo(render.as_json(done, left_out), nl=False)
    raise typer.Exit(_exit_code(done))


def _refuse_mistakes(classes: Sequence[str] | None, pages: Sequence[str], *, every: bool) -> None:
    from forensics.web import Server

    if bool(classes) == every:
        raise UsageError("Name the classes to drill, or give --all for those that this host has shown.")
    for url in pages:
        Server(url)


def _scenes(
    classes: Sequence[str], names: tuple[Catalogue, Overrides], store: Path | None, *, every: bool
) -> tuple[list[Scene], list[str]]:
    """Find the words of each class; one that is named must have some, of --all those without are left out, with a sentence each."""
    from forensics.guard.drill.scene import UnplayableError, scene_of

    catalogue, overrides = names
    needs_history = every or any(catalogue.pattern(name) is None and not name.startswith("exit:") for name in classes)
    counts, texts = _recorded(store, overrides) if needs_history else ({}, {})
    wanted = sorted(counts, key=lambda name: (-counts[name], name)) if every else list(dict.fromkeys(classes))
    scenes: list[Scene] = []
    left_out: list[str] = []
    for name in wanted:
        try:
            scenes.append(scene_of(name, catalogue, texts))
        except (UnplayableError, UsageError) as error:
            if not every:
                raise
            left_out.append(str(error))
    if every and not scenes:
        left_out.append(f"The recorded history has no class that can be drilled: {INSTEAD} is. `tabby-forensics ingest` records it.")
        scenes = [scene_of(INSTEAD, catalogue, texts)]
    if every and len(scenes) > MOST_CLASSES:
        left_out.append(f"Of {len(scenes)} classes the {MOST_CLASSES} most frequent ones are drilled; name the others to drill them.")
    return (scenes[:MOST_CLASSES] if every else scenes), left_out


def _recorded(store: Path | None, overrides: Overrides) -> tuple[Mapping[str, int], Mapping[str, str]]:
    """Return the classes that the store has failures of: how often each failed, and the text that decided a first failure."""
    from collections import Counter

    from forensics.cli.history import read_whole_store
    from forensics.errors import NothingRecordedError
    from forensics.model.own_entries import DRILL_PREFIX

    try:
        history, _ = read_whole_store(store)
    except NothingRecordedError:
        return {}, {}
    attempts = history.assembly.attempts
    drills = attempts.filter(attempts["unit"].cast(str).str.starts_with(DRILL_PREFIX)).select("attempt")
    failed = history.labelled.labels.filter("failed").join(drills, on="attempt", how="anti", maintain_order="left")
    counts = Counter[str]()
    for signature, number in failed.group_by("signature").len().iter_rows():
        counts[overrides.shown_as(signature)] += number
    first = failed.unique("signature", keep="first", maintain_order=True)
    texts = first.join(history.assembly.events.select("event", "text"), on="event", how="inner", maintain_order="left")
    return counts, {overrides.shown_as(signature): text for signature, text in texts.select("signature", "text").reverse().iter_rows()}


def _drilled(scenes: Sequence[Scene], chain: Chain, within_s: float, *, shown: bool) -> list[Drill]:
    """Drill one class after the other, so that each is measured alone."""
    from forensics.guard.drill import render
    from forensics.guard.drill.measure import run_drill

    done = []
    for scene in scenes:
        done.append(run_drill(scene, chain, within_s))
        if shown:
            typer.echo(render.as_text(done[-1]), nl=False)
    return done


def _exit_code(done: Sequence[Drill]) -> int:
    if any(drill.broken for drill in done):
        return BROKEN
    return COULD_NOT_TELL if not done or any(drill.unknown for drill in done) else 0
