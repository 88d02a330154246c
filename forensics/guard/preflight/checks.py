"""Define what can be checked before a start, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "failed", "warned", "unknown"]


@dataclass(frozen=True, slots=True)
class About:
    """signature: the failure class that the check looks for, "" for none; optional: a failure only warns."""

    signature: str = ""
    optional: bool = False


NOTHING = About()


@dataclass(frozen=True, slots=True)
class Library:
    """An extension module (torch._C) or a file whose libraries must resolve; or a library that one of the environment needs."""

    about: About
    name: str = ""
    module: str = ""
    file: str = ""
    program: str = ""  # the interpreter or program that loads it; "" for the unit's own

    @property
    def subject(self) -> str:
        return self.module or self.file or self.name


@dataclass(frozen=True, slots=True)
class Port:
    """A TCP port that nobody else may listen on. address: where the unit listens, "" where it is not known."""

    about: About
    port: int
    address: str = ""

    @property
    def subject(self) -> str:
        return str(self.port)


@dataclass(frozen=True, slots=True)
class Access:
    """A path that this user must reach. access: exists, read, write or execute."""

    about: About
    path: str
    access: str = "exists"

    @property
    def subject(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class Configuration:
    """A file that must parse. format: toml, json, yaml or ini."""

    about: About
    path: str
    format: str

    @property
    def subject(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system with at least so many bytes and files left for this user."""

    about: About
    path: str
    free: int
    inodes: int

    @property
    def subject(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class Vram:
    """A GPU with at least so many bytes free; gpu: its index, None for any."""

    about: About
    free: int
    gpu: int | None = None

    @property
    def subject(self) -> str:
        return "any GPU" if self.gpu is None else f"GPU {self.gpu}"


Check = Library | Port | Access | Configuration | Disk | Vram


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a check. text: of a failure the words that the service itself would have died with; not safe to show."""

    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A check by its kind and subject with its outcome."""

    kind: str
    subject: str
    signature: str
    outcome: Outcome


OK = Outcome("ok", "")


def failed(text: str) -> Outcome:
    return Outcome("failed", text)


def unknown(text: str) -> Outcome:
    return Outcome("unknown", text)
