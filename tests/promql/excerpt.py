"""Some hours of a restart loop with a gap in the scrapes: what the tests compare with real Prometheus."""

import numpy as np

from forensics.promql import Scrapes
from tests.promql.seed_series import series_of

SINCE = 1_765_130_400.0
UNTIL = SINCE + 4 * 3600
SCRAPES = Scrapes(SINCE, UNTIL, missing=((SINCE + 7200, SINCE + 8200),))


def excerpt():
    """Make a unit that starts about each 13 s, at times minutes apart; its counter is reset half way."""
    rng = np.random.default_rng(5)
    waits = np.where(rng.random(500) < 0.1, rng.uniform(60, 600, 500), rng.uniform(8, 20, 500))
    starts = SINCE + 900 + np.cumsum(waits)
    starts = starts[starts < UNTIL - 200]
    after = np.append(starts[1:], starts[-1] + 100)
    ends = np.where(np.arange(len(starts)) % 20 == 0, after - 1, starts + rng.uniform(3, 7.5, len(starts)))
    counter = np.arange(len(starts), dtype=np.float64) % (len(starts) // 2)
    return series_of(starts, ends, (starts, counter), SINCE, UNTIL)
