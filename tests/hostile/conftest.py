"""Fixtures of the tests that let a `watch` run over hostile entries."""

import pytest

from forensics.resources import folder
from forensics.signatures import catalogue
from forensics.watch import loop
from tests.watch.live import Clock


@pytest.fixture(scope="module")
def known():
    return catalogue.load((folder("patterns"),))


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(loop, "time", made)
    return made
