"""How much of the journal an incident filled, and how much ordinary history would have fitted there."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from forensics.incidents.cost import Logged, cost, logged_by_machine

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
DAY_S = 86_400.0


def attempts(*sizes):
    return pl.DataFrame(
        {"cpu_ns": [1_500_000_000] * len(sizes), "bytes": list(sizes), "entries": pl.Series([3] * len(sizes), dtype=pl.UInt32)}
    )


@pytest.mark.parametrize(
    ("size", "logged", "share", "displaced_s", "why"),
    [
        (750, Logged(1_000, DAY_S), 0.75, 3 * DAY_S, "a quarter of the bytes lasted a day: three quarters are three days"),
        (500, Logged(1_000, DAY_S), 0.5, DAY_S, "as much as all others"),
        (1_000, Logged(1_000, DAY_S), 1.0, None, "nothing else was logged: there is no ordinary rate"),
        (500, Logged(1_000, 0.0), 0.5, None, "all in one moment"),
        (0, Logged(1_000, DAY_S), None, None, "a source that does not record sizes"),
        (500, Logged(0, DAY_S), None, None, "a machine whose sizes are not recorded"),
    ],
)
def test_the_share_and_the_history_it_displaced(size, logged, share, displaced_s, why):
    found = cost(attempts(size), "m", {"m": logged})
    assert (found.journal_share, found.displaced_s) == (share, displaced_s), why
    assert (found.cpu_s, found.journal_bytes, found.entries) == (1.5, size, 3)


def test_a_machine_that_logged_nothing_has_no_share():
    assert cost(attempts(500), "m", {}).journal_share is None


def test_bytes_are_summed_by_machine_and_one_without_an_id_goes_by_its_host():
    entries = pl.DataFrame(
        {
            "machine": pl.Series(["m", "m", None], dtype=pl.Categorical()),
            "host": pl.Series(["old-name", "name", "nas"], dtype=pl.Categorical()),
            "time": [NOON, NOON + timedelta(hours=1), NOON],
            "bytes": [100, 50, 7],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )
    assert logged_by_machine(entries) == {"m": Logged(150, 3600.0), "nas": Logged(7, 0.0)}
