"""Compare a window of history with an earlier one: reports → facts of their windows → Comparison."""

from forensics.compare.earlier import read_earlier
from forensics.compare.facts import Facts, facts_of
from forensics.compare.windows import compare

__all__ = ["Facts", "compare", "facts_of", "read_earlier"]
