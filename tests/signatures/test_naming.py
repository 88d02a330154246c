"""Names that are remembered are those that would be found again."""

from __future__ import annotations

import pytest

from forensics.signatures import naming
from tests.signatures.making import event, events_frame

TEXTS = ["worker 7 lost its lease", "worker 8 lost its lease", "password=hunter2 was refused", "x" * (naming.LONGEST + 1)]


def test_names_are_the_same_with_and_without_a_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    events = events_frame(*(event(text) for text in TEXTS))
    monkeypatch.setattr(naming, "_NAMES", {})
    first, again = naming.mined(events), naming.mined(events)
    assert all(len(row[1] or "") <= naming.LONGEST for row in naming._NAMES)
    monkeypatch.setattr(naming, "FEW", 0)
    assert first.rows() == again.rows() == naming.mined(events).rows()
    assert first["signature"][0] == first["signature"][1] != first["signature"][2]


def test_the_memory_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_NAMES", {})
    monkeypatch.setattr(naming, "MOST", naming.FEW + 2)
    for number in range(6):
        naming.mined(events_frame(event(f"no lease {'abcdef'[number]}")))
    assert 0 < len(naming._NAMES) <= 3
