"""Find the known failures that an unknown one resembles most; signatures never depend on it.

TF-IDF over character n-grams of the masked texts, cosine similarity. scikit-learn is imported only here, when something is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from forensics.signatures import mask
from forensics.signatures.pattern import Catalogue

NGRAMS = (3, 5)  # characters, within words
LEAST = 0.2  # of 1: texts less alike have only everyday words in common
MOST = 3  # neighbours shown


@dataclass(frozen=True, slots=True)
class Like:
    signature: str
    score: float  # 0…1


def examples_of(catalogue: Catalogue) -> list[tuple[str, str]]:
    """(signature, text) of every example of the catalogue."""
    return [(pattern.id, example.message) for pattern in catalogue.patterns for example in pattern.examples]


def most_like(texts: Sequence[str], known: Sequence[tuple[str, str]], names: Sequence[str] = ()) -> list[tuple[Like, ...]]:
    """For each text, rank the signatures it resembles most. known: (signature, one of its texts).

    names: the texts' own signatures, oldest first; each text is then compared with the earlier ones as well.
    """
    if not texts or not (known or names):
        return [() for _ in texts]
    import numpy as np  # noqa: PLC0415 - only where something is unknown
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - 1 s of imports

    masked = mask.keys(pl.Series([*(text for _, text in known), *texts], dtype=pl.String)).to_list()
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=NGRAMS, lowercase=True, sublinear_tf=True)
    weights = vectors.fit_transform([text or " x " for text in masked])
    scores = np.asarray((weights[len(known) :] @ weights.T).todense())
    ids = [*(name for name, _ in known), *names]
    compared = [len(known) + (position if names else 0) for position in range(len(texts))]
    return [
        _best([(name, float(score)) for name, score in zip(ids[:count], row[:count], strict=True) if score >= LEAST])
        for row, count in zip(scores, compared, strict=True)
    ]


def _best(scores: Sequence[tuple[str, float]]) -> tuple[Like, ...]:
    best: dict[str, float] = {}
    for name, score in scores:
        best[name] = max(score, best.get(name, 0.0))
    ranked = sorted(best.items(), key=lambda scored: (-round(scored[1], 3), scored[0]))[:MOST]
    return tuple(Like(name, min(1.0, round(score, 3))) for name, score in ranked)
