"""Where a new phase begins: found where a reader would see one, never in a mixture that stays the same."""

import numpy as np
import pytest

from forensics.incidents.phases import MAX_PHASES, cuts

NO_HANDS = np.zeros(100_000, bool)


def quiet(n: int) -> np.ndarray:
    return NO_HANDS[:n]


def stationary(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random mixture of classes whose cycles may depend on the class, have long tails, outliers or be rounded."""
    n, k = int(rng.choice([6, 20, 100, 1000, 3000])), int(rng.integers(1, 7))
    classes = rng.choice(k, n, p=rng.dirichlet(np.ones(k)))
    cycles = rng.uniform(5, 60, k)[classes] * np.exp(rng.normal(0, rng.choice([0.001, 0.05, 0.3]), n))
    kind = rng.integers(4)
    if kind == 1:
        cycles += rng.exponential(20, n)
    elif kind == 2:
        cycles = np.where(rng.random(n) < 0.02, cycles * rng.uniform(5, 50, n), cycles)
    elif kind == 3:
        cycles = np.round(cycles)
    return classes, cycles


def test_a_mixture_that_stays_the_same_is_one_phase_in_95_of_100_runs():
    rng = np.random.default_rng(7)
    runs = [stationary(rng) for _ in range(400)]
    false = sum(bool(cuts(classes, cycles, rng.random(len(classes)) < 0.02)) for classes, cycles in runs)
    assert false <= 0.05 * len(runs)


CLEAR = [
    ("another class", [0] * 40 + [1] * 60, [12.0] * 100, [40]),
    ("another class after a handful", [0] * 5 + [1] * 6, [12.0] * 11, [5]),
    ("the same class, but it lives three times as long", [0] * 100, [12.0] * 50 + [42.0] * 50, [50]),
    ("there and back", [0] * 50 + [1] * 50 + [0] * 50, [12.0] * 150, [50, 100]),
    ("a mixture in turn with itself", [0, 1] * 60, [12.0, 40.0] * 60, []),
    ("one stray failure", [0] * 50 + [1] + [0] * 50, [12.0] * 101, []),
    ("four failures", [0, 0, 1, 1], [12.0] * 4, []),
    ("unknown cycles", [0] * 40 + [1] * 40, [float("nan")] * 80, [40]),
]


@pytest.mark.parametrize(("why", "classes", "cycles", "expected"), CLEAR, ids=[row[0] for row in CLEAR])
def test_clear_phases_are_found(why, classes, cycles, expected):
    assert cuts(np.array(classes), np.array(cycles), quiet(len(classes))) == expected, why


@pytest.mark.parametrize("jitter", [0.0, 0.01, 0.3, 2.0])
def test_the_seed_has_four_phases_whatever_the_order_inside_them(jitter):
    rng = np.random.default_rng(3)
    table = [
        ((700, 0, 0, 0, 0, 0), 12.9),
        ((0, 7000, 0, 0, 0, 413), 11.7),
        ((0, 0, 1896, 1657, 4, 525), 42.3),
        ((0, 0, 1600, 100, 0, 41), 49.4),
    ]
    classes = np.concatenate([rng.permutation(np.repeat(np.arange(6), counts)) for counts, _ in table])
    cycles = np.concatenate([np.full(sum(counts), cycle) + rng.normal(0, jitter, sum(counts)) for counts, cycle in table])
    hands = quiet(len(classes)).copy()
    assert len(cuts(classes, cycles, hands)) == 3
    hands[[700, 8113, 12195]] = True
    assert cuts(classes, cycles, hands) == [700, 8113, 12195]


def test_a_hand_close_by_draws_the_cut_to_itself_where_the_evidence_is_thin():
    # the failures of the boundary are of the class that both phases have
    classes = np.array([0] * 40 + [2] * 3 + [1] * 40 + [2] * 3)
    hands = quiet(len(classes)).copy()
    hands[41] = True
    assert cuts(classes, np.full(len(classes), 12.0), hands) == [41]


def test_a_hand_alone_makes_no_phase():
    hands = quiet(200).copy()
    hands[[50, 100, 150]] = True
    assert cuts(np.zeros(200, np.int64), np.full(200, 12.0), hands) == []


def test_so_many_changes_that_nobody_could_read_them_are_bounded():
    classes = (np.arange(100_000) // 300) % 3
    assert len(cuts(classes, np.full(100_000, 12.0), quiet(100_000))) < MAX_PHASES
