"""Decide who wrote each entry and what that writer is believed, by fields that a service cannot forge.

Only fields with a leading underscore are journald's own: `pid`, `comm`, `transport` and `writer` of ENTRIES. MESSAGE_ID, UNIT and
SYSLOG_IDENTIFIER are whatever the writer claims (systemd.journal-fields(7)). Which unit an entry is about is decided when it is read, by
the same fields (journal/attribution.py). docs/trust.md is this module in words.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache

import polars as pl

from forensics.model import systemd
from forensics.model.own_entries import OWN_ENTRIES
from forensics.model.trusted import COREDUMP_SERVICE, FORKED_CHILD, LOGIN_UNIT, MANAGER_PROGRAM, SYSTEM_PATH


class Speaker(IntEnum):
    SERVICE = 0  # any program
    MANAGER = 1  # PID 1 or a user's manager
    COREDUMP = 2
    JOURNALD = 3
    KERNEL = 4
    OURS = 5  # this program, about a unit that it guards


# `writer` of ENTRIES: "<uid> <unit>[/<user unit>] <program>"; journald knows every sender's uid, other sources may leave it out ("-")
OF_USER_MANAGER = r"^\S+ user@\d+\.service/init\.scope "
OF_FORKED_CHILD = rf"^(?:0 -|\S+ [^-\s]\S*) (?:-|{MANAGER_PROGRAM})$"  # only root's where its cgroup is not known
OF_COREDUMP = rf"^(?:0 - |\S+ {COREDUMP_SERVICE} )"
OF_ROOT = r"^[0-] "
OF_ROOT_ANYWHERE = r"^(?:0 |- - )"
OF_LOGIN = rf"^\S+ {LOGIN_UNIT}(?:/\S*)? "

# programs that anyone may start and that become root themselves: only their own file proves them
SETUID = frozenset(("sudo", "doas", "pkexec", "su"))
# programs of root's, by their process name
DAEMONS = {
    **{
        name: (name,)
        for name in ("systemd-logind", "login", "usermod", "useradd", "userdel", "groupadd", "groupmod", "groupdel", "gpasswd")
    },
    **dict.fromkeys(("sshd", "sshd-session"), ("sshd", "sshd-session")),
}
POLKIT = frozenset(("polkitd", "polkit-1"))
OF_POLKIT = r"^\S+ polkit(?:d)?\.service "
# package managers and activation scripts; root's in a login session or in a unit that updates the system may have any name
UPDATERS = frozenset(
    (
        *("apt", "apt-get", "aptitude", "dpkg", "apt.systemd.dai", "unattended-upgr"),
        *("dnf", "dnf5", "dnf-3", "dnf-automatic", "yum", "rpm", "microdnf", "packagekitd"),
        *("pacman", "pamac-daemon", "dkms"),
        *("nixos", "nixos-rebuild", "nixos-rebuild-n", "nixos-upgrade", "nixos-upgrade-s", "switch-to-confi"),
    )
)
OF_UPDATE = (
    r"^[0-] (?:nixos-upgrade|nixos-rebuild\S*|apt-daily(?:-upgrade)?|unattended-upgrades|dnf-automatic\S*|dnf5-automatic|packagekit"
    r"|yum-cron|transactional-update|dkms)\.service "
)
# programs that set the clock or put the host to sleep
OF_CLOCK = (
    r"^\S+ (?:systemd-(?:timesyncd|timedated|suspend|hibernate|hybrid-sleep|suspend-then-hibernate)|chronyd?|ntpd?|ntpsec|openntpd)"
    r"\.service "
)
ALERTING = r"alertmanager|grafana|tabby-forensics|monit|healthchecks|uptime-kuma|ntfy|nagios|icinga|zabbix"
ALERTING_UNIT = rf"(?i)^(?:(?:prometheus|podman|docker|container)-)?(?:{ALERTING})\d*(?:[-_@]\S*)?\.service$"


def speakers(entries: pl.DataFrame) -> pl.Series:
    """Return the Speaker of each of ENTRIES, as Int8."""
    marks = {
        Speaker.OURS: of_this_program(entries),
        Speaker.COREDUMP: of_coredump(entries),
        Speaker.JOURNALD: of_journald(entries, systemd.JOURNAL_DROPPED, systemd.JOURNAL_MISSED),
        Speaker.KERNEL: is_any(entries["transport"], ["kernel"]),
        Speaker.MANAGER: of_manager(entries),
    }
    of_mark = pl.coalesce(pl.when(speaker.name).then(pl.lit(int(speaker), pl.Int8)) for speaker in marks)
    by = pl.DataFrame({speaker.name: mark for speaker, mark in marks.items()}).select(speaker=of_mark.fill_null(int(Speaker.SERVICE)))
    return by["speaker"]


def of_coredump(entries: pl.DataFrame) -> pl.Series:
    """Mark systemd-coredump's own entries about core dumps."""
    dumps = is_any(entries["message_id"], [systemd.COREDUMP]) & entries["coredump_pid"].is_not_null()
    return _confirmed(entries, dumps, _writer(OF_COREDUMP))


