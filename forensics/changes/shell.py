"""A command that somebody ran in, what it was for out: packages, a driver, configuration, one unit, or just a look."""

from __future__ import annotations

from re import compile as pattern

WORD = r"(?:^|/|\s)"
OPTIONS = r"(?:-\S+ )*"


def _any(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


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

# Commands that only look: no cause of anything and no attempt to repair, but a sign that somebody is there.
LOOKING = _any(
    "journalctl cat less more tail head grep ls dmesg ss netstat lsof ps top htop df du free id true whoami stat find "
    "coredumpctl loginctl ip ping list -l"
)
STATUS = rf"systemctl {OPTIONS}(?:status|show|cat|list-\S+|is-\S+)"
LOOKS = pattern(rf"^\S+ ran (?:\S*/)?(?:{LOOKING}|{STATUS}|nvidia-smi(?! (?:-\w*r|--gpu-reset|-p)))(?:\s|$)")

JOBS = _any("start stop restart reload try-restart reload-or-restart kill reset-failed edit enable disable mask unmask")
ABOUT = pattern(rf"{WORD}systemctl {OPTIONS}{JOBS} {OPTIONS}(?P<unit>[\w@:.\\-]+)$")


# Where every shell looks for programs: there the name says all; another directory, as of a virtual environment, is worth reading.
ON_THE_PATH = pattern(
    r"^/(?:(?:usr/)?(?:local/)?s?bin|run/current-system/sw/s?bin|run/wrappers/bin|etc/profiles/per-user/[^/]+/bin|nix/store/[^/]+/s?bin|snap/bin)/"
)


def short(command: str) -> str:
    """The command without the directory of a program that is on everybody's path."""
    return ON_THE_PATH.sub("", command)


def kind_of(command: str) -> str:
    return next((kind for kind, does in KINDS if does.search(command)), "operator")


def unit_of(command: str) -> str | None:
    """The one unit that a systemctl command is about, its suffix completed as systemctl does."""
    about = ABOUT.search(command)
    if about is None:
        return None
    unit = about["unit"]
    return unit if "." in unit else f"{unit}.service"


def just_looks(summary: str) -> bool:
    """A change's summary of which every part is a look."""
    return all(LOOKS.search(part) for part in summary.split("; "))
