"""Controls are written on a command line as people write them; what is wrong gets one sentence with an example."""

import math

import pytest

from forensics.errors import UsageError
from forensics.replay import notation
from forensics.replay.asked import Asked, Probe, shipped, with_own
from forensics.replay.backoff import Pauses
from forensics.replay.limiters import StartLimit
from forensics.replay.litellm import Router
from forensics.replay.polls import Poll

READ = [
    (notation.start_limit, "5/300", StartLimit(5, 300)),
    (notation.start_limit, "10/10min", StartLimit(10, 600)),
    (notation.start_limit, "3/1h", StartLimit(3, 3600)),
    (notation.probe, "15s,for=1m,ready=45s", Probe(15, 60, 45)),
    (notation.probe, "30s", Probe(30)),
    (notation.probe, "30s,ready=2min", Probe(30, ready_s=120)),
    (notation.poll, "60s,retries=2", Poll(60, 2)),
    (notation.poll, "20", Poll(20)),
    (notation.router, "4/60s", Router(4, 60)),
    (notation.router, "3/5s,requests=1s,retries=2", Router(3, 5, 2, 1)),
]
REFUSED = [
    (notation.start_limit, "5"),
    (notation.start_limit, "five/300"),
    (notation.start_limit, "5/soon"),
    (notation.start_limit, "-5/300"),
    (notation.start_limit, "5/infinity"),
    (notation.probe, ""),
    (notation.probe, "0s"),
    (notation.probe, "15s,every=3"),
    (notation.probe, "15s,for"),
    (notation.poll, "60s,retries=two"),
    (notation.poll, "99999d"),
    (notation.router, "60s"),
    (notation.router, "4/60s,requests=0"),
]
UNIT = """[Unit]
StartLimitIntervalSec=5min
StartLimitBurst=5
OnFailure=tell@%n.service
[Service]
Restart=on-failure
RestartSec=10
RestartSteps=5
RestartMaxDelaySec=10min
"""


@pytest.mark.parametrize(("parse", "text", "expected"), READ)
def test_it_is_read(parse, text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(("parse", "text"), REFUSED)
def test_what_is_wrong_is_named_with_an_example(parse, text):
    with pytest.raises(UsageError, match="is not written like"):
        parse(text)


def test_a_unit_file_sets_its_limit_policy_and_pauses(tmp_path):
    (tmp_path / "app.service").write_text(UNIT)
    (unit,) = notation.unit_files(tmp_path / "app.service")
    assert (unit.limit, unit.policy, unit.pauses) == (StartLimit(5, 300), "on-failure", Pauses(10, 5, 600))
    assert unit.on_failure == "tell@%n.service"
    assert unit.unit == ""


def test_drop_ins_beside_it_come_after_it(tmp_path):
    (tmp_path / "app.service").write_text(UNIT)
    (tmp_path / "app.service.d").mkdir()
    (tmp_path / "app.service.d" / "limit.conf").write_text("[Unit]\nStartLimitBurst=3\n[Service]\nRestart=no\nRestartMode=direct\n")
    (unit,) = notation.unit_files(tmp_path / "app.service")
    assert (unit.limit, unit.policy, unit.direct) == (StartLimit(3, 300), "no", True)


def test_what_it_does_not_set_is_systemds_default(tmp_path):
    (tmp_path / "app.service").write_text("[Service]\nExecStart=/bin/true\nRestartSec=soon\nRestart=maybe\n")
    (unit,) = notation.unit_files(tmp_path / "app.service")
    assert (unit.limit, unit.policy, unit.pauses, unit.on_failure) == (StartLimit(5, 10), None, None, "")


def test_a_limit_of_infinity_has_no_end_that_matters(tmp_path):
    (tmp_path / "app.service").write_text("[Unit]\nStartLimitIntervalSec=infinity\n")
    (unit,) = notation.unit_files(tmp_path / "app.service")
    assert 86_400 * 365 < unit.limit.interval_s < math.inf


def test_a_directory_gives_the_services_in_it(tmp_path):
    (tmp_path / "app.service").write_text(UNIT)
    (tmp_path / "web.service").write_text("[Service]\nRestart=always\n")
    (tmp_path / "app.timer").write_text("[Timer]\n")
    assert [unit.unit for unit in notation.unit_files(tmp_path)] == ["app.service", "web.service"]


@pytest.mark.parametrize("make", [lambda path: path / "missing.service", lambda path: path])
def test_what_is_not_a_unit_file_is_named(tmp_path, make):
    with pytest.raises(UsageError, match="unit file"):
        notation.unit_files(make(tmp_path))


def test_what_the_user_gives_takes_the_place_of_what_is_shipped():
    own = Asked(rules=(), limits=(StartLimit(7, 70),), sources={"limit": "--limit"})
    asked = with_own(shipped(), own)
    assert (asked.rules, asked.limits, asked.stacked) == ((), (StartLimit(7, 70),), (StartLimit(7, 70),))
    assert asked.polls == shipped().polls
    assert (asked.source("limit"), asked.source("poll")) == ("--limit", "shipped")
