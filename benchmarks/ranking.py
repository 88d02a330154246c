"""Folders of failures in, how well the points of the ranking choose the deciding line, and whether fitted points would choose better.

    python -m benchmarks.ranking DIR …

Cases are those of benchmarks.deciding. Of each text the attempt that holds the wanted line counts, if it has several candidates. The
points are fitted by logistic regression on the differences between right and wrong candidates of an attempt; cross-validated over five
parts of the cases, so that no case is chosen by points that were fitted to it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

from benchmarks.deciding import Case, is_wanted, read_cases
from forensics.explain.answer import label_text
from forensics.resources import folder
from forensics.signatures.candidates import FEATURES
from forensics.signatures.catalogue import Catalogue, load
from forensics.signatures.root_cause import EVIDENCE, WEIGHTS

COLUMNS = [*(name for _, name in EVIDENCE.values()), *FEATURES]
SHIPPED = np.array([*(points for points, _ in EVIDENCE.values()), *(WEIGHTS[name][0] for name in FEATURES)], dtype=float)
PARTS = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of an attempt: a row of features each, and which of them are right."""

    features: np.ndarray
    right: np.ndarray

    def is_won(self, points: np.ndarray) -> bool:
        return bool(self.right[int(np.argmax(self.features @ points))])


def choice_of(case: Case, catalogue: Catalogue) -> Choice | None:
    """Find the choice that decides a case; null when its text has no attempt with a right and a wrong candidate."""
    text = label_text(case.text.encode(), catalogue)
    lines = case.text.split("\n")
    for _, group in text.labelled.ranked.group_by("attempt", maintain_order=True):
        rows = group.sort("event").to_dicts()
        shown = [lines[line - 1] if (line := text.line_of(row["row"])) else "" for row in rows]
        right = np.array([_is_right(case, row["signature"], line) for row, line in zip(rows, shown, strict=True)])
        if right.any() and not right.all():
            evidence = np.array([[row["evidence"] == kind for kind in EVIDENCE] for row in rows], dtype=float)
            return Choice(np.hstack([evidence, np.array([[row[name] for name in FEATURES] for row in rows], dtype=float)]), right)
    return None


def _is_right(case: Case, signature: str | None, line: str) -> bool:
    """Whether a candidate has an accepted class, or none and the wanted line."""
    return is_wanted(case.lines, line) if signature is None else any(fnmatchcase(signature, accepted) for accepted in case.accept)


def fitted(choices: Sequence[Choice]) -> np.ndarray:
    """Fit points that put the right candidates first."""
    pairs = [good - bad for c in choices for good in c.features[c.right] for bad in c.features[~c.right]]
    both = np.array([*pairs, *(-pair for pair in pairs)])
    signs = np.array([1] * len(pairs) + [0] * len(pairs))
    return np.asarray(LogisticRegression(fit_intercept=False, C=0.5, max_iter=1000).fit(both, signs).coef_[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    catalogue = load([folder("patterns")])
    cases = [case for directory in options.folders for case in read_cases(directory) if not case.is_quiet]
    choices = [choice for case in cases if (choice := choice_of(case, catalogue)) is not None]
    if len(choices) < PARTS:
        sys.exit(f"only {len(choices)} of {len(cases)} cases have something to choose from")
    shares = []
    for part in range(PARTS):
        points = fitted([choice for number, choice in enumerate(choices) if number % PARTS != part])
        shares += [choice.is_won(points) for choice in choices[part::PARTS]]
    points = fitted(choices)
    scale = 50 / (points[0] - points[len(EVIDENCE) - 1]) if points[0] != points[len(EVIDENCE) - 1] else 1.0
    print(f"{len(choices)} of {len(cases)} cases have right and wrong candidates")
    print(
        f"right by the shipped points {np.mean([choice.is_won(SHIPPED) for choice in choices]):.3f}, by fitted ones {np.mean(shares):.3f}"
    )
    rows = pl.DataFrame({"what": COLUMNS, "shipped": SHIPPED, "fitted": np.round(points * scale, 1)})
    for what, shipped, fit in rows.iter_rows():
        print(f"{what:<60} {shipped:>7.0f} {fit:>7.1f}")


if __name__ == "__main__":
    main()
