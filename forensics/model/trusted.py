"""Patterns for the fields by which journald itself describes the process that wrote an entry.

Only fields with a leading underscore are journald's own (systemd.journal-fields(7)); see docs/trust.md.
"""

from __future__ import annotations

# a program in a directory that only root writes to
SYSTEM_PATH = (
    r"(?:(?:/usr(?:/local)?)?/(?:s?bin|lib(?:exec|32|64)?)|/run/(?:wrappers|privileged|current-system)|/(?:nix|gnu)/store)/(?:\S+/)?"
)
# the manager, and what it forks to execute a program (systemd 255 and later: systemd-executor)
MANAGER_PROGRAM = r"(?:/usr)?/lib(?:exec)?/systemd/systemd(?:-executor)?|/(?:nix|gnu)/store/[^/\s]+/lib/systemd/systemd(?:-executor)?"
# the name of a forked child until it executes the service's program
FORKED_CHILD = r"^\(.*\)$"
COREDUMP_SERVICE = r"systemd-coredump@\S*\.service"
# where a person's processes are: a login session, the user's manager, a terminal, a connection
LOGIN_UNIT = r"(?:session-[^\s./]+\.scope|user@\d+\.service|\S*getty@\S*\.service|sshd?(?:@\S*)?\.service)"
