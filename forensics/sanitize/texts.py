"""Redact and sanitize single texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from forensics.sanitize.characters import make_visible, without_controls
from forensics.sanitize.length import LONGEST, cut
from forensics.sanitize.redact import redactor


def sanitizer(texts: Iterable[str], *, redact: bool, longest: int = LONGEST) -> Callable[[str], str]:
    """Return a function that makes log text safe to show; one secret has one pseudonym across all `texts`.

    Controls are removed first, so that none can split a secret; then secrets; hidden characters and length last.
    """
    searched = 2 * longest  # only the start is shown, so only the start is searched: the rest of an endless line costs nothing
    hide = redactor(without_controls(text)[:searched] for text in texts) if redact else str

    def safe(text: str) -> str:
        plain = without_controls(text)
        start, rest = plain[:searched], plain[searched:]
        return cut(make_visible(hide(start)), longest, more=len(rest.encode(errors="replace")))

    return safe


def matchable(text: str) -> str:
    """Remove controls and secrets only, so that a pattern made from the text still matches its log line."""
    plain = without_controls(text)
    return redactor([plain])(plain)


def redacted(texts: Mapping[str, str]) -> dict[str, str]:
    """Replace secrets and change nothing else, so that a stored sample keeps its signature."""
    hide = redactor(texts.values())
    return {name: hide(text) for name, text in texts.items()}
