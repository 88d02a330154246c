"""Decide whether a person made a change, and whether it is about a unit or the whole system."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from posixpath import join, normpath
from re import IGNORECASE, Pattern, escape
from re import compile as pattern

from forensics.changes.shell import ANYTHING, EDITORS, WORD, commands_of, completed

# Services that change a system by themselves: what they run is no person's command
PROGRAMS = pattern(
    r"^(?:nixos-upgrade|apt-daily(?:-upgrade)?|unattended-upgrades|dnf-automatic.*|dnf5-automatic|packagekit|yum-cron|transactional-update|"
    r"crond?|atd|anacron|puppet|chef-client|salt-minion|fwupd|snapd)\.service$"
)
AUTOMATIC = pattern(r"^(?:unattended-upgrades?|dnf-automatic|packagekitd): ")
REQUESTER = pattern(r" requested from client PID \d+ \('?(?P<program>[^')]{0,100})'?\)(?: \(unit (?P<unit>[^)]{1,300})\))?")
A_PERSON_S = pattern(r"^(?:session-.*\.scope|user@.*\.service|sshd?(?:@.*)?\.service|[^@]*getty@.*\.service)$")

UNIT_VERBS = (
    r"(?:start|stop|(?:try-)?restart|(?:try-)?reload(?:-or-(?:try-)?restart)?|kill|reset-failed|edit|cat|show|status|is-active|is-failed|"
    r"is-enabled|list-dependencies|(?:re)?enable|disable|(?:un)?mask|revert|set-property|clean|freeze|thaw)"
)
SYSTEMCTL = pattern(rf"{WORD}systemctl(?: -\S+)*(?: {UNIT_VERBS}(?P<units>(?: \S+)*))?(?:\s|$)")
SERVICE = pattern(rf"{WORD}(?:(?:rc-)?service (?P<unit>[\w@.-]+)|(?:/?etc/)?(?:init|rc)\.d/(?P<script>[\w@.-]+))")
JOURNALCTL = pattern(rf"{WORD}journalctl(?:\s|$)")
JOURNAL_OF = pattern(
    r"(?:\s(?:-u|--unit|--user-unit|-t|--identifier)[ =]?|\b(?:_SYSTEMD_(?:USER_)?UNIT|UNIT|SYSLOG_IDENTIFIER)=)(?P<unit>[\w@:.*?\\-]+)"
)

TOOLS = (
    r"(?:nixos-rebuild|switch-to-configuration|home-manager|reboot|shutdown|poweroff|halt|init|telinit|dmesg|ss|netstat|lsof|fuser|ps|top|"
    r"htop|atop|free|df|du|iostat|vmstat|iotop|coredumpctl|systemd-\w+|sysctl|mount|umount|swapon|swapoff|kill|pkill|killall|nvidia-smi|"
    r"rocm-smi|nvtop|strace|gdb|setenforce|restorecon|setsebool|usermod|useradd|groupadd|ldconfig|update-alternatives|fsck|resize2fs)"
)
SYSTEM_FILES = (
    r"/(?:etc/(?:systemd|nixos|sysctl|security|fstab|environment|hosts|resolv\.conf|nsswitch|ld\.so|modprobe|modules|udev|default/grub|selinux)|"
    r"usr/lib/systemd|lib/systemd|boot|var/log/(?:syslog|messages|kern|journal|dmesg)|var/cache)"
)
CHANGES_FILES = rf"(?:{EDITORS}|sudoedit|visudo|rm|truncate|chown|chmod|cat|z?less|more|tail|head|grep)"
OF_THE_SYSTEM = pattern(rf"^(?:\S*/)?{TOOLS}(?:\s|$)|{WORD}{CHANGES_FILES} {ANYTHING}{SYSTEM_FILES}|^(?:\S*/)?visudo")

WORKING_DIRECTORY = pattern(r"(?:^|[ ;])PWD=(?P<sudo>[^;]{0,1000}?) ;|\[CWD=(?P<pkexec>[^\]\[]*)\]| as \S+ from (?P<doas>/\S*)$")


def is_by_person(kind: str, summary: str, message: str, writer: str | None) -> bool:
    """Whether a person made a change, as far as its line shows. writer: the unit that its line belongs to."""
    if kind in ("login", "boot") or PROGRAMS.search(writer or "") or AUTOMATIC.search(summary):
        return False
    if kind == "driver":  # the kernel's own line, or the package's build, otherwise
        return bool(commands_of(summary))
    return kind != "unit-reload" or _requested_by_person(message)


def _requested_by_person(message: str) -> bool:
    requester = REQUESTER.search(message)
    return requester is not None and requester["program"] == "systemctl" and bool(A_PERSON_S.search(requester["unit"] or "user@.service"))


def is_about(unit: str, files: Iterable[str], kind: str, summary: str, message: str) -> bool:
    """Whether a change is about the unit, its files or the whole system. files: directories that the unit's lines name."""
    commands = commands_of(summary)
    if not commands or kind in ("system-switch", "package", "driver"):
        return kind not in ("login", "boot")
    directory = working_directory(message)
    return any(_is_about(unit, files, command, directory) for command in commands)


def _is_about(unit: str, files: Iterable[str], command: str, directory: str) -> bool:
    named = units_named(command)
    if named:
        return any(fnmatchcase(unit, completed(name)) or unit.rsplit(".", 1)[0] == name for name in named)
    if named is not None or OF_THE_SYSTEM.search(command) or unit_words(unit).search(f"{command} {directory}"):
        return True
    paths = [directory, *(path for path in paths_in(command, directory))]
    return any(f"{path}/".startswith(f"{own}/") for path in paths for own in files)


def units_named(command: str) -> list[str] | None:
    """List the units that a command of systemd's tools names, none for the whole system; null for other commands."""
    if JOURNALCTL.search(command):
        return [named["unit"] for named in JOURNAL_OF.finditer(command)]
    if service := SERVICE.search(command):
        return [service["unit"] or service["script"]]
    if systemctl := SYSTEMCTL.search(command):
        return [word for word in (systemctl["units"] or "").split() if not word.startswith("-") and "=" not in word]
    return None


def unit_words(unit: str) -> Pattern[str]:
    """Match the unit's name in a command or path: its stem as a whole word."""
    return pattern(rf"(?<![\w@-]){escape(unit.rsplit('.', 1)[0])}(?![\w@-])", IGNORECASE)


def working_directory(message: str) -> str:
    """Return the directory in which a command of sudo, pkexec or doas ran; empty when its line does not show it."""
    ran = WORKING_DIRECTORY.search(message)
    return "" if ran is None else next((value for value in ran.groups() if value is not None), "")


def paths_in(command: str, directory: str) -> list[str]:
    """List the words of a command that are paths, absolute where the working directory is known."""
    words = [word.rsplit("=", 1)[-1] for word in command.split() if "/" in word or "." in word]
    return [normpath(join(directory, word)) for word in words if "://" not in word]
