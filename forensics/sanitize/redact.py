"""Replace secrets by pseudonyms where they are: one secret has one pseudonym, numbered by first appearance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from forensics.sanitize import key_blocks, key_lines, next_lines
from forensics.sanitize.find import Secret, find_secrets
from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.value_forms import Span

_WORD = LazyPattern(r"\w+")
_SHORTEST_LINE = 4  # of a private key that is logged line by line


@dataclass(slots=True)
class Redactor:
    """Hides every secret of the texts it was made of; those that cannot be anything else also where nothing beside them gives them away.

    kept: names that are never altered, so no part of one is a secret elsewhere. numbered: pseudonyms are ⟨token-1⟩, otherwise ⟨token⟩.
    """

    kept: str = ""
    numbered: bool = True
    found: dict[str, tuple[Secret, ...]] = field(default_factory=dict)  # text → its secrets
    pseudonyms: dict[str, str] = field(default_factory=dict)  # secret → pseudonym
    lines: dict[str, str] = field(default_factory=dict)  # line of a private key → pseudonym
    anchors: dict[str, list[tuple[str, int]]] = field(
        default_factory=dict
    )  # longest word of a secret → the secrets, and where it is in them

    def __call__(self, text: str, upto: int | None = None) -> str:
        """Return the text with its secrets hidden; of a long one only what begins before `upto`."""
        whole = text.strip()
        if (pseudonym := self.lines.get(whole) or self.pseudonyms.get(whole)) is not None and whole not in self.kept:
            return text.replace(whole, pseudonym)
        secrets: Sequence[Secret] = self.found[text] if text in self.found else find_secrets(text)
        elsewhere = [*self._elsewhere(text), *self._key_lines(text)]
        if elsewhere:
            secrets = _with(secrets, elsewhere)
        return self._replaced(text, secrets, len(text) if upto is None else upto)

    def learn(self, texts: Iterable[str]) -> None:
        """Find the secrets of texts that follow each other."""
        key: key_lines.OpenBlock | None = None  # that began in a text before this one
        public: key_lines.OpenBlock | None = None  # such as a certificate
        before = ""  # what introduces a value that may be in this text
        previous = ""
        for text in texts:
            of_public, public = _continued(text, public)
            of_key, key = _continued(text, key)
            if text not in self.found:
                secrets = [secret for secret in find_secrets(text) if not any(_overlap(secret, span) for span in of_public)]
                self.found[text] = tuple(_with(secrets, (Secret(*span, "private-key", unmistakable=True) for span in of_key)))
                self._learn_all(text, self.found[text])
            if before:
                self._learn_following(before, text)
            if previous and next_lines.reads(text):
                self._learn_preceding(previous, text)
            before, previous = next_lines.left_open(text, before), text
            if (begin := key_blocks.begins_public(text)) is not None:
                public = key_lines.opened(text, begin)
            if (begin := key_blocks.begins(text)) is not None:
                key = key_lines.opened(text, begin)

    def _learn_all(self, text: str, secrets: Iterable[Secret]) -> None:
        for secret in secrets:
            self._learn(text[secret.start : secret.end], secret)

    def _learn_following(self, before: str, text: str) -> None:
        """Find secrets that a text before this one introduces: a name with nothing behind it, a prompt, a list."""
        joined, offset = f"{before}\n{text}", len(before) + 1
        spans = [(start - offset, end - offset) for start, end in next_lines.in_text(joined, joined.lower()) if start >= offset]
        secrets = _with(self.found[text], (Secret(start, end, "token", unmistakable=False) for start, end in spans))
        if len(secrets) > len(self.found[text]):
            self._learn_all(text, set(secrets) - set(self.found[text]))
            self.found[text] = tuple(secrets)

    def _learn_preceding(self, previous: str, text: str) -> None:
        """Find secrets of the text before this one, which tells that they are some: echo root:… before chpasswd."""
        joined = f"{previous}\n{text}"
        spans = [span for span in next_lines.read(joined) if span[1] <= len(previous)]
        secrets = _with(self.found[previous], (Secret(*span, "password", unmistakable=False) for span in spans))
        if len(secrets) > len(self.found[previous]):
            self._learn_all(previous, set(secrets) - set(self.found[previous]))
            self.found[previous] = tuple(secrets)

    def _learn(self, value: str, secret: Secret) -> None:
        pseudonym = self._pseudonym(value, secret.kind)
        if secret.kind == "private-key":
            self.lines |= {line.strip(): pseudonym for line in value.split("\n") if len(line.strip()) >= _SHORTEST_LINE}
        elif secret.unmistakable and value not in self.kept:
            longest = max(_WORD.finditer(value), key=lambda match: len(match[0]), default=None)
            known = [] if longest is None else self.anchors.setdefault(longest[0], [])
            if longest is not None and (value, longest.start()) not in known:
                known.append((value, longest.start()))

    def _pseudonym(self, value: str, kind: str) -> str:
        return self.pseudonyms.setdefault(value, f"⟨{kind}-{len(self.pseudonyms) + 1}⟩" if self.numbered else f"⟨{kind}⟩")

    def _elsewhere(self, text: str) -> list[Secret]:
        """Find whole occurrences of unmistakable secrets."""
        return [
            Secret(start, start + len(value), "", unmistakable=True)
            for word in (_WORD.finditer(text) if self.anchors else ())
            for value, offset in self.anchors.get(word[0], ())
            if (start := word.start() - offset) >= 0 and text.startswith(value, start) and _is_whole(text, start, start + len(value))
        ]

    def _key_lines(self, text: str) -> list[Secret]:
        """Find the lines of private keys in a text of several lines."""
        spans, at = [], 0
        for line in text.split("\n") if self.lines and "\n" in text else ():
            if line.strip() in self.lines:
                spans.append(Secret(at, at + len(line), "private-key", unmistakable=True))
            at += len(line) + 1
        return spans

    def _replaced(self, text: str, secrets: Iterable[Secret], upto: int) -> str:
        pieces, at = [], 0
        for secret in secrets:
            if secret.start >= upto:
                break
            value = text[secret.start : secret.end]
            pieces += [text[at : secret.start], self.lines.get(value.strip()) or self._pseudonym(value, secret.kind or "token")]
            at = secret.end
        return "".join([*pieces, text[at : max(at, upto)]])


def redactor(texts: Iterable[str], *, numbered: bool = True, kept: Iterable[str] = ()) -> Redactor:
    """Make a redactor of texts: those of one output together, so that one secret has one pseudonym in it."""
    made = Redactor("\n".join(dict.fromkeys(kept)), numbered)
    made.learn(texts)
    return made


def _continued(text: str, block: key_lines.OpenBlock | None) -> tuple[list[Span], key_lines.OpenBlock | None]:
    """List the lines of an open block in a text; and the block, if it is open behind the text."""
    if block is None:
        return [], None
    spans, block = key_lines.bodies(text, block)
    return spans, None if block.lines <= 0 or key_blocks.ends(text) else block


def _overlap(secret: Secret, span: Span) -> bool:
    return secret.start < span[1] and span[0] < secret.end


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether no word goes on before or behind the span."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_is_of_a_word(before) and _is_of_a_word(text[start])) and not (_is_of_a_word(after) and _is_of_a_word(text[end - 1]))


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _with(secrets: Iterable[Secret], more: Iterable[Secret]) -> list[Secret]:
    """Add those that overlap none."""
    taken = list(secrets)
    for secret in more:
        if all(secret.end <= other.start or other.end <= secret.start for other in taken):
            taken.append(secret)
    return sorted(taken)
