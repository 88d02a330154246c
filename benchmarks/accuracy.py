"""A folder of labelled log samples in, how well the families of keys agree with the labels out.

    python benchmarks/accuracy.py DIR [--assignments OUT]

Each CSV file of DIR needs a column of messages (Content or content) and one of labels (EventId or event_id). GA is the share of lines
whose family consists of exactly the lines of their label; FGA is the F1 score over groups that are exactly equal (both as in
Loghub-2.0, arXiv:2308.10828). OUT receives file, LineId, cluster.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from forensics.signatures import mask
from forensics.signatures.clustering import families

_CONTENT = ("Content", "content")
_LABEL = ("EventId", "event_id")


def clusters(messages: pl.Series) -> pl.Series:
    """The family of each message; the work is per distinct message."""
    distinct = messages.unique(maintain_order=True)
    keys = mask.keys(distinct)
    named = families.families(keys)
    return messages.replace_strict(distinct, named, return_dtype=pl.String)


def grouping(predicted: Sequence[str], true: Sequence[str]) -> tuple[float, float]:
    """(GA, FGA)."""
    pairs = pl.DataFrame({"predicted": predicted, "true": true})
    both = pairs.group_by("predicted", "true").len("both")
    of_predicted = pairs.group_by("predicted").len("lines")
    of_true = pairs.group_by("true").len("labelled")
    right = (
        both.join(of_predicted, on="predicted")
        .join(of_true, on="true")
        .filter((pl.col("both") == pl.col("lines")) & (pl.col("both") == pl.col("labelled")))
    )
    return int(right["both"].sum()) / len(pairs), 2 * len(right) / (len(of_predicted) + len(of_true))


def _column(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.Series | None:
    return next((frame[name].fill_null("") for name in names if name in frame.columns), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--assignments", type=Path)
    options = parser.parse_args()
    assigned: list[tuple[str, str, str]] = []
    scores: list[tuple[float, float]] = []
    print(f"{'file':<40} {'lines':>7} {'labels':>7} {'families':>8} {'GA':>6} {'FGA':>6}")
    for path in sorted(options.folder.glob("*.csv")):
        frame = pl.read_csv(path, infer_schema=False)
        messages, labels = _column(frame, _CONTENT), _column(frame, _LABEL)
        if messages is None or labels is None:
            print(f"{path.name}: no column {' or '.join(_CONTENT if messages is None else _LABEL)}, left out", file=sys.stderr)
            continue
        found = clusters(messages)
        scores.append(grouping(found.to_list(), labels.to_list()))
        ids = frame["LineId"].to_list() if "LineId" in frame.columns else [str(number) for number in range(1, len(frame) + 1)]
        assigned += [(path.name, line, mask.mined_id(family).partition(":")[2]) for line, family in zip(ids, found, strict=True)]
        ga, fga = scores[-1]
        print(f"{path.name:<40} {len(frame):>7} {labels.n_unique():>7} {found.n_unique():>8} {ga:>6.3f} {fga:>6.3f}")
    if not scores:
        sys.exit(f"{options.folder}: no labelled CSV file in it")
    ga, fga = (statistics.fmean(column) for column in zip(*scores, strict=True))
    print(f"{'mean':<40} {'':>7} {'':>7} {'':>8} {ga:>6.3f} {fga:>6.3f}")
    if options.assignments:
        with options.assignments.open("w", newline="") as out:
            csv.writer(out).writerows([("file", "LineId", "cluster"), *assigned])


if __name__ == "__main__":
    main()
