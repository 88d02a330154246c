"""Write a runbook in Markdown for each failure class: how to recognise it, check, fix, what held last time, when to escalate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forensics import wording
from forensics.generate.basis import Basis, head
from forensics.model.values import FailureClass, FixAttempt, Incident, RestartHelped
from forensics.pipeline import Investigation
from forensics.policy.limits import HELD_S, LOOP_RESTARTS
from forensics.sanitize.markdown import plain, quoted

MOST_FIXES, MOST_LISTED = 5, 10
_LONGEST_TEXT = 3000
_NEVER = RestartHelped(0, 0)
_UNKNOWN = ("mined:", "exit:")
_RANKS = {"held": 0, "changed-class": 1}
_CODE = re.compile(r"(`[^`\n]*`)")


@dataclass(frozen=True, slots=True)
class Known:
    """What history knows about one failure class. why: how its deciding line is chosen; text: of the deciding event."""

    row: FailureClass
    incidents: tuple[Incident, ...]
    why: str = ""
    text: str = ""

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(sorted({incident.unit for incident in self.incidents}))


def deciding_texts(investigation: Investigation) -> dict[str, str]:
    """Return the text of the event that decides the first failure of each class, not safe to show."""
    history = investigation.history
    first = history.labelled.labels.filter("failed").unique("signature", keep="first", maintain_order=True)
    texts = first.join(history.assembly.events.select("event", "text"), on="event", how="inner", maintain_order="left")
    return dict(texts.select("signature", "text").rows())


def known_classes(basis: Basis) -> tuple[Known, ...]:
    """Return the classes that explain failures in incidents, the most frequent first."""
    labels = basis.investigation.history.labelled.labels.filter("failed")
    why = dict(labels.unique("signature", keep="first", maintain_order=True).select("signature", "why").rows())
    known = []
    for row in basis.report.classes:
        incidents = tuple(incident for incident in basis.incidents if any(one.signature == row.signature for one in incident.classes))
        if incidents:
            known.append(Known(row, incidents, why.get(row.signature, ""), basis.texts.get(row.signature, "")))
    return tuple(known)


def file_name(signature: str) -> str:
    """Name the runbook's file: torch.abi-mismatch.md; no name of a class leaves the directory."""
    return re.sub(r"[^\w.-]+", "-", signature).strip("-.") + ".md"


def runbook_files(basis: Basis, *, redact: bool = True) -> dict[str, str]:
    """Write a runbook for each class: file name → text. redact: whether secrets are hidden in the basis."""
    warning = "" if redact else plain(wording.NOT_REDACTED)
    return {file_name(known.row.signature): runbook_text(known, basis, warning) for known in known_classes(basis)}


def runbook_text(known: Known, basis: Basis, warning: str = "") -> str:
    """Write the runbook of one class."""
    return "\n\n".join(part for part in _parts(known, basis, warning) if part) + "\n"


def _parts(known: Known, basis: Basis, warning: str) -> Iterator[str]:
    row = known.row
    yield f"# {plain(row.title)}"
    yield warning
    units = ", ".join(f"`{unit}`" for unit in known.units)
    yield f"Failure class `{row.signature}` of {units}. Severity: {row.severity}."
    measured = f"Measured in that history: {_counts(known)}; what held, and how often a restart helped, is quoted from it."
    lines = head(basis, "Runbook", "runbook", [measured], known.incidents)
    yield "  \n".join(f"> {plain(line, 600)}" for line in lines)
    yield "## How to recognise it"
    yield from _recognise(known)
    yield "## Check"
    yield _code(_checks(known))
    yield "## Fix"
    yield _fix(row)
    yield "## What held last time"
    yield from _fixes(known)
    yield "## Does a restart help?"
    yield _restart(known)
    yield "## When to escalate"
    yield _listed(_escalate(known))


def _counts(known: Known) -> str:
    row = known.row
    return f"{wording.plural(row.failures, 'failure')}, {wording.plural(row.restarts, 'restart')}, {_first_and_last(row)}"


def _first_and_last(row: FailureClass) -> str:
    return f"first {wording.minute(row.first)}, last {wording.minute(row.last)} UTC"


def _recognise(known: Known) -> Iterator[str]:
    row = known.row
    yield plain(f"{known.why[:1].upper()}{known.why[1:]} decides. The deciding line:" if known.why else "A line of it:", 400)
    if row.sample is not None:
        yield quoted(row.sample.message)
        at = "" if row.sample.offset is None else f" at offset {row.sample.offset}"
        yield plain(f"Logged at {wording.instant(row.sample.time)} UTC; in {row.sample.file}{at}.", 1000)
    if known.text and (row.sample is None or known.text.strip() != row.sample.message.strip()):
        yield "The whole event:"
        yield quoted(known.text, _LONGEST_TEXT)
    if row.cycle_s is not None:
        yield f"In a loop it comes every {wording.duration(row.cycle_s)}, from one start to the next."