def of_this_program(entries: pl.DataFrame) -> pl.Series:
    """Mark what this program states about a unit: from root about any, from a user about the units of that user's manager."""
    is_owner = pl.format("user:{}", pl.col("writer").str.extract(r"^(\d+) ")) == pl.col("manager")
    return _confirmed(entries, is_any(entries["message_id"], list(OWN_ENTRIES)), _writer(OF_ROOT) | is_owner.fill_null(value=False))


def of_manager(entries: pl.DataFrame) -> pl.Series:
    """Mark the entries of PID 1, of users' managers, and of their forked children that could not execute a program (exec-invoke.c)."""
    claims_to_be_manager = (
        ~is_any(entries["manager"], ["system"]) & is_any(entries["comm"], ["systemd"]) & is_any(entries["transport"], ["journal"])
    )
    by_user_manager = _confirmed(entries, claims_to_be_manager, _writer(OF_USER_MANAGER))
    named = pl.col("comm").str.contains(FORKED_CHILD).fill_null(_writer(r"^0 - "))
    is_child = _writer(OF_FORKED_CHILD) & named
    by_child = _confirmed(entries, is_any(entries["message_id"], [systemd.SPAWN_FAILED]), is_child)
    return (entries["pid"] == 1).fill_null(value=False) | by_user_manager | by_child


def of_journald(entries: pl.DataFrame, *message_ids: str) -> pl.Series:
    """Mark journald's own entries with these ids; no process can send one by that transport, nor without any."""
    return is_any(entries["message_id"], list(message_ids)) & (is_any(entries["transport"], ["driver"]) | entries["transport"].is_null())


def _confirmed(entries: pl.DataFrame, claims: pl.Series, condition: pl.Expr) -> pl.Series:
    """Mark those of `claims` that fulfil a condition on the text of `writer`, `comm` and `manager`; few entries claim anything."""
    rows = claims.arg_true()
    if rows.is_empty():
        return claims
    claimants = entries.select("writer", "comm", "manager")[rows].with_columns(pl.all().cast(pl.String))
    confirmed = pl.repeat(value=False, n=entries.height, eager=True)
    return confirmed.scatter(rows.filter(claimants.select(condition).to_series()), [True])


def _writer(pattern: str, *, unrecorded: bool = True) -> pl.Expr:
    """Whether the writer matches; where none is recorded (stores of earlier versions, pasted text) as given."""
    return pl.col("writer").str.contains(pattern).fill_null(value=unrecorded)


def may_report_changes(lines: pl.DataFrame) -> pl.Series:
    """Mark the lines by which the program that SYSLOG_IDENTIFIER names may report a change of the system.

    lines: identifier ("kernel" for the kernel's), comm, pid, transport and writer, of which each distinct combination is decided once.
    """
    columns = ["identifier", "comm", "transport", "writer", "is_first", "unrecorded"]
    lines = lines.select("identifier", "comm", "transport", "writer", *_process())
    lines = lines.with_columns(pl.col("identifier", "comm", "transport", "writer").cast(pl.String))
    distinct = lines.unique(columns, maintain_order=True)
    decided = distinct.with_columns(_is_believed().alias("believed"))
    return lines.join(decided, on=columns, how="left", maintain_order="left", nulls_equal=True)["believed"].fill_null(value=False)


def _process() -> tuple[pl.Expr, pl.Expr]:
    """Select whether a line is PID 1's, and whether nothing is recorded of its process at all: is_first, unrecorded."""
    unrecorded = pl.col("pid").is_null() & pl.col("writer").is_null()
    return (pl.col("pid") == 1).fill_null(value=False).alias("is_first"), unrecorded.alias("unrecorded")


