"""The numbers that the decisions rest on. Times are seconds."""

from __future__ import annotations

HELD_S = 600.0  # Kubernetes' back-off reset window
LOOP_RESTARTS, LOOP_WINDOW_S = 3, 300.0  # "> 2 in 5 min", the number of node-mixin's NodeSystemdServiceCrashlooping
STOP_GAP_S = 300.0  # a stop and a start further apart than this are two decisions, not one manual restart
OUTAGE_S = 600.0
SHUTDOWN_S = 120.0  # TimeoutStopSec is 90 s: a stop this close to the end of a boot that another one follows is the reboot's
