"""Write an entry of our own to the journal by its native protocol, so that it carries fields; standard library only.

Source: https://systemd.io/JOURNAL_NATIVE_PROTOCOL: a datagram of NAME=value lines; a value with a newline has its length in front.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from contextlib import suppress

from forensics.model.own_entries import IDENTIFIER

SOCKET = "/run/systemd/journal/socket"
WITHIN_S = 2.0  # a journald that hangs takes nothing more once its socket is full
LONGEST_VALUE = 8192  # characters: a datagram of a few fields stays below the kernel's limit


def write_entry(message_id: str, unit: str, text: str, *, priority: int = 5, is_users: bool = False, **fields: str) -> None:
    """Log a sentence about a unit, with upper-case fields; without a journal nothing happens.

    The unit is named by OBJECT_SYSTEMD_UNIT=, which `journalctl -u` follows and which counts from root only.
    """
    about = "OBJECT_SYSTEMD_USER_UNIT" if is_users else "OBJECT_SYSTEMD_UNIT"
    named = {"MESSAGE": text, "MESSAGE_ID": message_id, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": IDENTIFIER, about: unit}
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.settimeout(WITHIN_S)
        journal.sendto(datagram({**named, **fields}), SOCKET)


def datagram(fields: Mapping[str, str]) -> bytes:
    """Encode fields for journald."""
    return b"".join(_field(name, value[:LONGEST_VALUE].encode("utf-8", "replace")) for name, value in fields.items())


def _field(name: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
