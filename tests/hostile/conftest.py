"""Fixtures of the tests that let a `watch` run over hostile entries."""

from tests.watch.live import clock, known

__all__ = ["clock", "known"]
