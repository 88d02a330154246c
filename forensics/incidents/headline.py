"""Summarise an incident in one sentence for the first screen: the service, what came before, whether anybody was told, and its end."""

from __future__ import annotations

from datetime import UTC, tzinfo

from forensics.incidents.in_words import ending_words, trigger_words
from forensics.model.values import LOST, Incident
from forensics.wording import plural, spoken_duration

ASLEEP_S = 60.0  # of the host, from which it is worth a word
DAYS_S = 48 * 3600.0  # from which a length is given in days


def verdict(incident: Incident, lasted_s: float, where: tzinfo = UTC) -> str:
    """Write the sentence. where: the time zone of the reader."""
    return "; ".join([_what(incident, _length(lasted_s), where), _noticed(incident), _ending(incident)]) + "."


def _length(seconds: float) -> str:
    if seconds < DAYS_S:
        return spoken_duration(seconds)
    hours = round(seconds / 3600)
    return f"{hours // 24} d" + (f" {hours % 24} h" if hours % 24 else "")


def _what(incident: Incident, lasted: str, where: tzinfo) -> str:
    asleep = f" (and {spoken_duration(incident.slept_s)} asleep)" if incident.slept_s >= ASLEEP_S else ""
    what = WHATS[incident.kind](incident, lasted + asleep)
    after = _after_trigger(incident, where)
    return f"{what}{after}" if after else f"{what}: {_causes(incident)}"


def _after_trigger(incident: Incident, where: tzinfo) -> str:
    """Name the trigger by its order in time; "" without one, and where another unit is known to be the cause."""
    if incident.trigger is None or incident.caused_by or not (words := trigger_words(incident.trigger)):
        return ""
    return f" after {words} at {incident.trigger.time.astimezone(where):%H:%M}"


def _causes(incident: Incident) -> str:
    if incident.caused_by:
        return f"{incident.caused_by}, which it needs, had failed"
    if not incident.classes:
        return "the cause is unknown"
    main = incident.classes[0]
    if incident.kind != "restart-loop" or main.share == 1:
        return main.title
    return f"mostly {main.title} ({main.share:.0%}{_unrecorded(incident)})"


def _unrecorded(incident: Incident) -> str:
    """State how many restarts left no line, where these are more than those of the main class."""
    lost = incident.classes[-1]
    more = lost.signature == LOST.id and lost.share > incident.classes[0].share
    return f"; {lost.share:.0%} left no line" if more else ""


def _name(incident: Incident) -> str:
    """Name the unit without `.service`, with its user where it has one."""
    name = incident.unit.removesuffix(".service")
    return name if incident.manager in {"system", ""} else f"{name} ({incident.manager.replace(':', ' ')})"


def _down(incident: Incident, lasted: str) -> str:
    return f"{_name(incident)} {'has been' if incident.ongoing else 'was'} down {'' if incident.exact else 'for at least '}{lasted}"


def _loop(incident: Incident, lasted: str) -> str:
    least = "" if incident.exact else " or more"
    return f"{_down(incident, lasted)} ({plural(incident.restarts, 'restart')}{least})"


def _outage(incident: Incident, lasted: str) -> str:
    tries = f" ({plural(incident.failures, 'start')} failed)" if incident.failures > 1 else ""
    return f"{_down(incident, lasted)}{tries}"


def _failing_job(incident: Incident, lasted: str) -> str:
    failed = f"{_name(incident)} failed {_times(incident)} in a row, over {lasted}"
    if incident.last_good is None:
        return failed
    return f"{failed}, the first {spoken_duration((incident.start - incident.last_good).total_seconds())} after its last good run"


def _recurring(incident: Incident, _: str) -> str:
    if incident.downtime_s == 0:  # failures while stopping keep nothing down
        return f"{_name(incident)} failed {_times(incident)} while it was being stopped, and was started again each time"
    down = spoken_duration(incident.downtime_s)
    return f"{_name(incident)} failed {_times(incident)} although it held each time in between, down {down} in all"


def _times(incident: Incident) -> str:
    return f"{incident.failures:,}{'' if incident.exact else ' or more'} times"


WHATS = {"restart-loop": _loop, "outage": _outage, "failing-job": _failing_job, "recurring": _recurring}


def _noticed(incident: Incident) -> str:
    marks = incident.detection
    if marks.alert is not None:
        return f"the first alert came after {spoken_duration((marks.alert - incident.start).total_seconds())}"
    return "nobody was alerted" + ("" if marks.operator is not None else ", and no operator acted")


def _ending(incident: Incident) -> str:
    if incident.ongoing:
        return "it is still going on at the end of the data"
    if incident.kind == "recurring":
        return "it held again after the last failure"
    if incident.recovery is None:
        return "it was stopped before it recovered"
    held = [fix for fix in incident.fix_attempts if fix.outcome == "held"]
    if not held:
        return f"{'a later run was good' if incident.kind == 'failing-job' else 'it recovered'} without a fix on record"
    leftovers = {link.value for link in incident.links if link.what == "process" and link.port}
    return f"it ended when {ending_words(held[-1], incident.unit, leftovers)}"
