"""Name the journal entries that this program writes about a unit: by MESSAGE_ID, as systemd does for its own.

They are believed from root about any unit, and from a user about that user's own units (speakers.py). Standard library only: `gate` writes
them before anything else can be imported.
"""

from __future__ import annotations

IDENTIFIER = "tabby-forensics"  # SYSLOG_IDENTIFIER=
GATE_OPENED = "3e01d8031863476891433ea5a7210b75"  # restarts are stopped
GATE_PROBED = "428049607cc340c6bfe5ad9bd3b1b9a0"  # one start is tried
GATE_CLOSED = "e5ca8a19371645ada0c946fa7d1452b2"  # the unit held, or a person reset the gate or keeps the unit stopped
ON_HOLD = "hold"  # TABBY_REASON= of the last
REMEDY_STARTED = "715e6e7056174f24804017f3b23f910f"
REMEDY_ENDED = "da3b535048b241d3b5d4420fa8ffe1c4"
OWN_ENTRIES = {
    GATE_OPENED: "gate-opened",
    GATE_PROBED: "gate-probed",
    GATE_CLOSED: "gate-closed",
    REMEDY_STARTED: "remedy-started",
    REMEDY_ENDED: "remedy-ended",
}  # MESSAGE_ID → the kind of its statement
OWN_TEXTS = (  # how these entries are worded, for text that shows no MESSAGE_ID; `preflight` prints others' words under the same identifier
    r"^(?:Restarts of \S+ are (?:stopped|allowed again): |\S+ is started once, as |\S+ stays stopped: a person )"
    r"|^\S+ is started for \S+: |, the remedy of \S+ for |^No remedy is started |: no remedy is started\.$"
    r"|: the remedy of \S+ is not started\.$"
)
DRILL_PREFIX = "tabby-drill-"  # of the transient units of `drill`: they are in no report, and their alerts carry the label drill="true"


def is_drill(unit: str) -> bool:
    """Whether a unit fails only to try the alerts."""
    return unit.startswith(DRILL_PREFIX)
