"""Start limits refuse what a real systemd refuses: random units in one boot, each once with its limit and once without.

The starts of the unit without a limit are the record; replayed with the limit they must be the starts and refusals of the other unit.
"""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import pytest

from forensics.history_replay import for_replay
from forensics.model.values import UnitKey
from forensics.pipeline import investigate
from forensics.query import Query, Sources
from forensics.replay.history import Frames, UnitHistory, histories
from forensics.replay.limiters import RELOADS_RESET_UNTIL, StartLimit, start_limit
from forensics.replay.machine import machines
from tests.lab.systemd import MACHINE_ID, NEEDED, booted

pytestmark = NEEDED

LASTS_S, UNITS, MARGIN_S = 7.0, 8, 0.2
RELOADS = (1.3, 4.1)


@dataclass(frozen=True)
class Tried:
    """One random unit. by_hand: when it is restarted by hand, in seconds after its first start."""

    number: int
    limit: StartLimit
    pause_s: float
    lives_s: float
    by_hand: tuple[float, ...]

    def unit(self, *, limited: bool) -> str:
        limit = self.limit if limited else StartLimit(1, 0)
        return "\n".join(
            [
                "[Unit]", f"StartLimitBurst={limit.burst}", f"StartLimitIntervalSec={limit.interval_s:.3f}",
                "[Service]", "Restart=on-failure", f"RestartSec={self.pause_s * 1000:.0f}ms",
                f"ExecStart=/bin/sh -c 'sleep {self.lives_s:.2f}; exit 1'", "",
            ]
        )  # fmt: skip

    def starts(self, reloads: tuple[float, ...], shift: float) -> list[tuple[float, bool]]:
        """Play it through in mind: (time, refused) of each start that systemd tries. shift: of the starts by hand and the interval."""
        hands = [hand + shift for hand in self.by_hand]
        tried, start, begin, number = [], 0.0, None, 0
        resets = list(reloads)
        while start < LASTS_S:
            if begin is not None and any(begin < reset <= start for reset in resets):
                begin = None
            if begin is None or start - begin > self.limit.interval_s + shift:
                begin, number = start, 0
            number += 1
            refused = number > self.limit.burst
            tried.append((start, refused))
            again = float("inf") if refused else start + self.lives_s + self.pause_s + 0.03
            hand = next((hand for hand in hands if hand > start), float("inf"))
            start = min(again, hand)
        return tried


def is_clear(tried: Tried) -> bool:
    """Whether nothing about it depends on a few hundredths of a second."""
    for reloads in ((), RELOADS):
        played = [[refused for _, refused in tried.starts(reloads, shift)] for shift in (-MARGIN_S, 0.0, MARGIN_S)]
        if any(each != played[0] for each in played) or any(
            abs(start - reload) < 0.1 for start, _ in tried.starts(reloads, 0) for reload in reloads
        ):
            return False
    return True


def random_units() -> list[Tried]:
    random, found = Random(14), []  # noqa: S311 - chance must repeat itself
    while len(found) < UNITS:
        pause, lives, burst = random.choice([0.15, 0.3, 0.5]), random.uniform(0.05, 0.2), random.randint(2, 5)
        interval = (random.randint(burst - 2, 2 * burst) + 0.5) * (pause + lives + 0.03)
        hands = tuple(sorted(random.uniform(2, LASTS_S - 1) for _ in range(random.randint(0, 2))))
        tried = Tried(len(found), StartLimit(burst, interval), pause, lives, hands)
        if is_clear(tried):
            found.append(tried)
    return found