def _checks(known: Known) -> Iterator[str]:
    for unit in known.units[:MOST_LISTED]:
        yield f"systemctl status '{unit}'"
        yield f"systemctl show '{unit}' -p ActiveState,SubState,Result,NRestarts,ExecMainStatus,MainPID"
        yield f"journalctl -u '{unit}' -b -n 300 -o json | tabby-forensics explain -   # is it this class?"


def _fix(row: FailureClass) -> str:
    parts = [_markdown(row.cause), _markdown(row.remedy)]
    if row.signature.startswith(_UNKNOWN):
        parts.append("The catalogue does not know this class. When you have found the cause, write it down for the next time:")
        parts.append(_code([f"tabby-forensics patterns new '{row.signature}' --as AREA.PROBLEM"]))
    return "\n\n".join(part for part in parts if part)


def _markdown(text: str) -> str:
    """Keep the Markdown of the catalogue (lists, code), but no HTML."""
    parts = _CODE.split(wording.reflowed(text))
    return "".join(part if number % 2 else part.replace("&", "&amp;").replace("<", "&lt;") for number, part in enumerate(parts))


def _fixes(known: Known) -> Iterator[str]:
    """Quote what was done while this class failed, what held first."""
    tried = [(fix, incident) for incident in known.incidents for fix in incident.fix_attempts if _failed_at(known.row, incident, fix)]
    if not tried:
        yield "No fix attempt is on record while this class failed."
        return
    tried.sort(key=lambda pair: (_RANKS.get(pair[0].outcome, len(_RANKS)), pair[0].time))
    yield "\n".join(_tried(fix, incident) for fix, incident in tried[:MOST_FIXES])
    if not any(fix.outcome == "held" for fix, _ in tried):
        yield "None of these held: afterwards the unit failed in another way, or in the same."


def _failed_at(row: FailureClass, incident: Incident, fix: FixAttempt) -> bool:
    """Whether the class was among those that failed when the fix was tried."""
    phases = [phase for phase in incident.phases if phase.start <= fix.time] or list(incident.phases[:1])
    return not phases or row.signature in phases[-1].classes


def _tried(fix: FixAttempt, incident: Incident) -> str:
    when = f"{wording.instant(fix.time)} UTC, {wording.since_start(fix.time, incident.start)}"
    line = f"- **{wording.outcome(fix.outcome)}** ({when}): {plain(fix.summary, 600)}"
    if fix.evidence is None:
        return line
    offset = "" if fix.evidence.offset is None else f" at offset {fix.evidence.offset}"
    return f"{line}  \n  Evidence: {plain(fix.evidence.file + offset, 600)}"


def _restart(known: Known) -> str:
    inside, isolated = _helped(known)
    measured = [
        f"{helped.held:,} of {wording.plural(helped.of, 'restart')} {where} held"
        for helped, where in ((isolated, "after an isolated failure"), (inside, "in an incident"))
        if helped.of
    ]
    answer = f"Measured: {', '.join(measured)}." if measured else "Not measured: no restart followed it."
    return f"{answer} The catalogue: {wording.helps(known.row.restart_helps, known.row.restart_helps_when)}."


def _helped(known: Known) -> tuple[RestartHelped, RestartHelped]:
    """How often a restart helped in incidents, and after isolated failures."""
    signature, whole = known.row.signature, known.row.restart_helped or _NEVER
    rows = [row.restart_helped for incident in known.incidents for row in incident.classes if row.signature == signature]
    measured = [row for row in rows if row is not None]
    inside = RestartHelped(sum(row.of for row in measured), sum(row.held for row in measured))
    return inside, RestartHelped(max(whole.of - inside.of, 0), max(whole.held - inside.held, 0))


def _escalate(known: Known) -> Iterator[str]:
    inside, isolated = _helped(known)
    if inside.of + isolated.of >= LOOP_RESTARTS and not inside.held + isolated.held:
        yield "At once; do not wait for more restarts: none has helped."
    else:
        yield f"When it has failed {LOOP_RESTARTS} times in a row: that is a loop, and waiting for the next restart is no plan."
    yield f"When the unit is not stable ({wording.duration(HELD_S)} up) after the first fix attempt, or fails in another way."
    longest = max(known.incidents, key=lambda incident: incident.time_to_recover_s or incident.downtime_s)
    tries = wording.plural(len(longest.fix_attempts), "fix attempt")
    if longest.time_to_recover_s is None:
        yield f"Last time it had not recovered by the end of the data, after {tries}."
    else:
        took = wording.duration(longest.time_to_recover_s)
        yield f"Last time recovery took {took} and {tries}: call for help before it takes as long again."


def _code(lines: Iterable[str]) -> str:
    return "```sh\n" + "\n".join(lines) + "\n```"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
