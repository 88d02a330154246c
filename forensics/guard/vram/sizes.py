"""Read and write sizes of memory as the servers log them."""

from __future__ import annotations

import re

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
LARGEST = 1 << 50  # torch logs a negative size as 17179869184.00 GiB
SIZE = r"([\d.,]{1,32}) ?(bytes|B|[kKMGT]i?B)\b"
_BYTES = {
    "bytes": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": KIB, "kiB": KIB, "MiB": MIB, "GiB": GIB,
    "TiB": TIB,
}  # fmt: skip
_SIZE = re.compile(SIZE)


def size_of(text: str) -> int | None:
    """Return the bytes of a size such as "594.00 MiB"; None for what cannot be one."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        return None
    try:
        size = round(float(found[1].replace(",", "")) * _BYTES[found[2]])
    except ValueError:
        return None
    return size if size < LARGEST else None


def shown_size(size: int | None) -> str:
    """Write a size as torch does, with two digits of the unit that it reaches."""
    if size is None:
        return "not logged"
    for unit, scale in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if round(size / scale, 2) >= 1:
            return f"{size / scale:.2f} {unit}"
    return f"{size} bytes"
