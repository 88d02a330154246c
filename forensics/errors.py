"""The errors a user can get, each with the exit code that scripts rely on."""

from __future__ import annotations


class ForensicsError(Exception):
    """A failure with one sentence for the user; the program exits with `exit_code`."""

    exit_code = 1


class UsageError(ForensicsError):
    """A mistake on the command line or in a file that the user wrote."""

    exit_code = 2


class UnprovenError(ForensicsError):
    """What was asked for could be written, but not proven on the recorded history."""

    exit_code = 3


class IncompleteDataError(ForensicsError):
    """Data for the window is missing and --strict was given."""

    exit_code = 4


class NotPermittedError(ForensicsError):
    """What is needed may not be read or written by this user: a journal, a store, an output."""

    exit_code = 5


class JournalPermissionError(NotPermittedError):
    """The journal exists but this user may not read it."""


class NothingRecordedError(ForensicsError):
    """There is no journal, or it has no entries in the window."""

    exit_code = 6
