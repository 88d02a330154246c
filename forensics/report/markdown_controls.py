"""Render the chain of causes, the replayed controls and the audit as Markdown in which no name can become markup."""

from __future__ import annotations

from collections.abc import Iterable

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import audited, chain, recommended, replayed, summary
from forensics.report.markdown_table import table
from forensics.sanitize.markdown import plain, quoted

MOST_CONTROLS = 8


def causes(report: Report, incident: Incident, quotes: summary.Quotes) -> Iterable[str]:
    """Write the chain of causes as a numbered list, and the contributing factors as bullets."""
    yield "\n".join(f"{number}. {_link(link, quotes)}" for number, link in enumerate(chain.chain(report, incident), 1))
    if factors := chain.factors(incident):
        yield "Contributing factors:"
        yield "\n".join(f"- {_link(link, quotes)}" for link in factors)
    yield f"_{plain(chain.LEGEND)}_"


def _link(link: chain.Link, quotes: summary.Quotes) -> str:
    reference = f" {quotes.ref(link.evidence)}" if link.evidence is not None else ""
    return f"**{plain(link.role)}** ({link.basis}): {plain(link.text, 600)}{reference}"


def controls(report: Report, incident: Incident, level: str) -> Iterable[str]:
    """Write the controls that would have fired, and the commands that write them; nothing without a replay."""
    rows = replayed.rows(incident)
    if not rows:
        return
    shown = replayed.chosen(rows, MOST_CONTROLS)
    yield f"{level} Controls"
    yield plain(replayed.summary(rows), 1000)
    yield _table(shown)
    if len(rows) > len(shown):
        yield f"… and {wording.plural(len(rows) - len(shown), 'more control')}: `--format html`, or `{recommended.PROGRAM} replay`."
    yield "Recommended:"
    yield quoted("\n".join(f"{command}   # {text}" for command, text in recommended.commands(incident)))
    yield plain(recommended.NOTE)
    if not report.controls:
        yield "Which of your controls would really act?"
        yield quoted(recommended.audit_command(incident))


def _table(shown: list[replayed.Row]) -> str:
    columns = replayed.columns(shown)
    rows = [
        (
            f"{plain(row.name)} ({plain(row.kind)}; {plain(row.source)})",
            f"{row.mark} {row.first}{f' ({row.timing})' if row.timing else ''}",
            *(plain(getattr(row, name)) for name in columns),
            row.after,
            row.noise,
            plain(row.why),
        )
        for row in shown
    ]
    optional = [{"delivered": "Delivered:", "avoided": "Restarts avoided:"}[name] for name in columns]
    return table(("Control", "First fires", *optional, "Restarts after:", "Outside of incidents", "Why"), rows)


def audit(report: Report) -> Iterable[str]:
    """Write the audit, its layers one after the other; nothing where none was made."""
    if not report.controls:
        return
    yield "## Audit of controls in four layers"
    yield plain(audited.summary(report.controls))
    rows = [
        (plain(layer), plain(row.name), f"{row.mark} {row.status}", plain(row.where), plain(row.remedy))
        for layer, rows in audited.layers(report.controls)
        for row in rows
    ]
    yield table(("Layer", "Control", "Status", "Where the chain breaks", "Remedy"), rows)
    yield plain(audited.LEGEND)
