"""Write the numbers and paths of a drawing as short as SVG allows."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.report.figures.description import Stack


def px(value: float) -> str:
    """Write a length with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def bars_path(stack: Stack) -> str:
    """Draw each bar as a line from its bottom up, in whole pixels and one at least: the width of the bars is the line's."""
    edges = ((x, round(bottom), round(bottom - height)) for x, bottom, height in stack.boxes)
    return "".join(f"M{px(x)} {bottom}v-{max(1, bottom - top)}" for x, bottom, top in edges)


def line_path(points: Sequence[tuple[float, float]]) -> str:
    """Connect points."""
    return "M" + "L".join(f"{px(x)} {px(y)}" for x, y in points)
