"""Decide what a command does for a unit: prepare something, or put into effect what was prepared."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from posixpath import dirname, join, normpath
from re import compile as pattern

from forensics.changes.people import units_named
from forensics.changes.shell import ANYTHING, EDITORS, OPTIONS, WORD, WORDS, completed, short

PREPARING = pattern(
    rf"{WORD}(?:wget|aria2c|axel|curl)\s|{WORD}git {OPTIONS}(?:clone|fetch)\b|{WORD}(?:huggingface-cli|hf) download\b|"
    rf"{WORD}(?:docker|podman|ollama)(?: compose)? (?:pull|build)\b|{WORD}(?:apt|apt-get|aptitude|apk) {OPTIONS}(?:update|download)\b|"
    rf"{WORD}(?:dnf5?|yum) {OPTIONS}(?:makecache|check-update|download)\b|{WORD}pip3? (?:download|wheel)\b|"
    rf"{WORD}(?:-m venv|virtualenv|uv venv|conda create|mkdir|mktemp)\b|"
    rf"{WORD}(?:make|cmake|ninja|cargo build|go build|npm run build|nix build|nix-build)\b|"
    rf"{WORD}nixos-rebuild {WORDS}(?:build|boot|dry-\w+)\b"
)
UNIT_FILES = r"(?:\S\.(?:service|nix)\b|/etc/(?:systemd|nixos)/|\.d/\S{1,100}\.conf\b)"
EDITS_A_UNIT = pattern(
    rf"{WORD}systemctl {OPTIONS}(?:edit|revert|mask|unmask|enable|disable)\b(?!{ANYTHING} --now)|"
    rf"{WORD}(?:{EDITORS}|sudoedit|rm) {ANYTHING}{UNIT_FILES}"
)
APPLYING = pattern(
    rf"{WORD}systemctl {OPTIONS}(?:start|(?:try-)?restart|(?:try-)?reload(?:-or-(?:try-)?restart)?|isolate|daemon-re(?:load|exec)|"
    rf"(?:soft-)?reboot|kexec)\b|{WORD}systemctl {ANYTHING}--now\b|{WORD}(?:rc-)?service \S+ (?:re)?(?:start|load)\b|"
    rf"{WORD}nixos-rebuild {WORDS}(?:switch|test)\b|{WORD}(?:switch-to-configuration|home-manager) (?:switch|test)\b|"
    rf"{WORD}(?:docker|podman)(?: compose)? (?:restart|start|up|run)\b|^(?:\S*/)?(?:reboot|shutdown .*-r|mv|ln)\b"
)
MOVE = pattern(r"^(?:\S*/)?(?:mv|ln)\s++(?P<words>.+)$")
INTO = pattern(r"\s(?:--prefix|--target|--root|-t|-p|-C)[ =](?P<directory>\S+)")
INSTALLED = pattern(r"^(?P<directory>\S+)/(?:bin|Scripts)/[^/\s]+(?:\s|$)")  # a program of a virtual environment or the like


def puts_into_effect(command: str, unit: str) -> bool:
    """Whether a command makes the unit use what was prepared: restart, start, reload, switch, or moving it into place."""
    named = units_named(command)
    ours = not named or any(fnmatchcase(unit, completed(name)) for name in named)
    return ours and bool(APPLYING.search(command))


def prepares(command: str, directory: str, paths: Collection[str], moved: Collection[str]) -> bool:
    """Whether a command changes nothing that the unit uses yet.

    directory: where it ran. paths: that the unit's lines name. moved: what commands around it put into place.
    """
    if PREPARING.search(command) or EDITS_A_UNIT.search(command):
        return True
    target = target_of(command, directory)
    return target is not None and not _in_use(target, paths, moved)


def target_of(command: str, directory: str) -> str | None:
    """Return the directory that a command installs into or runs from; null when it is the system's own."""
    into = INTO.search(command) or INSTALLED.search(short(command))
    return None if into is None else normpath(join(directory, into["directory"]))


def _in_use(target: str, paths: Collection[str], moved: Collection[str]) -> bool:
    """Whether the unit uses a directory: its lines name files there; when in doubt, it does."""
    if any(path.startswith(f"{target}/") for path in paths):
        return True
    beside = any(path.startswith(f"{dirname(target)}/") for path in paths)
    return not beside and target not in moved


def moved_by(command: str, directory: str) -> list[str]:
    """List what a command moves or links, as absolute paths where the working directory is known."""
    move = MOVE.search(command)
    words = [] if move is None else [word for word in move["words"].split() if not word.startswith("-")]
    return [normpath(join(directory, word)) for word in words[:-1]]