def _is_believed() -> pl.Expr:
    identifier = pl.col("identifier")
    return (
        pl.when((identifier == "kernel") | (pl.col("transport") == "kernel").fill_null(value=False))
        .then((pl.col("transport") == "kernel").fill_null(value=False))
        .when(identifier == "systemd")
        .then("is_first")
        .when(identifier.is_in(sorted(SETUID)))
        .then(_is_setuid_program())
        .when(identifier.is_in(sorted(DAEMONS)))
        .then(_writer(OF_ROOT) & _is_named(DAEMONS))
        .when(identifier.is_in(sorted(POLKIT)))
        .then((_writer(OF_ROOT) | _writer(OF_POLKIT)) & pl.col("comm").str.contains(r"^polkit").fill_null(pl.col("unrecorded")))
        .otherwise(_is_updater())
    )


def _is_setuid_program() -> pl.Expr:
    """Whether a process is the program that it is called, from a directory of the system; `_UID` is often that of who started it.

    Where journald came too late to read its file: in a login, or root's.
    """
    program = pl.col("writer").str.extract(rf"^\S+ \S+ {SYSTEM_PATH}\.?([^/\s]+)$")
    is_its_file = program.str.replace(r"-rs$|-wrapped$", "") == pl.col("identifier")
    unknown_file = _writer(r"^\S+ \S+ -$") & (_writer(OF_LOGIN) | _writer(OF_ROOT_ANYWHERE)) & _comm_is(pl.col("identifier"))
    return is_its_file.fill_null(value=False) | unknown_file


def _is_named(names: dict[str, tuple[str, ...]]) -> pl.Expr:
    allowed = [pl.when(pl.col("identifier") == name).then(pl.col("comm").is_in(list(comms))) for name, comms in sorted(names.items())]
    return pl.coalesce(*allowed).fill_null(pl.col("unrecorded"))


def _comm_is(name: pl.Expr) -> pl.Expr:
    """Whether the process has the name; the kernel keeps 15 characters of it."""
    return (pl.col("comm") == name.str.head(15)).fill_null(pl.col("unrecorded"))


def _is_updater() -> pl.Expr:
    comm = pl.col("comm").str.strip_prefix(".")
    named = comm.is_in(sorted(UPDATERS)) | (comm == pl.col("identifier").str.head(15)) & ~pl.col("writer").is_not_null()
    placed = (_writer(OF_LOGIN, unrecorded=False) & _writer(OF_ROOT)) | _writer(OF_UPDATE, unrecorded=False)
    return _writer(OF_ROOT) & (named.fill_null(pl.col("unrecorded")) | placed)


def may_report_clocks(lines: pl.DataFrame) -> pl.Series:
    """Mark the lines of ENTRIES by which the kernel, root or a time service may report that the clock was set or the host slept."""
    columns = lines.select(pl.col("identifier", "comm", "writer").cast(pl.String), *_process())
    by_command = pl.col("identifier").is_in(sorted(SETUID)).fill_null(value=False)
    by_service = _writer(OF_ROOT_ANYWHERE) | _writer(OF_CLOCK)
    believed = pl.when(by_command).then(_is_setuid_program()).otherwise(pl.col("is_first") | by_service)
    return columns.select(believed.fill_null(value=False)).to_series()


def may_report_alerts(entries: pl.DataFrame) -> pl.Series:
    """Mark the lines that alerting programs wrote in units of their own: only root gives a system unit its name."""
    by_unit = is_any(entries["unit"], matching(entries["unit"], ALERTING_UNIT))
    unrecorded = entries["unit"].is_null() & entries["writer"].is_null() & entries["identifier"].is_not_null()
    if not unrecorded.any():
        return by_unit
    return by_unit | (unrecorded & is_any(entries["identifier"], matching(entries["identifier"], f"(?i){ALERTING}")))


def matching(column: pl.Series, pattern: str) -> list[str]:
    """List the distinct values of a categorical column that match."""
    names = column.unique().cast(pl.String).drop_nulls().sort()
    return names.filter(names.str.contains(pattern)).to_list()


def spoken(entries: pl.DataFrame, speaker: Speaker, *columns: str) -> pl.DataFrame:
    """Select columns of the entries whose column `speaker` is this one; a filter of the whole frame copies all its columns."""
    return entries.lazy().filter(pl.col("speaker") == int(speaker)).select(columns).collect()


def is_any(column: pl.Series, wanted: list[str]) -> pl.Series:
    """Mark the entries with one of the wanted categories; codes are compared, 1 ms for 1 M entries."""
    return column.to_frame().select(_is_any(tuple(wanted))).to_series()


@cache
def _is_any(wanted: tuple[str, ...]) -> pl.Expr:
    """Select whether the only column has one of the values: made once, since `watch` asks the same for each few entries."""
    return pl.first().is_in(list(wanted)).fill_null(value=False)