TRIED = random_units()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> tuple[dict[str, UnitHistory], dict[str, list[float]], list[int], int]:
    """The histories of all units, when each was refused, the rows of the reloads and systemd's version."""
    units = {f"{kind}{tried.number}.service": tried.unit(limited=kind == "limited") for tried in TRIED for kind in ("free", "limited")}
    acts = [(at, ["daemon-reload"]) for at in RELOADS]
    acts += [(at, ["restart", "--no-block", f"free{t.number}", f"limited{t.number}"]) for t in TRIED for at in t.by_hand]
    with booted(units, tmp_path_factory.mktemp("lab")) as lab:
        lab.run(["systemctl", "start", "--no-block", *units])
        began = time.monotonic()
        for at, act in sorted(acts):
            time.sleep(max(0.0, began + at - time.monotonic()))
            lab.run(["systemctl", *act], check=False)
        time.sleep(max(0.0, began + LASTS_S - time.monotonic()))
        lab.run(["systemctl", "stop", *units])
        version = int(lab.run(["systemctl", "--version"]).split()[1])
        lab.run(["journalctl", "--sync"])
    found = investigate(Query(Sources((lab.journal,)), tmp_path_factory.mktemp("store"), datetime.now(UTC)))
    inputs = for_replay(found)
    (machine,) = machines(inputs.entries).values()
    frames = Frames(inputs.attempts, inputs.restarts, inputs.lifecycle, inputs.labels, inputs.entries["monotonic"])
    keys = [UnitKey(MACHINE_ID, "system", name) for name in units]
    of_units = {key.unit: each[0] for key, each in histories(keys, frames, {MACHINE_ID: machine}).items()}
    refused = inputs.lifecycle.filter(kind="refused").select("unit", "time").rows()
    refusals = {name: [time.timestamp() for unit, time in refused if unit == name] for name in units}
    return of_units, refusals, list(machine.reloads), version


def test_the_units_are_refused_and_started_by_hand():
    """So that the tests below try something."""
    starts = [tried.starts(RELOADS, 0) for tried in TRIED]
    assert sum(any(refused for _, refused in each) for each in starts) >= UNITS // 3
    assert sum(not any(refused for _, refused in each) for each in starts) >= 2
    assert sum(bool(tried.by_hand) for tried in TRIED) >= UNITS // 3


def sequence(free: UnitHistory, limit: StartLimit, reopening: list[int]) -> str:
    """The starts (s) and refusals (R) that would be in order."""
    simulated = start_limit(free, limit, reopening)
    return in_a_row(
        "".join("R" if refused else "s" for kept, refused in zip(simulated.kept, simulated.refused, strict=True) if kept or refused)
    )


def in_a_row(acts: str) -> str:
    """Leave out what a hundredth of a second decides.

    After the last refusal the two units may end at different moments; a restart by hand and the automatic one that it meets are refused
    once or twice.
    """
    return re.sub("R+", "R", acts).rstrip("s")


def by_hand(of_units: dict[str, UnitHistory], tried: Tried) -> int:
    return int((~of_units[f"free{tried.number}.service"].automatic).sum())


@pytest.fixture(scope="module")
def clear(recorded) -> dict[int, str]:
    """What is expected of the units for which it does not depend on what a busy machine changes."""
    of_units, _, reloads, version = recorded
    reopening = reloads if version <= RELOADS_RESET_UNTIL else []
    found = {}
    for tried in TRIED:
        if by_hand(of_units, tried) < 1 + len(tried.by_hand):
            continue  # one is merged with an automatic restart, which the limited unit may not have had
        limits = (StartLimit(tried.limit.burst, tried.limit.interval_s * part) for part in (0.92, 1.0, 1.08))
        expected = {sequence(of_units[f"free{tried.number}.service"], limit, reopening) for limit in limits}
        if len(expected) == 1:
            found[tried.number] = expected.pop()
    return found


def test_a_limit_refuses_what_systemd_refuses(recorded, clear):
    of_units, refusals, reloads, _ = recorded
    assert len(reloads) >= len(RELOADS)  # 257 writes two lines for each
    assert len(clear) >= UNITS // 2
    assert any(clear.values())
    real = {}
    for number in clear:
        limited = of_units[f"limited{number}.service"]
        acts = sorted([*((time, "s") for time in limited.began), *((time, "R") for time in refusals[f"limited{number}.service"])])
        real[number] = in_a_row("".join(act for _, act in acts))
    assert clear == real


def test_the_record_shows_which_starts_are_by_hand(recorded):
    """A restart by hand that comes while an automatic one is queued is merged with it."""
    of_units, *_ = recorded
    found = [by_hand(of_units, tried) for tried in TRIED]
    asked = [1 + len(tried.by_hand) for tried in TRIED]
    assert all(one <= other for one, other in zip(found, asked, strict=True))
    assert sum(found) >= sum(asked) - 1
