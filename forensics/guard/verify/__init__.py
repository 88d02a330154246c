"""Verify a service after a change: it runs and holds, its port is its own, it answers, and it fails in no new way."""

from forensics.guard.verify.all_checks import verify
from forensics.guard.verify.asked import Asked
from forensics.guard.verify.checks import Check, Verdict

__all__ = ["Asked", "Check", "Verdict", "verify"]
