"""Find what is wrong with where a figure's texts and marks are."""

from __future__ import annotations

from forensics.report.figures.description import Figure, Label, Mark, Stroke

_TOUCH = 0.5  # pixels that two texts may share


def faults(figure: Figure) -> list[str]:
    """Name each text or mark that leaves the drawing, and each pair that overlaps."""
    texts = figure.texts
    outside = [f"outside: {label.text!r}" for label in texts if not _is_inside(label, figure)]
    far = [f"outside: mark {mark.name}" for mark in figure.marks if not (0 <= mark.x <= figure.width and 0 <= mark.y <= figure.height)]
    pairs = [f"{a.text!r} | {b.text!r}" for k, a in enumerate(texts) for b in texts[k + 1 :] if _overlap(a, b)]
    covered = [f"{label.text!r} | mark {mark.name}" for label in texts for mark in figure.marks if _covers(label, mark)]
    crossed = [f"{label.text!r} | line {stroke.style}" for label in figure.labels for stroke in figure.strokes if _crosses(stroke, label)]
    return [*outside, *far, *pairs, *covered, *crossed]


def _is_inside(label: Label, figure: Figure) -> bool:
    return label.left >= -_TOUCH and label.right <= figure.width + _TOUCH and label.top >= 0 and label.bottom <= figure.height


def _overlap(a: Label, b: Label) -> bool:
    return min(a.right, b.right) - max(a.left, b.left) > _TOUCH and min(a.bottom, b.bottom) - max(a.top, b.top) > _TOUCH


def _covers(label: Label, mark: Mark) -> bool:
    return label.left < mark.x + 5 and mark.x - 5 < label.right and label.top < mark.y + 4 and mark.y - 4 < label.bottom


def _crosses(stroke: Stroke, label: Label) -> bool:
    level = min(stroke.to_x, label.right) > max(stroke.x, label.left) and label.top < stroke.y < label.bottom
    upright = label.left < stroke.x < label.right and min(stroke.to_y, label.bottom) > max(stroke.y, label.top)
    return level if stroke.y == stroke.to_y else upright
