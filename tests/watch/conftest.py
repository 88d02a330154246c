"""Fixtures of the tests that drive the loop of `watch`."""

from tests.watch.live import clock, known

__all__ = ["clock", "known"]
