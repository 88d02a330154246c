"""Streams of made lines, and a push of them to a stand-in or to a real Loki."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from forensics.export.loki import LokiPush
from forensics.export.loki_accepted import open_accepted
from forensics.export.loki_client import LokiClient
from forensics.export.loki_streams import LogStream


def made(lines, start=None, step=timedelta(seconds=1), name="a.service"):
    """A stream of `lines`, one per step."""
    start = start or datetime.now(UTC) - timedelta(hours=1)
    ns = [int((start + n * step).timestamp() * 1e6) * 1000 for n in range(len(lines))]
    frame = pl.DataFrame({"ns": ns, "line": lines, "metadata": ['{"signature": "a.b"}'] * len(lines)})
    return LogStream({"service_name": "tabby-forensics", "source": "attempt", "host": "h", "unit": name}, frame)


def push(server, found, folder=None, resume=False, selection=("all",), act=lambda _: None):
    """Push with the record in `folder`; `act` is called with the push before each request."""
    with tempfile.TemporaryDirectory() as other:
        record = open_accepted(Path(folder or other), (server.url, ""), selection, resume=resume)
        sleep = getattr(server, "sleep", time.sleep)
        pushing = LokiPush(Acting(server.url, act=act), record, wait=sleep)
        pushing.push(found)
        return pushing.pushed


@dataclass(frozen=True, slots=True)
class Acting(LokiClient):
    """A client that does something before each request."""

    act: Callable[..., object] = print

    def send(self, stream, lines):
        self.act(lines)
        return LokiClient.send(self, stream, lines)
