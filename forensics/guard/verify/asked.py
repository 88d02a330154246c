"""Define what is to be verified, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.guard.systemctl import Manager

SETTLE_S, TIMEOUT_S = 180.0, 300.0
AGAIN_WITHIN_S = 60.0  # for an answer after settling: what was loaded once answers soon


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask an endpoint. path: of a plain check, else the kind of endpoint decides; expect: a text of its answer."""

    url: str = ""
    model: str = ""
    path: str = ""
    expect: str = ""
    token: str = ""
    is_asked: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """A unit to verify. port: that callers ask; None: the only one it listens on; timeout_s: to become active, listen and answer."""

    unit: str
    manager: Manager = field(default_factory=Manager)
    port: int | None = None
    settle_s: float = SETTLE_S
    timeout_s: float = TIMEOUT_S
    question: Question = field(default_factory=Question)
