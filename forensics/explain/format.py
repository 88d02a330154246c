"""Describe what a pasted text was recognised as, so that "nothing failed" is said only of text that was understood."""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = "plain text"
MOST_SHARE = 0.5  # of the lines must have a format for it to be the text's


@dataclass(frozen=True, slots=True)
class Format:
    """The format of a text in plain words ("journalctl -o short"), its lines that are not empty, and the share that have the format."""

    name: str = PLAIN
    lines: int = 0
    share: float = 0.0

    @property
    def is_understood(self) -> bool:
        """Whether a text of this format without a failure shows that nothing failed."""
        return self.name != PLAIN and self.share >= MOST_SHARE


UNRECOGNISED = Format()
