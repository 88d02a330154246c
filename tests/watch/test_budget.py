"""A budget allows bursts, but not sustained work above its share."""

import pytest

from forensics.watch.budget import Budget


def test_a_burst_is_free_and_sustained_work_is_slowed_down_to_its_share():
    budget, now, worked = Budget(0.1, 0.1), 0.0, 0.0
    for _ in range(1000):
        now = max(now, budget.ready(now))
        budget.spend(now, now + 0.01)
        now, worked = now + 0.01, worked + 0.01
        if worked < 0.1:
            assert now == pytest.approx(worked)
    assert worked / now == pytest.approx(0.1, rel=0.02)


def test_no_more_than_the_maximum_is_saved_up():
    budget = Budget(0.5, 1.0)
    budget.spend(0.0, 1.0)
    budget.spend(1000.0, 1004.0)
    assert budget.ready(1004.0) == pytest.approx(1006.0)  # 1 was saved up, 2 came in meanwhile
