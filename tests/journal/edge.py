"""An export stream of everything that is rare in journals and legal all the same. The same seed gives the same bytes."""

from __future__ import annotations

import random

from tests.journal.oracle import Fields, export

NAMES = [
    "MESSAGE",
    "MESSAG",
    "MESSAGEX",
    "MESSAGE_ID",
    "UNIT",
    "UNITS",
    "_PID",
    "_PIDX",
    "_UID",
    "_COMM",
    "_SYSTEMD_UNIT",
    "_SYSTEMD_UNITS",
]
NAMES += [
    "_SYSTEMD_USER_UNIT",
    "_SYSTEMD_INVOCATION_ID",
    "USER_UNIT",
    "N_RESTARTS",
    "N_DROPPED",
    "ERRNO",
    "COMMAND",
    "_X" * 32,
    "A" * 64,
    "B",
]
LENGTHS = [0, 1, 2, 3, 7, 8, 9, 11, 12, 13, 15, 16, 63, 64, 65, 255, 511, 512, 513, 1024, 10_000]
TEXTS = [
    b"",
    b"=",
    b"==x",
    b"\x00",
    b"a\x00b",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"caf\xc3",
    "żółć 💥".encode(),
    b"line one\nline two\n",
    b"\n",
    b" ",
    b"\x1b[31m",
]
BOOTS = [b"%032x" % (0xABCDEF << shift) for shift in (0, 40, 80)]
DAY = 86_400_000_000


def _value(rng: random.Random) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(TEXTS)
    if kind == 1:
        return str(rng.choice([-1, 0, 1, 3, 7, 8, 2**31, 2**63, 10**18 - 1, 10**18, 10**30])).encode()
    length = rng.choice(LENGTHS)
    if kind == 2:
        return (b"%d " % rng.randrange(50) * (length // 2 + 1))[:length]
    return rng.randbytes(length)


def edge_entries(count: int, seed: int = 1) -> list[Fields]:
    rng = random.Random(seed)  # noqa: S311 — the same bytes every time
    time, entries = 1_760_000_000_000_000, []
    for number in range(count):
        jump = rng.choice([-DAY, DAY]) if rng.randrange(100) == 0 else 0
        time += rng.randrange(2_000_000) + jump
        head = [("__REALTIME_TIMESTAMP", b"%d" % time), ("__MONOTONIC_TIMESTAMP", b"%d" % (number * 1000 + 1))]
        head.append(("_BOOT_ID", BOOTS[number * len(BOOTS) // count]))
        names = [rng.choice(NAMES) for _ in range(rng.choice([1, 2, 3, 5, 8, 12, 20, 40]))]
        entries.append(head + [(name, _value(rng)) for name in names])
    return entries


def edge_text(count: int = 1500, seed: int = 1) -> bytes:
    return export(edge_entries(count, seed))
