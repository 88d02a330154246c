"""Take label sets apart and together; a label set is a sorted tuple, so that it can be a key."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

Labels = tuple[tuple[str, str], ...]
NAME = "__name__"


def labels_of(name: str, labels: Mapping[str, str]) -> Labels:
    """Return the label set of a series; an empty value is the same as no label."""
    return tuple(sorted((key, value) for key, value in {**labels, NAME: name}.items() if value))


def get(labels: Labels, name: str) -> str:
    return next((value for key, value in labels if key == name), "")


@lru_cache(maxsize=1 << 16)
def nameless(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != NAME)


@lru_cache(maxsize=1 << 16)
def keep(labels: Labels, names: frozenset[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] in names)


@lru_cache(maxsize=1 << 16)
def drop(labels: Labels, names: frozenset[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] not in names)


def replaced(labels: Labels, name: str, value: str) -> Labels:
    """Set one label, or remove it where the value is empty."""
    rest = drop(labels, frozenset((name,)))
    return tuple(sorted((*rest, (name, value)))) if value else rest


def shown(labels: Labels) -> str:
    """Write a label set as Prometheus does, without the quoting of rare characters."""
    pairs = ", ".join(f'{key}="{value}"' for key, value in nameless(labels))
    return f"{get(labels, NAME)}{{{pairs}}}"
