"""Find room for texts beside their marks, and move marks so far that they keep a distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product

from forensics.report.figures.description import Anchor, Label, Stroke
from forensics.report.text_width import fitted, text_width

_BESIDE = 11.0  # from the middle of a mark to its text
_MARK = 7.0  # half of a mark's width, with its distance
_LEAST = 24.0  # a text that is cut to less is left out
_ROUND = 4.0  # from a text to the line that is broken for it
_TRIED = 3  # points whose texts are placed each for itself


def beside(points: Sequence[tuple[float, str]], y: float, low: float, high: float) -> list[Label]:
    """Place the texts of points, in order of x, right or left of each; where none of that has room, all in one text."""
    if len(points) <= _TRIED:
        choices: Sequence[Anchor] = ("start", "end")
        for anchors in product(choices, repeat=len(points)):
            labels = [_at(x, y, text, anchor) for (x, text), anchor in zip(points, anchors, strict=True)]
            if _clear(labels, [x for x, _ in points], low, high):
                return labels
    return one_text([", ".join(text for _, text in points)], (points[0][0], points[-1][0]), y, low, high)


def one_text(texts: Sequence[str], marks: tuple[float, float], y: float, low: float, high: float) -> list[Label]:
    """Place the first of the texts that has room right or left of the marks, else as much of the last as has room there; none at worst."""
    first, last = marks
    after, before = high - last - _BESIDE, first - _BESIDE - low
    for text in texts:
        if text_width(text) <= after:
            return [_at(last, y, text, "start")]
        if text_width(text) <= before:
            return [_at(first, y, text, "end")]
    if max(after, before) < _LEAST:
        return []
    x, anchor = (last, "start") if after >= before else (first, "end")
    return [_at(x, y, fitted(texts[-1], max(after, before)), "start" if anchor == "start" else "end")]


def _at(x: float, y: float, text: str, anchor: Anchor) -> Label:
    return Label(x + (_BESIDE if anchor == "start" else -_BESIDE), y, text, anchor, "strong", halo=True)


def _clear(labels: Sequence[Label], marks: Sequence[float], low: float, high: float) -> bool:
    inside = all(label.left >= low and label.right <= high for label in labels)
    ordered = sorted(labels, key=lambda label: label.left)
    distant = all(before.right + 4 <= after.left for before, after in pairwise(ordered))
    return inside and distant and all(at + _MARK <= label.left or label.right <= at - _MARK for label in labels for at in marks)


def spread(positions: Sequence[float], distance: float, high: float) -> list[float]:
    """Move positions, in order, so far that they keep the distance: first to the right, then back below `high`."""
    moved = list(positions)
    for k in range(1, len(moved)):
        moved[k] = max(moved[k], moved[k - 1] + distance)
    for k in reversed(range(len(moved))):
        moved[k] = round(min(moved[k], high), 1)
        high = moved[k] - distance
    return moved


def around(stroke: Stroke, labels: Sequence[Label]) -> Iterator[Stroke]:
    """Break a horizontal or vertical line where it would cross a text."""
    level = stroke.y == stroke.to_y
    at, start, end = (stroke.y, stroke.x, stroke.to_x) if level else (stroke.x, stroke.y, stroke.to_y)
    for low, high in sorted(_extents(label, at, level=level) for label in labels):
        if low < high and start < high and low < end:
            if start < low:
                yield _piece(stroke, start, low, level=level)
            start = high
    if start < end:
        yield _piece(stroke, start, end, level=level)


def _extents(label: Label, at: float, *, level: bool) -> tuple[float, float]:
    """Return what a text covers of a line: nothing is (0, 0)."""
    if level:
        return (label.left - _ROUND, label.right + _ROUND) if label.top <= at <= label.bottom else (0.0, 0.0)
    return (label.top - 1, label.bottom + 1) if label.left - _ROUND <= at <= label.right + _ROUND else (0.0, 0.0)


def _piece(stroke: Stroke, start: float, end: float, *, level: bool) -> Stroke:
    return replace(stroke, x=round(start, 1), to_x=round(end, 1)) if level else replace(stroke, y=round(start, 1), to_y=round(end, 1))
