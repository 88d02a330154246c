"""`generate model-ladder` writes profiles that `ladder choose` reads, and a drop-in that systemd accepts."""

import shutil
import subprocess

import pytest
import tree_sitter_nix
from tree_sitter import Language, Parser

from forensics.guard.ladder.profiles import GIB, read_ladder
from tests.cli.running import assert_one_sentence, run

PROFILES = ("--profile", "14b:10.5:MODEL=qwen 14b,SPLIT=5,5", "--profile", '70b:20+24:MODEL=a"b$c%d,SPLIT=20,24')


def generate(folder, *more):
    return run("generate", "model-ladder", "--unit", "app", *PROFILES, "--program", "/usr/bin/tabby-forensics", *more, "-o", str(folder))


def test_what_is_written_is_what_was_asked_for(tmp_path):
    done = generate(tmp_path, "--gpu", "1", "--gpu", "0")
    assert done.returncode == 0, done.stderr
    ladder = read_ladder(tmp_path / "app.service.toml")
    assert ladder.gpus == (1, 0)
    assert [profile.needs for profile in ladder.profiles] == [(20 * GIB, 24 * GIB), (10 * GIB + GIB // 2,)]
    assert ladder.profiles[0].environment == {"MODEL": 'a"b$c%d', "SPLIT": "20,24"}
    assert ladder.profiles[1].environment == {"MODEL": "qwen 14b", "SPLIT": "5,5"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("more", [(), ("--user",)])
def test_systemd_accepts_the_drop_in(tmp_path, more):
    assert generate(tmp_path, *more).returncode == 0
    drop_in = (tmp_path / "app-ladder.conf").read_text().replace("/usr/bin/tabby-forensics", "/usr/bin/true")
    unit = tmp_path / "app.service"
    unit.write_text(f"{drop_in}ExecStart=/usr/bin/true\n")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], check=False, capture_output=True, text=True)
    assert "app.service" not in done.stderr
    assert (" --user %n" in drop_in, "ExecStartPre=-+/" in drop_in) == (bool(more), not more)


@pytest.mark.parametrize("more", [(), ("--user",)])
def test_the_module_for_nixos_is_nix(tmp_path, more):
    odd = ("--profile", "b:4:MODEL=''${x}\"\\,SPLIT=1")
    assert generate(tmp_path, "--nix", *odd, *more).returncode == 0
    text = (tmp_path / "app-ladder.nix").read_text()
    tree = Parser(Language(tree_sitter_nix.language())).parse(text.encode())
    assert not tree.root_node.has_error
    assert "MODEL = \"'''''${x}" in text
    assert f'"-{"%t" if more else "/run"}/tabby-forensics/ladder/%n.env"' in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--profile", "70b"), "expected NAME:GIB"),
        (("--profile", "70b:1.2.3"), "'1.2.3' is not a number of GiB"),
        (("--profile", "70b:4:lower"), "'lower' is not KEY=VALUE"),
        (("--profile", "70b:0"), "profile[0].gib: must be the GiB"),
        (("--profile", "a:4:A=1", "--profile", "b:8:B=1"), "must set the same variables"),
        (("--profile", "a:4+4", "--gpu", "0"), "must have a number for each of the 1 GPUs"),
        (("--profile", "a:4", "--profile", "a:8"), "another profile has this name"),
        (("--profile", "a:4", "--program", "tabby"), "needs the full path"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, words):
    more = () if "--program" in arguments else ("--program", "/x")
    assert_one_sentence(run("generate", "model-ladder", "--unit", "app.service", *arguments, *more), 2, words)


def test_the_name_of_the_unit_must_be_one():
    assert_one_sentence(
        run("generate", "model-ladder", "--unit", "a/b", "--profile", "a:4", "--program", "/x"), 2, "not the name of a service"
    )
