"""Word what failures of several classes name: one process, port, path, device or unit that is probably the one cause behind them."""

from __future__ import annotations

import re

from forensics import wording
from forensics.model.values import Incident, SharedValue
from forensics.sanitize import brief, one_line

_LONGEST = 240  # characters of a value
_KILLS = re.compile(r"\bran (?:\S{0,200}/)?(?:kill|pkill|killall)\s")
_NOUNS = {"process": "Process ", "port": "Port ", "path": "", "device": "", "unit": ""}


def shown(incident: Incident) -> list[SharedValue]:
    """List the links; the port that a process of them held is in the words of that process."""
    held = {link.port for link in incident.links if link.port}
    return [link for link in incident.links if not (link.what == "port" and link.value in held)]


def in_words(incident: Incident, link: SharedValue) -> str:
    """State which failures name a value, and what became of it."""
    first, last = link.phases
    phases = "" if len(incident.phases) < 2 else f" of phase {first}" if first == last else f" of phases {first}–{last}"
    classes = f" and {len(link.classes)} classes" if len(link.classes) > 1 else ""
    failures = wording.plural(link.failures, "failure")
    named = f"{_NOUNS.get(link.what, '')}{one_line(link.value, _LONGEST)} is named in {failures}{classes}{phases}"
    port = f" and seems to have held port {link.port}" if link.port else ""
    return f"{named}{port}{_ended(incident, link)}"


def _ended(incident: Incident, link: SharedValue) -> str:
    """Name the change that ended it, by its order in time; without one, what several classes have in common."""
    change = link.ended
    if change is None:
        return ": probably one cause" if len(link.classes) > 1 else ""
    killed = link.what == "process" and _KILLS.search(change.summary)
    what = "it was killed" if killed else brief(change.summary, 120)
    if incident.recovery is None:
        return f"; {what} at {wording.since_start(change.time, incident.start)}"
    return f"; {what} {wording.spoken_duration((incident.recovery - change.time).total_seconds())} before recovery"
