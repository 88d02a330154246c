"""Classify a shell command by its purpose: packages, a driver, configuration, one unit, a login, or read-only."""

from __future__ import annotations

from re import compile as pattern

WORD = r"(?:^|/|\s)"
# A command may be long and begin anywhere in a line: what is between its words is bounded, so that the cost grows with the line only.
OPTIONS = r"(?:-\S{1,100} ){0,10}"
WORDS = r"(?:\S{1,100} ){0,20}"
ANYTHING = r".{0,1000}"


def _any(alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives.split())})"


PACKAGERS = (
    _any("apt apt-get aptitude dnf5? yum rpm zypper apk snap flatpak nix-env pip3? uv conda mamba poetry npm") + r"(?: (?:pip|profile))?"
)
CHANGING = _any("install upgrade full-upgrade dist-upgrade remove purge update downgrade add sync reinstall uninstall -[iUe]\\w*")
EDITORS = _any(r"n?vim? nano micro emacs hx ed sed\s-i\S* tee cp mv ln install patch crudini")
CONFIGURATION = r"(?:/etc/|\.(?:conf|ya?ml|toml|ini|env|service|nix)\b)"

KINDS = (
    ("login", pattern(r"^(?:\S*/)?(?:(?:ba|z|da|fi|k|tc)?sh|su)(?: -[il]*| root| --?login)*$")),  # what is typed there is not logged
    (
        "package",
        pattern(rf"{WORD}{PACKAGERS} {OPTIONS}{CHANGING}(?:\s|$)|{WORD}pacman -[SUR]\w*|{WORD}dpkg (?:-i|-r|-P|--install|--remove)\b"),
    ),
    ("driver", pattern(rf"{WORD}(?:modprobe|rmmod|insmod|dkms|nvidia-smi (?:-r|--gpu-reset|-pl|-mig|-pm))\b")),
    ("configuration", pattern(rf"{WORD}(?:systemctl {OPTIONS}edit|sudoedit|visudo)\b|{WORD}{EDITORS} {ANYTHING}{CONFIGURATION}")),
)

# Read-only commands: neither a cause nor an attempt to fix anything, but a sign that an operator is present.
READ_ONLY = _any(
    "cat z?less more tail head [ze]?f?grep zcat lnav multitail awk wc ls dmesg ss netstat lsof ps pgrep top htop atop df du free id true "
    "whoami w who last uptime stat coredumpctl ping list -l"
)
STATUS = r"systemctl(?: -\S+| [^-\s=][^\s=]*=\S*)*(?: (?:status|show|cat|list-\S+|is-\S+|get-default|help)\b|$)"
JOURNAL = r"journalctl(?! .*--(?:vacuum|rotate|flush|sync|relinquish|smart-relinquish|setup-keys|update-catalog))"
LOOKING = (
    rf"{JOURNAL}|{STATUS}|nvidia-smi(?! (?:-\w*r|--gpu-reset|-p))|loginctl(?! (?:\S+ )*(?:terminate|kill|lock|enable|disable))|"
    r"find(?! .*-(?:delete|exec|ok))|sysctl(?! .*(?:-w|-p|--system|=))|sed -n|"
    r"ip (?:-\S+ )*(?:a|addr|address|l|link|r|ro|route|n|neigh|rule|-\S+)(?: (?:show|sh?|list|ls|get)\b.*)?$|"
    r"(?:docker|podman|kubectl|crictl)(?: compose)? (?:logs|ps|inspect|stats|top|images|describe|get|version|info)"
)
READ_ONLY_COMMAND = pattern(rf"^(?:\S*/)?(?:{READ_ONLY}|{LOOKING})(?:\s|$)")
IN_A_SHELL = pattern(r"^(?:\S*/)?(?:ba|z|da)?sh -l?c ")
ONE_AFTER_ANOTHER = pattern(r"&&|\|\|?|;")
WRITES = pattern(r">(?!\s*/dev/null|&)")

JOBS = _any("start stop restart reload try-restart reload-or-restart kill reset-failed edit enable disable mask unmask")
ABOUT = pattern(rf"{WORD}systemctl {OPTIONS}{JOBS} {OPTIONS}(?P<unit>[\w@:.\\-]+)$")

# Directories of every $PATH: a program's name is enough; any other directory, as of a virtual environment, is informative
ON_THE_PATH = pattern(
    r"^/(?:(?:usr/)?(?:local/)?s?bin|run/current-system/sw/s?bin|run/wrappers/bin|etc/profiles/per-user/[^/]+/bin|nix/store/[^/]+/s?bin|snap/bin)/"
)
COMMAND = pattern(r"^\S+ ran (?P<command>.+)$")


def short(command: str) -> str:
    """Strip the directory of a program that is on every $PATH."""
    return ON_THE_PATH.sub("", command)


def kind_of(command: str) -> str:
    """Classify the change that a command makes, by the kinds of CHANGES; "operator" when it is none of the special ones."""
    return next((kind for kind, expression in KINDS if expression.search(command)), "operator")


def unit_of(command: str) -> str | None:
    """Return the one unit that a systemctl command is about, its suffix completed as systemctl does."""
    about = ABOUT.search(command)
    return None if about is None else completed(about["unit"])


def completed(unit: str) -> str:
    return unit if "." in unit else f"{unit}.service"


def commands_of(summary: str) -> list[str]:
    """List the commands in a change's summary; nothing of other lines."""
    return [ran["command"] for part in summary.split("; ") if (ran := COMMAND.search(part))]


def is_read_only(summary: str) -> bool:
    """Whether every command in a change's summary is read-only."""
    commands = commands_of(summary)
    return len(commands) == summary.count("; ") + 1 and all(map(_reads, commands))


def _reads(command: str) -> bool:
    if not IN_A_SHELL.search(command):
        return bool(READ_ONLY_COMMAND.search(short(command)))
    script = IN_A_SHELL.sub("", command)
    return not WRITES.search(script) and all(READ_ONLY_COMMAND.search(part.strip()) for part in ONE_AFTER_ANOTHER.split(script))
