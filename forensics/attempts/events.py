from __future__ import annotations
import polars as pl
from forensics.model import EVENTS
def events_of(entries,attempts,owned,lines,witnessed):
    return EVENTS.to_frame()
