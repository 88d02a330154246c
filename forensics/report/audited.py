"""Shape the audit of controls for readers: four layers, and of each control the first link that is broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics import wording
from forensics.model.controls import EFFECTIVE, LAYERS, MISSING, UNKNOWN, UNREACHABLE, UNWIRED, Control, Link
from forensics.sanitize import brief, one_line

MARKS = {EFFECTIVE: "●", UNWIRED: "◐", UNREACHABLE: "▲", MISSING: "○", UNKNOWN: "?"}
LEGEND = (
    "Effective: every link holds, with evidence. Unwired: it exists, but a later link is broken. Unreachable: it is wired, but cannot act. "
    "Unknown: it could not be checked."
)
_LONGEST_NAME, _LONGEST_TEXT = 90, 400


@dataclass(frozen=True, slots=True)
class Row:
    """One audited control in words. broken: its first link that does not hold, or else the first that could not be checked."""

    layer: str
    name: str
    status: str
    mark: str
    broken: str
    evidence: str
    remedy: str

    @property
    def where(self) -> str:
        """The broken link with its evidence; of a control that holds, the evidence of that."""
        return ": ".join(part for part in (self.broken, self.evidence) if part)

    @property
    def holds(self) -> bool:
        return self.status == EFFECTIVE


def layers(controls: Sequence[Control]) -> list[tuple[str, list[Row]]]:
    """Group the controls by layer, from preventing to recovering."""
    numbers = sorted({control.layer for control in controls})
    return [(_layer(number), [_row(control) for control in controls if control.layer == number]) for number in numbers]


def _layer(number: int) -> str:
    return f"{number}. {LAYERS[number]}" if number in LAYERS else f"{number}."


def _row(control: Control) -> Row:
    link = _first_broken(control)
    return Row(
        layer=_layer(control.layer),
        name=brief(control.control, _LONGEST_NAME),
        status=control.status if control.status in MARKS else UNKNOWN,
        mark=MARKS.get(control.status, MARKS[UNKNOWN]),
        broken="" if link is None or (control.status == MISSING and link.evidence) else one_line(link.link, _LONGEST_NAME),
        evidence=one_line(control.evidence if link is None else link.evidence, _LONGEST_TEXT),
        remedy=one_line(control.remedy, _LONGEST_TEXT),
    )


def _first_broken(control: Control) -> Link | None:
    """Return the link at which the chain breaks; of an unknown control the one that could not be checked."""
    broken = [link for link in control.links if link.holds is False] or [link for link in control.links if link.holds is None]
    return broken[0] if broken and control.status != EFFECTIVE else None


def summary(controls: Sequence[Control]) -> str:
    """Sum up the audit: how many of the controls are effective, and what the others are."""
    numbers = {status: sum(control.status == status for control in controls) for status in MARKS}
    others = ", ".join(f"{wording.count(numbers[status])} {status}" for status in MARKS if status != EFFECTIVE and numbers[status])
    effective = "is effective" if numbers[EFFECTIVE] == 1 else "are effective"
    return (
        f"{wording.count(numbers[EFFECTIVE])} of {wording.plural(len(controls), 'control')} {effective}{f': {others}' if others else ''}."
    )
