"""List the services that a store has entries of, from one column of its newest files: fast enough while somebody types."""

from __future__ import annotations

import os
from pathlib import Path

from forensics.store.layout import Layout

MOST_FILES = 400  # the newest: 0.5 ms each


def recorded_services(root: Path) -> list[str]:
    """List the services in the store at `root`, sorted; none where it cannot be read. Nothing is created."""
    import pyarrow as pa  # noqa: PLC0415 - only who completes a unit pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    services: set[str] = set()
    for path in _newest(Layout(root).entries):
        try:
            column = pq.ParquetFile(path, read_dictionary=["unit"]).read(columns=["unit"]).column("unit")
        except (OSError, pa.ArrowException, KeyError):
            continue
        for chunk in column.chunks:
            services.update(name for name in chunk.dictionary.to_pylist() if name is not None)
    return sorted(name for name in services if name.endswith(".service"))


def _newest(entries: Path) -> list[str]:
    """Return the parts of the newest days first: host=<H>/date=<D>/<source>-<a>-<b>.parquet."""
    try:
        paths = [os.fspath(path) for path in entries.glob("host=*/date=*/*.parquet")]
    except OSError:
        return []
    return sorted(paths, key=lambda path: path.rsplit("/date=", 1)[-1], reverse=True)[:MOST_FILES]
