"""Journal files with entries of a known number, made by systemd's own code."""

from pathlib import Path

from forensics.store import Store
from tests.journal.oracle import export, make_journal

START = 1_700_000_000_000_000  # 2023-11-14 22:13:20 UTC
MINUTE = 60_000_000


def text(first: int, count: int, *, step: int = MINUTE, host: str = "alpha", boot: int = 1, machine: int = 7) -> bytes:
    """An export stream of entries whose message is their number."""
    entries = []
    for number in range(first, first + count):
        fields = {
            "__REALTIME_TIMESTAMP": START + number * step,
            "__MONOTONIC_TIMESTAMP": number * step + 1,
            "_BOOT_ID": f"{boot:032x}",
            "_HOSTNAME": host,
            "_MACHINE_ID": f"{machine:032x}",
            "_SYSTEMD_UNIT": "app.service",
            "PRIORITY": number % 8,
            "MESSAGE": f"entry {number}",
        }
        entries.append([(name, str(value).encode()) for name, value in fields.items()])
    return export(entries)


def journal(path: Path, first: int, count: int, **options) -> Path:
    """A journal file; one that is there already is appended to."""
    return make_journal(text(first, count, **options), path)


def opened(folder: Path) -> Store:
    return Store.open(folder / "store")


def numbers(store: Store, **options) -> list[int]:
    """The numbers of the stored entries, in the order they come in."""
    return [int(message.removeprefix("entry ")) for message in store.entries(**options)["message"]]


def files(store: Store) -> list[str]:
    """Every file of the data set, and what is pending."""
    version = store.layout.version
    return sorted(str(path.relative_to(version)) for path in version.rglob("*") if path.is_file() and path.name != "lock")
