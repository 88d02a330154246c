"""What can go wrong for a user, each with the exit code that scripts rely on."""

from __future__ import annotations


class ForensicsError(Exception):
    """One clear sentence for the user; the program ends with `exit_code`."""

    exit_code = 1


class UsageError(ForensicsError):
    """The command line or a file the user wrote asks for something that does not exist or cannot be read as meant."""

    exit_code = 2


class IncompleteDataError(ForensicsError):
    """Data for the asked window is missing and the user asked to be strict."""

    exit_code = 4


class JournalPermissionError(ForensicsError):
    """The journal exists but this user may not read it."""

    exit_code = 5


class NothingRecordedError(ForensicsError):
    """There is no journal, or nothing in it for the asked window."""

    exit_code = 6
