"""Keep dicts within a bound by forgetting what was added first."""

from __future__ import annotations

from typing import Any


def remember(oldest_first: dict[Any, None], key: object, most: int) -> None:
    """Add a key as the newest."""
    oldest_first.pop(key, None)
    oldest_first[key] = None
    forget_oldest(oldest_first, most)


def forget_oldest(oldest_first: dict[Any, Any], most: int) -> None:
    """Forget the oldest keys beyond the bound."""
    excess = len(oldest_first) - most
    for key in list(oldest_first)[:excess] if excess > 0 else ():
        del oldest_first[key]
