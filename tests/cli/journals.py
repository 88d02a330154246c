"""Journals for the command line's tests, in the format of `journalctl -o export`."""

from tests.attempts.building import Journal

ENTRY = "__REALTIME_TIMESTAMP=1765143000000000\n__MONOTONIC_TIMESTAMP=1000\n_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=hello\n\n"
ENTRY_OF_A_UNIT = ENTRY.replace("MESSAGE=hello", "_SYSTEMD_UNIT=llama-server.service\nMESSAGE=hello")


def export_format(journal: Journal) -> str:
    return "\n".join("".join(f"{name}={value}\n" for name, value in line.items()) for line in journal.lines) + "\n"
