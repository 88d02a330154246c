"""Patterns and distinct lines in, a table out: CPU seconds of finding every (line, pattern) that match, here and with a plain loop.

    python benchmarks/matching.py [--patterns 200 500] [--lines 1000000] [--sample 20000] [--rounds 3]

The plain loop (`re.search` of each pattern on each line) takes minutes for a million lines, so it runs on an even sample of them and is
told per line; ours runs on all. Both find the same (line, pattern) pairs on the sample, or the benchmark fails. The catalogue is filled
up with invented patterns of the same shapes; 1 line in 200 holds what some pattern looks for, and 1 in 20 only the words that it
looks for first.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import polars as pl

from forensics.model.values import Signature
from forensics.signatures import catalogue
from forensics.signatures.match import find_in_texts
from forensics.signatures.pattern import Catalogue, Pattern
from forensics.signatures.prefilter import required

PARTS = [
    "allocator",
    "broker",
    "cache",
    "decoder",
    "encoder",
    "fetcher",
    "gateway",
    "handler",
    "indexer",
    "journal",
    "kernel",
    "loader",
    "mapper",
    "node",
    "planner",
    "queue",
    "router",
]
FAULTS = ["failed", "refused", "exhausted", "missing", "corrupted", "rejected", "unreachable", "mismatched", "overflowed", "expired"]
SHAPES = (
    "{part}_{n:03d} {fault} with code (?P<code>\\d+)",
    "(?i)cannot (?:open|create|map) {part}{n:03d}[^:]*: {fault}",
    "^ERROR: +{part} {fault}: stage-{n:03d}\\b",
    "{part}\\.{fault}Error(?:: .*)?\\(unit {n:03d}\\)",
)
QUIET = (
    'INFO: 10.{a}.{b}.7:{n} - "POST /v1/completions HTTP/1.1" 200 OK',
    "llama_perf: eval time = {n}.{a} ms / {b} tokens ({a}.{b} ms per token)",
    "[{n}] connection from 10.0.{a}.{b} accepted, {n} bytes in flight",
    "loading shard {a} of {b}: model-{n:08d}.safetensors",
    "systemd-logind[{n}]: New session {b} of user operator-{a}.",
    "cache hit ratio 0.{a}{b} over {n} requests, 3 evictions",
)


def invented(count: int) -> list[Pattern]:
    """Patterns that look like the catalogue's: a few words, a number, here and there a choice or a capture."""
    found = []
    for n in range(count):
        words = {"part": PARTS[n % len(PARTS)], "fault": FAULTS[n % len(FAULTS)], "n": n}
        message = SHAPES[n % len(SHAPES)].format(**words)
        found.append(Pattern(Signature(f"invented.{n}", "", "high"), Path(), (message,), literals=(required(message),)))
    return found


def to_search(count: int) -> list[Pattern]:
    real = [pattern for pattern in catalogue.load(()).patterns if pattern.messages and pattern.engine != "regex"][:count]
    return real + invented(count - len(real))


def lines(count: int, patterns: Sequence[Pattern]) -> list[str]:
    """Distinct lines; every 200th says what a pattern looks for."""
    chance = random.Random(7)  # noqa: S311 — the same lines each time
    told = [example.message.replace("\n", " ") for pattern in patterns for example in pattern.examples]
    told += [f"{PARTS[n % 17]}_{n:03d} {FAULTS[n % 10]} with code {n}" for n in range(0, len(patterns), len(SHAPES))]
    failures = cycle(told)
    quiet = cycle(QUIET)
    found = []
    for n in range(count):
        if n % 200 == 0:
            text = next(failures)
        elif n % 20 == 1:
            k = 4 * chance.randrange(len(patterns) // 4) + 1
            text = f"{PARTS[k % len(PARTS)]}{k:03d} is mapped again, cannot open more"
        else:
            text = next(quiet).format(a=chance.randrange(100), b=chance.randrange(100), n=n)
        found.append(f"{text} #{n}")
    return found


def plain_loop(sample: Sequence[str], patterns: Sequence[Pattern]) -> set[tuple[int, int]]:
    searches = [(number, [re.compile(message).search for message in pattern.messages]) for number, pattern in enumerate(patterns)]
    return {(n, number) for n, line in enumerate(sample) for number, found in searches if any(search(line) for search in found)}


def cpu(work: object) -> tuple[float, object]:
    begin = time.process_time()
    result = work()  # type: ignore[operator]
    return time.process_time() - begin, result


def measure(count: int, options: argparse.Namespace) -> None:
    patterns = to_search(count)
    texts = lines(options.lines, patterns)
    step = max(1, len(texts) // options.sample)
    chosen = list(islice(texts, 0, None, step))
    series = pl.Series("text", texts)
    ratios, ours, theirs = [], [], []
    for _ in range(options.rounds):
        plain_s, plain = cpu(lambda: plain_loop(chosen, patterns))
        here_s, here = cpu(lambda: find_in_texts(series, Catalogue(tuple(patterns))))
        pairs = {(n // step, pattern) for n, pattern in here.select("text_id", "pattern").iter_rows() if n % step == 0}
        if pairs != plain:
            sys.exit(f"different hits: {sorted(pairs ^ plain)[:5]}")
        ours.append(here_s / len(texts) * 1e6)
        theirs.append(plain_s / len(chosen) * 1e6)
        ratios.append(theirs[-1] / ours[-1])
    print(
        f"{count} patterns × {len(texts):,} lines: {statistics.median(ours):.2f} µs a line here, {statistics.median(theirs):.1f} µs "
        f"with a plain loop ({len(chosen):,} lines): {statistics.median(ratios):.0f}× ({min(ratios):.0f}–{max(ratios):.0f}), "
        f"{here.height:,} hits, the same ones"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patterns", type=int, nargs="+", default=[200, 500])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen_options = parser.parse_args()
    for each in chosen_options.patterns:
        measure(each, chosen_options)
