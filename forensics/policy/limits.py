"""The numbers that the decisions rest on. Times are seconds."""

from __future__ import annotations

HELD_S = 600.0  # Kubernetes' back-off reset window
LOOP_RESTARTS = 3  # automatic ones without a held success between them, whatever the spacing: node-mixin's "> 2", without its window
STOP_GAP_S = 300.0  # a stop and a start further apart than this are two decisions, not one manual restart
CONSEQUENCE_S = 1.0  # a stop this soon after a failure is what the manager makes of it, not a client's
UNRESTARTED_S = 300.0  # a good end that nothing restarted for so long was meant
OUTAGE_S = 600.0
DOWN_S = 60.0  # a unit that failed and is down for so long is worth an alert
JOB_FAILURES = 2  # in a row
RECURRING, RECURRING_WINDOW_S = 5, 86_400.0  # failures, each followed by a held success, within a day
SHUTDOWN_S = 120.0  # TimeoutStopSec is 90 s: a stop this close to the end of a boot that another one follows is the reboot's
