"""Write drills as text, one line per link, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from forensics.guard.drill.links import Drill, Link
from forensics.sanitize import safe_line
from forensics.sanitize.characters import visible_name


def as_text(drill: Drill) -> str:
    return "\n".join(_lines(drill)) + "\n"


def as_json(drills: Sequence[Drill], left_out: Sequence[str]) -> str:
    """Write all drills. left_out: a sentence about each class that was not drilled."""
    shown = {"drills": [_object(drill) for drill in drills], "left_out": list(left_out)}
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _lines(drill: Drill) -> Iterator[str]:
    yield f"{visible_name(drill.signature)} ({safe_line(drill.title)}), played by {drill.unit}"
    width = max(len(link.name) for link in drill.links)
    for link in drill.links:
        yield f"  {visible_name(link.name):<{width}}  {_time(link):>9}  {link.status if not link.text else safe_line(link.text)}"
    for note in drill.notes:
        yield f"  note: {safe_line(note)}"
    yield f"  verdict: {safe_line(drill.verdict)}."


def _time(link: Link) -> str:
    return "–" if link.after_s is None else f"{link.after_s:.2f} s"


def _object(drill: Drill) -> dict[str, Any]:
    links = [asdict(link) | {"name": visible_name(link.name), "text": safe_line(link.text)} for link in drill.links]
    return {
        "class": drill.signature,
        "title": safe_line(drill.title),
        "unit": drill.unit,
        "started": drill.started,
        "within_s": drill.within_s,
        "ok": not drill.broken and not drill.unknown,
        "verdict": safe_line(drill.verdict),
        "links": links,
        "notes": [safe_line(note) for note in drill.notes],
    }
