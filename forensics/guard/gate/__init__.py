"""Stop the restarts of a unit that restarting does not cure, try again after a while, and start at once when something changed.

`note` runs in ExecStopPost= of the unit; everything else in transient units or by hand. Standard library only, except what names a failure.
"""

from forensics.guard.gate.by_hand import reset_unless_held as reset

__all__ = ["reset"]
