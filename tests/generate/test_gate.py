"""The drop-in of the gate: what was proven, how it calls the program, and which units get none."""

import re

import pytest
import tree_sitter_nix
from tree_sitter import Language, Parser

from forensics.errors import UnprovenError, UsageError
from forensics.generate import gate
from forensics.generate.gate import Guarded, Wanted, advice, drop_in, guarded, nix_module, refusal, special, unproven
from forensics.policy.breaker import Limits
from tests.cli.running import run

WANTED = Wanted("/usr/bin/tabby-forensics", Limits(), is_here=False)
UNIT = "tabbyapi.service"
USUAL = {
    "LoadState": "loaded",
    "Restart": "on-failure",
    "Type": "simple",
    "TimeoutStopUSec": "1min 30s",
    "RestartMode": "",
    "ExecStopPost": "",
    "TriggeredBy": "",
}


@pytest.fixture(scope="module")
def gates(basis):
    return guarded(basis, WANTED)[0]


def words(text):
    return " ".join(text.replace("\n#", " ").split())


def test_each_unit_with_an_incident_gets_one_that_says_what_was_replayed(basis, gates):
    assert [one.unit for one in gates] == list(basis.units)
    text = words("\n# ".join(next(one for one in gates if any("restart loop" in line for line in one.lines)).lines))
    assert re.search(r"it would have stopped the loop at T\+[\d. a-z]+; [\d,]+ of [\d,]+ restarts? avoided|it would not have acted", text)


def test_the_drop_in_cannot_hurt_the_unit():
    line = drop_in(Guarded(UNIT, "system", ("Gate.",)), WANTED).splitlines()
    command = next(one for one in line if one.startswith("ExecStopPost="))
    assert command.startswith("ExecStopPost=-+/usr/bin/env -i PATH=")  # failures are ignored, its own rights, a clean environment
    assert "/usr/bin/timeout --kill-after=2 25 /usr/bin/tabby-forensics gate note %n" in command


@pytest.mark.parametrize(
    ("manager", "wanted", "expected", "reason"),
    [
        ("system", WANTED, "gate note %n", "the usual numbers are the program's own"),
        (
            "system",
            Wanted("/p", Limits(2, 4, 60.0, 120.0, 30.0)),
            "gate note --futile 2 --any 4 --cooldown 60 --most 120 --held 30 %n",
            "others",
        ),
        (
            "user:1000",
            WANTED,
            "XDG_RUNTIME_DIR=%t /usr/bin/timeout --kill-after=2 25 /usr/bin/tabby-forensics gate note --user %n",
            "a user's",
        ),
        ("system", Wanted("/opt/100%/p", Limits()), "/opt/100%%/p gate note", "a percent sign begins a specifier"),
    ],
)
def test_it_calls_the_program(manager, wanted, expected, reason):
    assert expected in drop_in(Guarded(UNIT, manager, ()), wanted), reason


@pytest.mark.parametrize(
    ("pager", "version", "lines"),
    [
        ("", 252, ["# [Unit]", "# OnFailure=page@%N.service"]),
        ("page@%N.service", 252, ["[Unit]", "OnFailure=page@%N.service"]),
        ("", 257, ["# RestartMode=direct"]),
        ("page@%N.service", 257, ["RestartMode=direct"]),
        ("page@%N.service", None, ["RestartMode=direct"]),
    ],
)
def test_on_failure_fires_once_in_every_version(pager, version, lines):
    text = drop_in(Guarded(UNIT, "system", (), version), Wanted("/p", Limits(), pager))
    assert set(lines) <= set(text.splitlines())
    assert ("RestartMode" in text) == (version != 252)


def test_the_module_for_nixos_is_nix(gates):
    text = nix_module([*gates, Guarded("a@b.service", "user:1000", ())], Wanted("/p", Limits(), "page@%N.service"))
    tree = Parser(Language(tree_sitter_nix.language())).parse(text.encode())
    assert not tree.root_node.has_error
    assert 'systemd.user.services."a@b"' in text
    assert "lib.mkAfter" in text


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        ({**USUAL, "Restart": "no"}, "has no Restart="),
        ({**USUAL, "Restart": ""}, "has no Restart="),
        ({**USUAL, "LoadState": "masked"}, "is masked"),
    ],
)
def test_where_a_gate_could_do_nothing_there_is_none(shown, reason):
    assert reason in refusal(UNIT, shown)


@pytest.mark.parametrize(("version", "refused"), [(219, True), (235, True), (236, False), (252, False), (257, False), (None, False)])
def test_a_systemd_that_is_too_old_is_named(version, refused):
    assert ("236 is the oldest" in refusal(UNIT, USUAL, version)) is refused


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ({**USUAL, "TimeoutStopUSec": "2s"}, "TimeoutStopSec=2s leaves too little time"),
        ({**USUAL, "Type": "oneshot"}, "never active"),
        ({**USUAL, "ExecStopPost": "{ path=/usr/bin/env ; argv[]=… gate note x }"}, "calls a gate already"),
        ({**USUAL, "ExecStopPost": "{ path=/bin/clean ; argv[]=/bin/clean ; ignore_errors=no }"}, "put `-` before it"),
        ({**USUAL, "TriggeredBy": "tabbyapi.socket"}, "what tabbyapi.socket starts is no restart"),
        ({**USUAL, "LoadState": "not-found"}, "is not on this host"),
        (None, "is not on this host"),
    ],
)
def test_what_is_special_about_a_unit_is_said(shown, sentence):
    assert refusal(UNIT, shown) == ""
    assert sentence in " ".join(special(UNIT, shown))


@pytest.mark.parametrize("timeout", ["1min 30s", "infinity", "5s"])
def test_a_usual_unit_has_nothing_special(timeout):
    assert list(special(UNIT, {**USUAL, "TimeoutStopUSec": timeout})) == []


def test_the_advice_names_the_users_commands():
    text = " ".join(advice(UNIT, "user:1000", None, WANTED))
    assert "systemctl --user daemon-reload" in text
    assert "gate status --user tabbyapi.service" in text
    assert "~/.config/systemd/user/tabbyapi.service.d/60-gate.conf" in text


def test_a_unit_without_a_history_gets_one_that_says_so(monkeypatch):
    monkeypatch.setattr(gate, "properties", lambda *_: USUAL)
    text = words("\n# ".join(unproven(UNIT, "this history has no incident of the unit.", WANTED).lines))
    assert "Nothing was replayed: this history has no incident of the unit." in text
    monkeypatch.setattr(gate, "properties", lambda *_: {**USUAL, "Restart": "no"})
    with pytest.raises(UnprovenError, match="no restarts"):
        unproven(UNIT, "", WANTED)
    monkeypatch.setattr(gate, "properties", lambda *_: {**USUAL, "LoadState": "not-found"})
    with pytest.raises(UsageError, match="not on this host"):
        unproven(UNIT, "", WANTED)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cooldown", "soon"], "--cooldown soon: must be from"),
        (["--held", "0"], "--held 0: must be from"),
        (["--program", "tabby-forensics"], "full path"),
        (["--on-failure", "two words"], "not the name of a unit"),
    ],
)
def test_mistakes_are_named(arguments, message):
    done = run("generate", "gate", *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
