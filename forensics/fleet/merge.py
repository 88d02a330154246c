"""Reports → Summary, and Summaries → Summary: any partition into batches and any order give the same."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from forensics.fleet.facts import Copy, HostFacts, Summary, Unread


def merge(a: Summary, b: Summary) -> Summary:
    """Merge two batches: associative, commutative and idempotent, with EMPTY as the neutral element."""
    return merge_all((a, b))


def merge_all(summaries: Iterable[Summary]) -> Summary:
    """Merge many batches at once."""
    parts = tuple(summaries)
    return summary_of(
        chain.from_iterable(part.hosts for part in parts),
        chain.from_iterable(part.copies for part in parts),
        chain.from_iterable(part.unread for part in parts),
    )


def summary_of(hosts: Iterable[HostFacts], copies: Iterable[Copy], unread: Iterable[Unread]) -> Summary:
    """Keep the newest report of each host, and each copy and each unread file once."""
    newest: dict[str, HostFacts] = {}
    for host in hosts:
        other = newest.get(host.key)
        if other is None or _is_newer(host, other):
            newest[host.key] = host
    return Summary(
        hosts=tuple(newest[key] for key in sorted(newest)),
        copies=tuple(sorted(set(copies))),
        unread=tuple(sorted(set(unread))),
    )


def _is_newer(one: HostFacts, other: HostFacts) -> bool:
    """Compare by time, then by content, so that it does not matter which was read first."""
    a, b = (one.generated, one.until), (other.generated, other.until)
    return a > b if a != b else repr(one) > repr(other)
