"""Delete the days of a store that ended before a given time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from forensics.store.layout import Layout
from forensics.store.manifest import Manifest, sound_manifests
from forensics.store.parts import DAY, micros
from forensics.store.workspace import Workspace, open_workspace


def prune(layout: Layout, older_than: datetime) -> int:
    """Delete every part whose last day ended by `older_than`; return the number of entries deleted.

    The manifests remember it, so that reading the same journal file again does not bring them back.
    """
    before = micros(older_than) // DAY * DAY
    sources = [manifest.source for manifest in sound_manifests(layout)[0] if _old_parts(manifest, before)]
    if not sources:
        return 0
    with open_workspace(layout) as workspace:
        return sum(_prune_source(workspace, source, before) for source in sources)


def _old_parts(manifest: Manifest, before: int) -> set[str]:
    return {part.path for part in manifest.parts if part.last_time < before}


def _prune_source(workspace: Workspace, source: str, before: int) -> int:
    while (manifest := workspace.manifest(source)) is not None:
        old = _old_parts(manifest, before)
        rows = sum(part.rows for part in manifest.parts if part.path in old)
        kept = [part for part in manifest.parts if part.path not in old]
        after = replace(manifest.with_parts(kept), pruned_before=max(before, manifest.pruned_before or before))
        if workspace.commit(manifest, after, []):
            return rows
    return 0
