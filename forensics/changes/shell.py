"""Classify a shell command by its purpose: packages, a driver, configuration, one unit, or read-only."""

from __future__ import annotations

from re import compile as pattern

WORD = r"(?:^|/|\s)"
OPTIONS = r"(?:-\S+ )*"


def _any(alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives.split())})"


PACKAGERS = (
    _any("apt apt-get aptitude dnf5? yum rpm zypper apk snap flatpak nix-env pip3? uv conda mamba poetry npm") + r"(?: (?:pip|profile))?"
)
CHANGING = _any("install upgrade full-upgrade dist-upgrade remove purge update downgrade add sync reinstall uninstall -[iUe]\\w*")
EDITORS = _any(r"n?vim? nano micro emacs hx ed sed\s-i\S* tee cp mv ln install patch crudini")
CONFIGURATION = r"(?:/etc/|\.(?:conf|ya?ml|toml|ini|env|service|nix)\b)"

KINDS = (
    (
        "package",
        pattern(rf"{WORD}{PACKAGERS} {OPTIONS}{CHANGING}(?:\s|$)|{WORD}pacman -[SUR]\w*|{WORD}dpkg (?:-i|-r|-P|--install|--remove)\b"),
    ),
    ("driver", pattern(rf"{WORD}(?:modprobe|rmmod|insmod|dkms|nvidia-smi (?:-r|--gpu-reset|-pl|-mig|-pm))\b")),
    ("configuration", pattern(rf"{WORD}(?:systemctl {OPTIONS}edit|sudoedit|visudo)\b|{WORD}{EDITORS} .*{CONFIGURATION}")),
)

# Read-only commands: neither a cause nor an attempt to fix anything, but a sign that an operator is present.
READ_ONLY = _any(
    "journalctl cat less more tail head grep ls dmesg ss netstat lsof ps top htop df du free id true whoami stat find "
    "coredumpctl loginctl ip ping list -l"
)
STATUS = rf"systemctl {OPTIONS}(?:status|show|cat|list-\S+|is-\S+)"
READ_ONLY_COMMAND = pattern(rf"^\S+ ran (?:\S*/)?(?:{READ_ONLY}|{STATUS}|nvidia-smi(?! (?:-\w*r|--gpu-reset|-p)))(?:\s|$)")

JOBS = _any("start stop restart reload try-restart reload-or-restart kill reset-failed edit enable disable mask unmask")
ABOUT = pattern(rf"{WORD}systemctl {OPTIONS}{JOBS} {OPTIONS}(?P<unit>[\w@:.\\-]+)$")

# Directories of every $PATH: a program's name is enough; any other directory, as of a virtual environment, is informative
ON_THE_PATH = pattern(
    r"^/(?:(?:usr/)?(?:local/)?s?bin|run/current-system/sw/s?bin|run/wrappers/bin|etc/profiles/per-user/[^/]+/bin|nix/store/[^/]+/s?bin|snap/bin)/"
)


def short(command: str) -> str:
    """Strip the directory of a program that is on every $PATH."""
    return ON_THE_PATH.sub("", command)


def kind_of(command: str) -> str:
    """Classify the change that a command makes, by the kinds of CHANGES; "operator" when it is none of the special ones."""
    return next((kind for kind, expression in KINDS if expression.search(command)), "operator")


def unit_of(command: str) -> str | None:
    """Return the one unit that a systemctl command is about, its suffix completed as systemctl does."""
    about = ABOUT.search(command)
    if about is None:
        return None
    unit = about["unit"]
    return unit if "." in unit else f"{unit}.service"


def is_read_only(summary: str) -> bool:
    """Whether every command in a change's summary is read-only."""
    return all(READ_ONLY_COMMAND.search(part) for part in summary.split("; "))
