"""Remember how the problems of each unit are worded, so that a text that differs in one word counts as the one before it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from forensics.model.values import UnitKey
from forensics.signatures.variants import VARIANTS, templates
from forensics.watch.bounded import forget_oldest

MOST_WORDINGS = 10_000  # the oldest are forgotten
MINED = "mined:"


@dataclass(slots=True)
class Wordings:
    """known: of each wording, by a hash of it, the signature of the first text and how many classes have it, oldest first."""

    known: dict[str, tuple[str, int]] = field(default_factory=dict)

    def first_of(self, unit: UnitKey, signature: str, title: str) -> str:
        """Return the signature of the first of VARIANTS failures that differ in one word; else the failure's own."""
        return self._first(self._keys(unit, signature, title, ""), signature, VARIANTS - 1)

    def first_of_nonfatal(self, unit: UnitKey, signature: str, title: str, site: str) -> str:
        """Return the signature of the first error from the same place in the program of which this one differs in one word.

        One is enough: the place is the same, and the service goes on.
        """
        return self._first(self._keys(unit, signature, title, site), signature, 1) if site else signature

    def _first(self, keys: list[str], signature: str, least: int) -> str:
        for key in keys:
            first, count = self.known.get(key, (signature, 0))
            if count >= least:
                return first
        for key in keys:
            first, count = self.known.get(key, (signature, 0))
            self.known[key] = (first, count + 1)
        forget_oldest(self.known, MOST_WORDINGS)
        return signature

    def _keys(self, unit: UnitKey, signature: str, title: str, site: str) -> list[str]:
        if not signature.startswith(MINED):  # an id of the catalogue names the problem already
            return []
        return [_hash("\0".join((*unit, site, template))) for template in templates(title, has_site=bool(site))]


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()
