"""Classify the log lines by which programs report a change.

A summary is filled with the named groups of its rule's pattern. Rules are tried in order, per distinct line.
"""

from __future__ import annotations

from dataclasses import dataclass
from re import Match, Pattern
from re import compile as pattern

from forensics.changes.shell import kind_of, short, unit_of


@dataclass(frozen=True, slots=True)
class Rule:
    kind: str  # of CHANGES; "" for a line that reports a refusal
    identifiers: frozenset[str]  # SYSLOG_IDENTIFIER; empty: any
    pattern: Pattern[str]
    summary: str


def _rule(kind: str, identifiers: str, expression: str, summary: str) -> Rule:
    return Rule(kind, frozenset(identifiers.split()), pattern(expression), summary)


SSHD = "sshd sshd-session"
GPU_DRIVER = r"(?:nvidia|amdgpu|i915|xe)\S*: (?:loading out-of-tree|module verification failed|\[drm\] .*initialized version)"
PERSON = r"(?!(?:gdm|sddm|lightdm|greeter|Debian-gdm|root|nobody|_\w+|systemd-\w+)\b)"  # their sessions are not a human's

RULES: tuple[Rule, ...] = (
    # NixOS: switch-to-configuration writes these to syslog as "nixos"
    _rule(
        "system-switch",
        "",
        r"^switching to system configuration /nix/store/(?P<hash>\w{1,8})\w*-(?P<to>\S+) failed",
        "system switch to {to} ({hash}) failed",
    ),
    _rule(
        "system-switch",
        "",
        r"^switching to system configuration /nix/store/(?P<hash>\w{1,8})\w*-(?P<to>\S+)",
        "system switch to {to} ({hash})",
    ),
    _rule(
        "system-switch",
        "",
        r"^finished switching to system configuration /nix/store/(?P<hash>\w{1,8})\w*-(?P<to>\S+)",
        "system switch to {to} ({hash}) finished",
    ),
    _rule(
        "system-switch",
        "nixos-rebuild nixos-rebuild-ng nixos-upgrade nixos-upgrade-start",
        r"(?i)(?:activating the configuration|switching)",
        "NixOS rebuild",
    ),
    # sudo: "user : TTY=… ; PWD=… ; USER=… ; COMMAND=…", without TTY where there is none; a refusal has its reason in between
    _rule(
        "", "sudo", r"^\s*\S+ : (?:\d+ incorrect password|user NOT in|command not allowed|a password is required|no tty|a terminal is)", ""
    ),
    _rule(
        "operator",
        "sudo",
        r"^\s*(?P<who>\S+) : (?>(?:.*? ; )?USER=\S+ ; )(?>(?:.*? ; )?COMMAND=)(?P<command>.+)$",
        "{who} ran {command}",
    ),
    _rule("operator", "doas", r"^(?P<who>\S+) ran command (?P<command>.+?) as (?P<as>\S+)", "{who} ran {command}"),
    _rule("operator", "pkexec", r"^(?P<who>\S+): Executing command (?>.*?\[COMMAND=)(?P<command>[^\]]+)\]", "{who} ran {command}"),
    _rule(
        "operator",
        "polkitd polkit-1",
        r"^Operator of unix-\w+:\S+ (?>.*?authenticated as unix-user:)(?P<who>\S+) [^\[]*\[(?P<command>[^\]]+)\]",
        "{who} ran {command}",
    ),
    _rule("login", "su", r"^\(to (?P<as>\S+)\) (?P<who>\S+) on", "{who} became {as}"),
    _rule("configuration", "usermod useradd userdel groupadd groupmod groupdel gpasswd", r"^(?P<what>.+)$", "accounts: {what}"),
    _rule("package", "pacman", r"^.{0,60}?\[ALPM\] (?P<what>(?:upgraded|installed|removed|downgraded|reinstalled) .+)$", "pacman {what}"),
    _rule("package", "", r"^\[ALPM\] (?P<what>(?:upgraded|installed|removed|downgraded|reinstalled) .+)$", "pacman {what}"),
    _rule(
        "package",
        "dnf dnf5 dnf-automatic yum rpm microdnf packagekitd",
        r"^(?P<what>(?:Installed|Upgraded|Updated|Upgrade|Install|Erased|Removed|Downgraded|Reinstalled):? .+)$",
        "{id}: {what}",
    ),
    _rule(
        "package",
        "apt apt-get dpkg unattended-upgrade unattended-upgrades aptitude",
        r"(?i)^(?P<what>(?:status installed|install|upgrade|remove|purge|unpack|setting up|packages that (?:will be|were) upgraded).+)$",
        "{id}: {what}",
    ),
    _rule("driver", "kernel", r"^(?:\[ *[\d.]+\] )?NVRM: loading (?P<what>NVIDIA .+?\s\d+\.[\d.]+)", "kernel driver: {what}"),
    _rule(
        "driver",
        "kernel",
        r"^(?:\[ *[\d.]+\] )?(?P<what>" + GPU_DRIVER + r".*)$",
        "kernel driver: {what}",
    ),
    _rule("driver", "dkms", r"^(?=.*(?:install|build|remov|add))(?P<what>.*)$", "dkms: {what}"),
    _rule(
        "unit-reload",
        "systemd",
        r"^Reload(?:ing)? requested from client PID (?P<pid>\d+) \((?:'(?P<command>[^']*)'|(?P<other>[^)]*))\)",
        "systemd reloaded its units, requested by {command}",
    ),
    _rule("unit-reload", "systemd", r"^Reloading(?:\.|\.\.\.)$", "systemd reloaded its units"),
    _rule("unit-reload", "systemd", r"^Reexecut(?:ing|e requested)", "systemd re-executed itself"),
    _rule("login", SSHD, r"^Accepted (?P<how>\S+) for (?P<who>\S+) from (?P<where>\S+) port", "{who} logged in by ssh from {where}"),
    _rule(
        "login",
        "systemd-logind",
        r"^New session '?(?P<session>\d\w*)'? of user '?" + PERSON + r"(?P<who>[^\s']+?)'?\.?(?: with .*)?$",
        "{who} logged in",
    ),
    _rule("login", SSHD + " login", r"^pam_unix\((?:sshd|login):session\): session opened for user (?P<who>[^\s(]+)", "{who} logged in"),
    _rule(
        "login",
        "su",
        r"^pam_unix\(su(?:-l)?:session\): session opened for user (?P<as>[^\s(]+)(?:\(uid=\d+\))? by (?P<who>[^\s(]+)",
        "{who} became {as}",
    ),
)
LONGEST = 4096  # characters of a line that are read: a hostile one costs no more
IDENTIFIERS = frozenset[str]().union(*(rule.identifiers for rule in RULES)) - {"systemd", "kernel"}
# Programs with many lines (a brute-forced sshd: 10,000 per day): only lines that match CHATTY_LINES can report a change
CHATTY = frozenset({"sshd", "sshd-session", "sudo", "systemd-logind", "login", "su", "polkitd"})
CHATTY_LINES = r"^Accepted |: session opened for user |COMMAND=|^New session |^\(to |^Operator of "
ANYONE = r"^(?:finished )?switching to system configuration /nix/store/|^\[ALPM\] "
MANAGER = r"^Reload(?:ing)? requested from client PID |^Reloading\.(?:\.\.)?$|^Reexecut(?:ing|e requested)"
KERNEL = r"NVRM: loading NVIDIA|" + GPU_DRIVER


def classify_change(identifier: str, message: str) -> tuple[str, str, str | None] | None:
    """Return (kind, summary, unit) of one line; None when it reports no change."""
    for rule in RULES:
        if rule.identifiers and identifier not in rule.identifiers:
            continue
        match = rule.pattern.search(message)
        if match:
            return _summarise(rule, identifier, match) if rule.kind else None
    return None


def _summarise(rule: Rule, identifier: str, match: Match[str]) -> tuple[str, str, str | None]:
    groups = {name: value or "" for name, value in match.groupdict().items()}
    if "command" in groups and not groups["command"]:
        groups["command"] = groups.get("other") or "a client"
    command = groups["command"] = short(groups.get("command", ""))
    summary = rule.summary.format(id=identifier, **groups).strip()
    if rule.kind != "operator":
        return rule.kind, summary, None
    return kind_of(command), summary, unit_of(command)
