"""Random PromQL over some hours of a restart loop, against a real Prometheus.

    python -m benchmarks.promql_random [--prometheus FILE] [--examples 6000] [--seed 1] [--interval 15] [--phase 0]

Prints how many expressions agree, which ones are refused by us alone, and each one that differs.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from urllib.error import HTTPError

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from forensics.promql import Scraped, SyntaxMistakeError, UnsupportedError, evaluate, parse
from tests.promql.excerpt import SCRAPES, SINCE, UNTIL, excerpt
from tests.promql.generated import expressions
from tests.promql.oracle import Prometheus, backfill, difference, running_prometheus


def outcome(text: str, server: Prometheus, scraped: Scraped, at: np.ndarray) -> str:
    """Evaluate on both sides and name how the results compare."""
    refused = ""
    try:
        ours = evaluate(parse(text), scraped, at, version=server.version)
    except (UnsupportedError, SyntaxMistakeError) as error:
        refused = re.sub(r"[\d,]+", "N", str(error))
    try:
        theirs = server.evaluate(text, at)
    except HTTPError:
        return "both refuse" if refused else "DIFFERS: only Prometheus refuses it"
    if refused:
        return f"only we refuse it: {refused}"
    apart = difference(theirs, ours, at)
    if apart.missing or apart.extra or apart.error > 1e-9:
        return f"DIFFERS: {apart}"
    return "equal" if apart.present else "equal, and empty"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default=shutil.which("prometheus"))
    parser.add_argument("--examples", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--interval", type=float, default=15.0)
    parser.add_argument("--phase", type=float, default=0.0)
    asked = parser.parse_args()
    at = np.arange(SINCE + 600 + asked.phase, UNTIL + 400, asked.interval)
    scraped = Scraped(excerpt(), SCRAPES)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as blocks:
        backfill(excerpt(), SCRAPES, Path(blocks))
        with running_prometheus(asked.prometheus, Path(work), Path(blocks) / "data") as server:

            @seed(asked.seed)
            @settings(
                max_examples=asked.examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
            )
            @given(expressions)
            def compare(text: str) -> None:
                found = outcome(text, server, scraped, at)
                outcomes[found.partition(":")[0] if found.startswith("DIFFERS") else found] += 1
                if found.startswith("DIFFERS"):
                    print(f"{found}  {text}", flush=True)

            compare()
    for found, count in outcomes.most_common():
        print(f"{count:6,}  {found}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
