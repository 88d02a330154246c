"""Turn the entries of attempts into events: one per line, one per reassembled traceback; `find_events` is the door."""

from forensics.events.build import find_events

__all__ = ["find_events"]
