"""Show a gate's status to a person, or as JSON to a program."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from forensics.guard.gate.announce import span, why
from forensics.guard.gate.by_hand import Status
from forensics.guard.systemctl import Manager
from forensics.policy import breaker
from forensics.sanitize import brief, safe_line

LONGEST = 400
LATE_S = 60.0


def as_json(found: Status) -> str:
    """Write a status as JSON; times are UTC, null where there is none."""
    stored = found.stored
    shown = {
        "unit": found.unit, "state": found.state, "active": found.active, "installed": found.is_installed, "since": _instant(stored.since),
        "failures": stored.failures, "signature": stored.signature or None, "title": stored.title or None,
        "restart_helps": {"yes": True, "no": False}.get(stored.helps), "opened": stored.opened,
        "cooldown_s": stored.cooldown_s or None, "probe_at": _instant(stored.probe_at) if found.state == breaker.OPEN else None,
        "limits": {
            "futile": stored.limits.futile, "any": stored.limits.any_class, "cooldown_s": stored.limits.cooldown_s,
            "most_s": stored.limits.longest_s, "held_s": stored.limits.held_s,
        },
        "trouble": stored.trouble or None,
    }  # fmt: skip
    return json.dumps(shown, indent=2)


def as_text(found: Status, manager: Manager, now: float) -> str:
    """Write a status in sentences: how it is, since when and why, and what to do. now: seconds since 1970."""
    sentences = [*_sentences(found, manager)]
    if found.state == breaker.OPEN and now > found.stored.probe_at + LATE_S:
        sentences.append("That try is overdue: its timer is gone, or the unit was not as the gate had left it.")
    if not found.is_installed:
        sentences.append(f"ExecStopPost= of {found.unit} does not call it now: nothing is counted.")
    if found.stored.trouble:
        sentences.append(f"Note: {found.stored.trouble}.")
    return "\n".join(brief(safe_line(sentence), LONGEST) for sentence in sentences)


def _sentences(found: Status, manager: Manager) -> list[str]:
    stored, user = found.stored, " --user" if manager.is_users else ""
    reset = f"`tabby-forensics gate reset{user} {found.unit}`"
    if found.is_closed:
        counted = f"; {stored.failures} of {stored.limits.any_class} failures in a row" if stored.failures and not stored.is_open else ""
        return [f"{found.unit}: closed{counted}. The unit is {found.active}."]
    if found.state == breaker.HELD:
        return [f"{found.unit}: held down by a person. The unit is {found.active}.", f"To start it: {reset}."]
    since = f"{found.unit}: {found.state} since {_instant(stored.since)}, after {why(stored)}. The unit is {found.active}."
    if found.state == breaker.HALF_OPEN:
        return [since, f"This try decides: it closes after {span(stored.limits.held_s)}, and opens at once if the unit fails."]
    advice = f"To try now: {reset}. To keep it down: `tabby-forensics gate hold{user} {found.unit}`."
    return [since, f"Next try at {_instant(stored.probe_at)}, or when the unit's environment changes.", advice]


def _instant(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None
