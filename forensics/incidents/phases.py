"""Cut an incident's restarts into phases, where what attempts die of or how long a cycle takes changes.

Both are counted (cycles in bins of equal share of the incident, so no shape of their distribution is assumed), and a cut is worth the
log-likelihood it gains. It must gain more than a BIC-like price, and it must matter: mixes of classes or cadences that a reader would call
the same are one phase. Cuts are found best first (binary segmentation on cumulative sums, O(cuts · n · classes)), then each is moved to its
best position between its neighbours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]  # (n + 1, k): cumulative one-hot counts
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_PHASES = 24  # more could not be read, and it bounds the work
MAX_CLASSES = 16  # rarer ones are counted together
CYCLE_BINS = 8
SHORTEST, SHORTEST_FIX = 5, 2  # restarts in a phase; after an operator's action two equal ones count
PRICE = 1.3  # × (free parameters / 2 + 1) · log n; from the random mixtures of tests/incidents/test_phases.py
MIX_DIFFERS = 0.15  # total variation distance between two class mixes
CADENCE_DIFFERS = 1.2  # ratio of two median cycles
SNAP, SNAP_WORTH = 5, 8.0  # an action within 5 restarts of a cut attracts it, unless evidence of more than 8 nats is against it


def cuts(classes: Ints, cycles: Floats, manual_before: Flags) -> list[int]:
    """Find the indices at which a new phase begins, ascending, without 0.

    classes: code per restart; cycles: seconds from its attempt's start to the next one's, NaN where unknown;
    manual_before: true where an operator's action, a manual start or a long pause comes just before the restart's attempt.
    """
    n = len(classes)
    if n < 2 * SHORTEST_FIX:
        return []
    mixes, beats = _cumulative(_few(classes)), _cumulative(_binned(cycles))
    begins = _split(mixes, beats, manual_before, n)
    begins = _merged(_moved(begins, mixes, beats, manual_before, n), mixes, cycles, beats)
    return _merged(_moved(begins, mixes, beats, manual_before, n), mixes, cycles, beats)


def _few(classes: Ints) -> Ints:
    """Number classes 0…k in order of frequency, the rare ones together in the last."""
    _, codes, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    order = np.empty(len(sizes), np.int64)
    order[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.asarray(np.minimum(order[codes], MAX_CLASSES - 1), dtype=np.int64)


def _binned(cycles: Floats) -> Ints:
    """Number the bin of each cycle, -1 where unknown. Edges lie between values: equal cycles share a bin."""
    measured = cycles[~np.isnan(cycles)]
    if len(measured) < 2 * SHORTEST:
        return np.full(len(cycles), -1, np.int64)
    values = np.sort(measured)
    bins = min(CYCLE_BINS, len(values) // SHORTEST)
    at = (np.arange(1, bins) * len(values)) // bins
    edges = np.unique(np.concatenate([(values[at - 1] + values[at]) / 2, _widest(values, bins)]))
    return np.asarray(np.where(np.isnan(cycles), -1, np.searchsorted(edges, cycles)), dtype=np.int64)


def _widest(values: Floats, bins: int) -> Floats:
    """Find the middles of the widest steps between cycles of clearly different length, where cadences separate."""
    ratio = values[1:] / np.maximum(values[:-1], 1e-3)
    wide = np.flatnonzero(ratio >= CADENCE_DIFFERS)
    wide = wide[(wide >= SHORTEST - 1) & (wide < len(values) - SHORTEST)]
    wide = wide[np.argsort(-ratio[wide], kind="stable")[: bins // 2]]
    return np.asarray(np.sqrt(values[wide] * values[wide + 1]), dtype=np.float64)


def _cumulative(codes: Ints) -> Counts:
    k = int(codes.max(initial=0)) + 1
    sums = np.zeros((len(codes) + 1, k))
    counted = np.flatnonzero(codes >= 0)
    sums[counted + 1, codes[counted]] = 1
    return np.asarray(np.cumsum(sums, axis=0, out=sums), dtype=np.float64)


def _entropy(counts: Counts) -> Floats:
    """Compute the −log-likelihood of each row of counts under its own mix."""
    total = counts.sum(axis=-1)
    parts = (counts * np.log(np.maximum(counts, 1))).sum(axis=-1)
    return np.asarray(total * np.log(np.maximum(total, 1)) - parts, dtype=np.float64)


def _gains(sums: Counts, lo: int, hi: int, positions: Ints) -> Floats:
    """Compute by how much cutting [lo, hi) at each of `positions` raises the log-likelihood."""
    whole, left = sums[hi] - sums[lo], sums[positions] - sums[lo]
    return np.asarray(_entropy(whole) - _entropy(left) - _entropy(whole - left), dtype=np.float64)


def _net(sums: Counts, lo: int, hi: int, positions: Ints) -> tuple[Floats, Floats]:
    """Compute (gain, gain above the price) of cutting [lo, hi) at each of `positions`; free parameters and the position have a price."""
    gain = _gains(sums, lo, hi, positions)
    free = max(int(np.count_nonzero(sums[hi] - sums[lo])) - 1, 0)
    return gain, gain - PRICE * (free / 2 + 1) * float(np.log(hi - lo))


def _value(mixes: Counts, beats: Counts, lo: int, hi: int, positions: Ints) -> tuple[Floats, Floats]:
    """Compute (gain, worth): a cut may earn its price by the classes, by the cycles, or by both together."""
    mix, mix_net = _net(mixes, lo, hi, positions)
    beat, beat_net = _net(beats, lo, hi, positions)
    return mix + beat, np.maximum(np.maximum(mix_net, beat_net), mix_net + beat_net + PRICE * float(np.log(hi - lo)))


def _best(mixes: Counts, beats: Counts, manual_before: Flags, lo: int, hi: int) -> tuple[float, int]:
    """Find (gain above the price, position) of the best cut inside [lo, hi); the gain is negative when none is worth it."""
    positions = np.arange(lo + SHORTEST_FIX, hi - SHORTEST_FIX + 1)
    near = (positions - lo < SHORTEST) | (hi - positions < SHORTEST)
    positions = positions[~near | manual_before[np.minimum(positions, len(manual_before) - 1)]]
    if len(positions) == 0:
        return -1.0, lo
    gain, worth = _value(mixes, beats, lo, hi, positions)
    drawn = gain + SNAP_WORTH * manual_before[positions]
    near_best = np.abs(positions - positions[int(np.argmax(gain))]) <= SNAP
    choice = int(np.argmax(np.where(near_best, drawn, -np.inf)))
    return float(worth.max()), int(positions[choice])


def _split(mixes: Counts, beats: Counts, manual_before: Flags, n: int) -> list[int]:
    """Cut, best first, until no cut is worth its price; return the cuts in order."""
    open_pieces = [(*_best(mixes, beats, manual_before, 0, n), 0, n)]
    begins: list[int] = []
    while open_pieces and len(begins) < MAX_PHASES - 1:
        open_pieces.sort()
        gain, position, lo, hi = open_pieces.pop()
        if gain <= 0:
            break
        begins.append(position)
        open_pieces += [(*_best(mixes, beats, manual_before, a, b), a, b) for a, b in ((lo, position), (position, hi))]
    return sorted(begins)


def _moved(begins: list[int], mixes: Counts, beats: Counts, manual_before: Flags, n: int) -> list[int]:
    """Move each cut to its best position between its neighbours."""
    positions = [0, *begins, n]
    for i in range(1, len(positions) - 1):
        lo, hi = positions[i - 1], positions[i + 1]
        positions[i] = _best(mixes, beats, manual_before, lo, hi)[1]
    return positions[1:-1]


def _merged(begins: list[int], mixes: Counts, cycles: Floats, beats: Counts) -> list[int]:
    """Remove the cuts that make no difference to a reader, weakest first."""
    positions = [0, *begins, len(cycles)]
    while len(positions) > 2:
        worth = [_worth(positions[i - 1], positions[i], positions[i + 1], mixes, cycles, beats) for i in range(1, len(positions) - 1)]
        weakest = int(np.argmin(worth))
        if worth[weakest] > 0:
            break
        del positions[weakest + 1]
    return positions[1:-1]


def _worth(lo: int, position: int, hi: int, mixes: Counts, cycles: Floats, beats: Counts) -> float:
    """Compute what a cut gains above its price; negative as well when the two sides are much the same."""
    here = np.array([position])
    worth = float(_value(mixes, beats, lo, hi, here)[1][0])
    left, right = mixes[position] - mixes[lo], mixes[hi] - mixes[position]
    mix = 0.5 * float(np.abs(left / left.sum() - right / right.sum()).sum())
    return worth if mix >= MIX_DIFFERS or _ratio(cycles[lo:position], cycles[position:hi]) >= CADENCE_DIFFERS else -1.0


def _ratio(left: Floats, right: Floats) -> float:
    left, right = left[~np.isnan(left)], right[~np.isnan(right)]
    if min(len(left), len(right)) < SHORTEST_FIX:
        return 1.0
    a, b = max(float(np.median(left)), 1e-3), max(float(np.median(right)), 1e-3)
    return max(a / b, b / a)
