"""Redact and sanitize single texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from forensics.sanitize.characters import make_visible, without_controls
from forensics.sanitize.find import find_secrets
from forensics.sanitize.length import LONGEST, cut, one_line
from forensics.sanitize.redact import redactor

_MARGIN = 8192  # characters behind the shown ones that are searched too, so that no secret at the end of them is cut in half
_MOST_SEARCHED = 65_536  # characters of a text that nothing cuts


def sanitizer(texts: Iterable[str], *, redact: bool, longest: int = LONGEST, kept: Iterable[str] = ()) -> Callable[[str], str]:
    """Return a function that makes log text safe to show; one secret has one pseudonym across all `texts`.

    Controls are removed first, so that none can split a secret; then secrets; hidden characters and length last. Only what can be shown is
    searched: the rest of an endless line costs nothing. kept: names beside the texts that are never altered.
    """
    hide = redactor((_searched(text, longest)[0] for text in texts), kept=kept) if redact else None

    def safe(text: str) -> str:
        start, more = _searched(text, longest)
        shown = start if hide is None else hide(start, longest)
        more += len(start[longest:].encode(errors="replace")) if hide is not None else 0
        return cut(make_visible(shown), longest, more=more)

    return safe


def _searched(text: str, longest: int) -> tuple[str, int]:
    """Return the start of a text without controls, and how many bytes follow it."""
    most = longest + _MARGIN
    raw = text[: 2 * most]
    plain = without_controls(raw)
    start, missing = plain[:most], len(plain[most:].encode(errors="replace")) + len(text[2 * most :].encode(errors="replace"))
    if len(text) > len(raw) and len(plain) <= most:  # mostly controls: the word at the end may be half a secret
        start = start.rpartition(" ")[0] or start[: -_MARGIN // 2]
    return start, missing


def safe_line(text: str) -> str:
    """Make what a server or a program answered one harmless line, without the secrets that it may repeat."""
    return one_line(sanitizer([text], redact=True)(text))


def matchable(text: str) -> str:
    """Remove controls and secrets only, so that a pattern made from the text still matches its log line."""
    plain = without_controls(text)
    return redactor([plain])(plain)


def redacted(texts: Mapping[str, str]) -> dict[str, str]:
    """Replace the secrets of texts about one event by ⟨kind⟩ and change nothing else: equal texts with different secrets become equal.

    Doing it again changes nothing, so that a stored sample keeps its signature.
    """
    searched = {name: _with_all_secrets_found(text[:_MOST_SEARCHED]) for name, text in texts.items()}
    hide = redactor(dict.fromkeys(searched.values()), numbered=False)  # root and last exception are mostly one line
    if not hide.pseudonyms:
        return dict(texts)
    return {name: hide(text) + texts[name][_MOST_SEARCHED:] for name, text in searched.items()}


def _with_all_secrets_found(text: str) -> str:
    """Return the text, without controls if these hide a secret."""
    if text.isprintable() or (plain := without_controls(text)) == text:
        return text
    return text if len(find_secrets(plain)) == len(find_secrets(text)) else plain
