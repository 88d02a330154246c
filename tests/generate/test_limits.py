"""A generated start limit is reached by each class's cycle, refuses nothing in quiet times, and real systemd and Nix accept it."""

import re
import shutil
import subprocess

import pytest
import tree_sitter
import tree_sitter_nix

from forensics.generate.basis import basis_of
from forensics.generate.limit_files import drop_ins, find_limits, nix_file
from forensics.generate.limits import BURSTS, MARGIN, Cycle, Limit, candidates, drop_in_text, slowest_cycle
from forensics.unit_file import parse_units
from tests.generate.history import UNIT, day, investigated

NIX = tree_sitter.Parser(tree_sitter.Language(tree_sitter_nix.language()))
SERVICE = "[Service]\nExecStart=/usr/bin/true\nRestart=always\nRestartSec=10\n"


@pytest.fixture(scope="module")
def limited(basis):
    return find_limits(basis)


def settings(text):
    unit = parse_units(UNIT, [("x", SERVICE), ("drop-in", text)])
    return unit.last("StartLimitIntervalSec"), unit.last("StartLimitBurst")


def comments(text):
    return " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))


def test_the_limit_is_reached_with_a_margin_and_refuses_nothing_in_quiet_times(limited, basis):
    proof = limited.proven[UNIT]
    cycle = slowest_cycle(basis.of(UNIT))
    assert limited.refused == ()
    assert (proof.limit.burst, proof.limit.interval_s) == (5, 300)
    assert MARGIN * proof.limit.burst * cycle.seconds <= proof.limit.interval_s
    assert proof.refusals_outside == 0
    assert proof.rows[basis.of(UNIT)[0].id].after_s == pytest.approx(5 * 13.0, abs=1)


def test_the_drop_in_sets_two_settings_and_says_how_to_start_the_unit_again(limited, basis):
    ((name, text),) = drop_ins(basis, limited.proven).items()
    assert name == "tabby-start-limit.conf"
    assert settings(text) == ("300", "5")
    assert re.findall(r"^[^#\n].*", text, re.MULTILINE) == ["[Unit]", "StartLimitIntervalSec=300", "StartLimitBurst=5"]
    for words in (
        "systemctl reset-failed tabby.service",
        "/etc/systemd/system/tabby.service.d/50-start-limit.conf",
        "the slowest cycle is 13 s",
        "it acts at T+1 min 5 s, 35 of 39 restarts would not have happened",
        "In quiet times of this history it refuses 0 starts.",
        "Restart= and RestartSec= stay as they are",
    ):
        assert words in comments(text)


@pytest.mark.real
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_verifies_the_unit_with_its_drop_in_without_a_warning(limited, basis, tmp_path):
    (tmp_path / UNIT).write_text(SERVICE)
    (tmp_path / f"{UNIT}.d").mkdir()
    (text,) = drop_ins(basis, limited.proven).values()
    (tmp_path / f"{UNIT}.d" / "50-start-limit.conf").write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / UNIT)], capture_output=True, text=True, check=False)
    assert UNIT not in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("unit", [UNIT, "job@.service", r"dev-by\x2dlabel.service"])
def test_the_module_is_nix_and_has_both_settings(limited, basis, unit):
    from dataclasses import replace

    proof = replace(limited.proven[UNIT], limit=replace(limited.proven[UNIT].limit, unit=unit))
    text = nix_file(basis, {unit: proof})
    assert not NIX.parse(text.encode()).root_node.has_error
    assert "startLimitIntervalSec = 300;" in text
    assert "startLimitBurst = 5;" in text
    assert "systemctl reset-failed" in comments(text)


def test_the_limit_of_a_users_unit_is_written_for_the_users_manager():
    from forensics.generate.limits import instructions, nix_text

    limit = Limit("llama.service", "user:1000", 5, 300)
    assert "systemd.user.services" in nix_text("", [limit])
    assert "systemctl --user reset-failed llama.service" in " ".join(instructions(limit))
    assert "~/.config/systemd/user/llama.service.d/" in " ".join(instructions(limit))


@pytest.mark.parametrize("seconds", [0.2, 5.0, 13.0, 49.4, 151.0, 900.0])
def test_every_candidate_is_reached_with_the_margin(seconds):
    limits = candidates(UNIT, "system", Cycle(seconds, "x"))
    assert [limit.burst for limit in limits] == [burst for burst in BURSTS if MARGIN * burst * seconds <= 86400]
    assert all(MARGIN * limit.burst * seconds <= limit.interval_s for limit in limits)


def test_the_drop_in_is_the_same_for_every_limit():
    assert drop_in_text("# x\n", Limit(UNIT, "system", 5, 600)) == "# x\n[Unit]\nStartLimitIntervalSec=600\nStartLimitBurst=5\n"


def test_a_unit_without_a_loop_needs_no_limit(tmp_path):
    limited = find_limits(basis_of(investigated(tmp_path, day(loop=0, isolated=5, quiet_s=3000.0))))
    assert limited.proven == {}
    assert limited.refused == (f"{UNIT} was in no restart loop with a known cycle",)
