"""Word what people and programs did to a host in a few words: "a NixOS switch", "the environment was replaced"."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import takewhile
from posixpath import basename
from re import compile as pattern
from typing import NamedTuple

from forensics.changes.shell import ANYTHING, EDITORS, OPTIONS, WORD, WORDS, commands_of, short
from forensics.model.values import Change, FixAttempt

LONGEST = 400  # characters of a command that are looked at for its first words
MOST_WORDS = 3  # of a command that is quoted
MOST = 2  # acts that a sentence names


class Deed(NamedTuple):
    """What was done to what, as in: the environment was replaced. rank: of several the lowest are named."""

    subject: str
    participle: str
    rank: int = 0


_KILL = pattern(rf"^(?:\S*/)?(?:kill|pkill|killall)\s{ANYTHING}$|^(?:\S*/)?fuser {OPTIONS}-\w*k")
_PID = pattern(r"\b\d{2,10}\b")
_ENVIRONMENT = pattern(r"^(?:\S*/)?(?:mv|ln|cp|rsync)\s.{0,400}?\b(?:venv|env|virtualenv|conda)\b")
_PYTHON = pattern(rf"{WORD}(?:pip3?|uv|conda|mamba|poetry) {OPTIONS}(?:pip )?(?:install|sync|add|update|upgrade)\b")
_SWITCH = pattern(
    rf"{WORD}(?:nixos-rebuild {WORDS}(?:switch|test)|switch-to-configuration (?:switch|test))\b|^system switch to |^NixOS rebuild"
)
_PACKAGE = pattern(r"\b(?P<verb>install|upgrade|downgrade|remove|purge|update)(?:ed|d)?\b")
_VERBS = {
    "install": "installed",
    "upgrade": "upgraded",
    "downgrade": "downgraded",
    "remove": "removed",
    "purge": "removed",
    "update": "updated",
}
_PACKAGERS = pattern(r"(?:^|\s|/)(?:apt|apt-get|aptitude|dpkg|dnf5?|yum|rpm|zypper|apk|pacman|snap|flatpak|npm)\b")
_EDIT = pattern(rf"{WORD}(?:{EDITORS}|sudoedit)\s")
_UNIT_EDIT = pattern(rf"{WORD}systemctl {OPTIONS}(?:edit|revert)\b")
_REMOVE = pattern(r"^(?:\S*/)?(?:rm|unlink)\s")
_RIGHTS = pattern(r"^(?:\S*/)?(?:chown|chmod|setfacl|chgrp)\s")
_MOUNT = pattern(r"^(?:\S*/)?(?:mount|umount)\b")
_DRIVER = pattern(rf"{WORD}(?:modprobe|rmmod|insmod|dkms|nvidia-smi)\b")
_REBOOT = pattern(rf"^(?:\S*/)?(?:reboot|shutdown)\b|{WORD}systemctl {OPTIONS}(?:soft-)?reboot\b")
_RELOAD = pattern(rf"{WORD}systemctl {OPTIONS}daemon-re(?:load|exec)\b|^systemd re(?:loaded|-executed)")
_RESTART = pattern(rf"{WORD}systemctl {OPTIONS}(?:re-?)?(?:start|try-restart|reload-or-restart)(?: (?P<unit>[\w@:.\\-]{{1,200}}))?$")
_BY_HAND = pattern(r"^(?P<unit>\S{1,255}) (?:re)?started manually$")
_ROLLBACK = pattern(rf"{WORD}nixos-rebuild {WORDS}(?:--rollback)\b")
_SIMPLE = (
    (_ROLLBACK, Deed("the system", "rolled back")),
    (_SWITCH, Deed("the system", "switched to another configuration")),
    (_ENVIRONMENT, Deed("the environment", "replaced")),
    (_PYTHON, Deed("a Python package", "installed")),
    (_UNIT_EDIT, Deed("its unit", "changed")),
    (_RIGHTS, Deed("the access to a file", "changed")),
    (_MOUNT, Deed("a file system", "mounted or unmounted")),
    (_DRIVER, Deed("a driver", "changed")),
    (_REBOOT, Deed("the host", "rebooted")),
)
_TRIGGERS = {
    "package": "a package change",
    "driver": "a driver change",
    "configuration": "a change of configuration",
    "boot": "a boot",
    "unit-reload": "a reload of systemd's units",
    "unit-job": "a start or stop by hand",
    "operator": "an operator's command",
}
_PLAIN_NAME = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,40}")


def trigger_words(change: Change) -> str:
    """Name a change before the first failure; "" of a login, which changes nothing."""
    if change.kind == "login":
        return ""
    if change.kind == "system-switch":
        failed = "failed " * change.summary.endswith(" failed")
        return f"a {failed}{'NixOS' if 'nixos' in change.summary.lower() else 'system'} switch"
    command = next(iter(commands_of(change.summary)), "")
    if "nixos-rebuild" in command and _SWITCH.search(command):
        return "a NixOS switch"
    quoted = _quoted(command)
    return _TRIGGERS.get(change.kind, "a change of the host") + (f" ({quoted})" if quoted else "")


def ending_words(fix: FixAttempt, unit: str, leftovers: Collection[str]) -> str:
    """Word the try after which a unit held: "a left-over process was killed and the environment replaced".

    leftovers: the processes that held what the unit needed.
    """
    deeds = list(dict.fromkeys(_deeds(fix.summary, unit, leftovers)))
    if any(deed.subject == "the environment" for deed in deeds):
        deeds = [deed for deed in deeds if deed.subject != "a Python package"]
    best = sorted(deeds, key=lambda deed: deed.rank)[:MOST]
    chosen = [deed for deed in deeds if deed in best and deed.rank == best[0].rank] or deeds[:1]
    if not chosen:
        return "somebody changed something"
    first, *others = chosen
    return " and ".join([f"{first.subject} was {first.participle}", *(f"{deed.subject} {deed.participle}" for deed in others)])


def _deeds(summary: str, unit: str, leftovers: Collection[str]) -> Iterator[Deed]:
    for part in summary.split("; "):
        command = next(iter(commands_of(part)), "")
        deed = _deed(short(command) if command else part, unit, leftovers, is_command=bool(command))
        if deed is not None:
            yield deed


def _deed(text: str, unit: str, leftovers: Collection[str], *, is_command: bool) -> Deed | None:
    """Word one command, or one line about a change; nothing of a count of earlier actions."""
    deed = _killed(text, leftovers) or _simple(text) or _package(text) or _of_a_file(text) or _start(text, unit)
    return deed or (Deed(_quoted(text) or "a command", "run", 1) if is_command else None)


def _killed(text: str, leftovers: Collection[str]) -> Deed | None:
    if not _KILL.search(text):
        return None
    pids = _PID.findall(text)
    if any(pid in leftovers for pid in pids):
        return Deed("a left-over process", "killed")
    return Deed(f"process {pids[0]}" if len(pids) == 1 else "a process", "killed")


def _simple(text: str) -> Deed | None:
    return next((deed for expression, deed in _SIMPLE if expression.search(text)), None)


def _package(text: str) -> Deed | None:
    verb = _PACKAGE.search(text) if _PACKAGERS.search(text) else None
    return Deed("a package", _VERBS[verb["verb"]]) if verb else None


def _of_a_file(text: str) -> Deed | None:
    participle = "changed" if _EDIT.search(text) else "removed" if _REMOVE.search(text) else ""
    return Deed(_file(text.rsplit(maxsplit=1)[-1]), participle) if participle else None


def _start(text: str, unit: str) -> Deed | None:
    started = _RESTART.search(text) or _BY_HAND.search(text)
    if started is None:
        return Deed("systemd", "made to read its units again", 1) if _RELOAD.search(text) else None
    named = started["unit"] or ""
    ours = not named or unit in (named, f"{named}.service")
    return Deed("it" if ours else _file(named), "started by hand", 2 if ours else 1)


def _file(path: str) -> str:
    name = basename(path.rstrip("/"))
    return name if _PLAIN_NAME.fullmatch(name) else "a file"


def _quoted(command: str) -> str:
    """Quote the first words of a command, up to the first that is no plain name: none is cut, so that each secret is found as a whole."""
    words = short(command[:LONGEST]).split()[:MOST_WORDS]
    plain = list(takewhile(_PLAIN_NAME.fullmatch, words))
    return " ".join(plain if len(command) <= LONGEST else plain[:-1])
