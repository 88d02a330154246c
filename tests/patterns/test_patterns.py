"""The shipped catalogue loads, each example matches its own pattern only, and no healthy line is classified."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from forensics import resources
from forensics.signatures import catalogue
from forensics.signatures.catalogue import examples_as_events
from forensics.signatures.match import find_hits
from forensics.signatures.pattern import Catalogue, Example

QUIET = Path(__file__).parents[2] / "fixtures" / "quiet"
KINDS = {"service": "line", "manager": "manager", "kernel": "kernel"}


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return catalogue.load([resources.folder("patterns")], distrust=True)


def signatures(shipped: Catalogue, *examples: Example) -> list[list[str]]:
    hits = find_hits(examples_as_events(examples), shipped)
    return [hits.filter(pl.col("event") == number)["signature"].to_list() for number in range(len(examples))]


def test_the_cross_fire_matrix_is_empty_off_the_diagonal(shipped: Catalogue) -> None:
    assert catalogue.check(shipped) == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_healthy_is_classified(shipped: Catalogue, kind: str) -> None:
    lines = (QUIET / f"{kind}.log").read_text().splitlines()
    assert len(lines) >= 10
    found = signatures(shipped, *[Example(line, {"kind": KINDS[kind]}) for line in lines])
    assert {line: ids for line, ids in zip(lines, found, strict=True) if ids} == {}


def test_every_pattern_requires_literals(shipped: Catalogue) -> None:
    assert [pattern.id for pattern in shipped.patterns if () in pattern.literals] == []


def test_every_remedy_has_numbered_steps(shipped: Catalogue) -> None:
    assert [pattern.id for pattern in shipped.patterns if not pattern.signature.remedy.startswith("1. ")] == []


def test_every_pattern_has_references(shipped: Catalogue) -> None:
    assert [pattern.id for pattern in shipped.patterns if not pattern.signature.references] == []


@pytest.mark.parametrize(
    ("message", "kind", "signature"),
    [
        ("ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory", "traceback", "loader.libstdcxx-missing"),
        ("ImportError: undefined symbol: _ZN3c106detail23torchInternalAssertFailEPKcS2_jS2_RKSs", "traceback", "torch.abi-mismatch"),
        ("2026-12-11 10:00:00.123 ERROR:    torch.OutOfMemoryError: CUDA out of memory. Tried to", "line", "gpu.vram-exhausted"),
        ("ERROR: Insufficient VRAM for model and cache", "line", "gpu.vram-exhausted"),
        (
            "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 5000): address already in use",
            "line",
            "port.conflict",
        ),
        ("ERROR:    Ports 5000 and 5001 are in use by\ndifferent services.", "line", "port.conflict"),
        ("WARNING:  Port 5000 is currently in use. Switching to\n5001.", "line", "tabby.port-fallback"),
        ("RuntimeError: CUDA error: an illegal memory access was encountered", "traceback", "cuda.illegal-access"),
        ("a.service: A process of this unit has been killed by the OOM killer.", "manager", "memory.oom-kill"),
        ("a.service: Watchdog timeout (limit 30s)!", "manager", "systemd.watchdog-timeout"),
        ("a.service: start operation timed out. Terminating.", "manager", "systemd.start-timeout"),
        ("a.service: State 'stop-sigterm' timed out. Killing.", "manager", "systemd.stop-timeout"),
        ("a.service: Failed at step EXEC spawning /x: No such file or directory", "manager", "systemd.exec-failed"),
        ("a.service: Start request repeated too quickly.", "manager", "systemd.start-limit"),
    ],
)
def test_the_classes_of_the_seed_and_of_systemd_are_known(shipped: Catalogue, message: str, kind: str, signature: str) -> None:
    assert signatures(shipped, Example(message, {"kind": kind})) == [[signature]]
