"""config.toml has the defaults of options: what it may say, where it counts, and what is wrong with it."""

import os
import re
from pathlib import Path

import pytest
import typer

from forensics.cli import config_file, output
from forensics.cli.app import app
from forensics.errors import UsageError
from tests.cli.running import assert_one_sentence, run
from tests.cli_options import command_options

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = typer.main.get_command(app)


@pytest.fixture
def host(tmp_path, monkeypatch):
    """The folders of the host's and the user's configuration: (write the host's, write the user's)."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    files = (tmp_path / "etc.toml", tmp_path / "user.toml")
    monkeypatch.setattr(config_file, "config_files", lambda: files)
    return files


def parsed(*words):
    """Parse a command line without running it: the parameters of its last command. `|` stands between a group's words and a command's."""
    context, command = typer.Context(COMMANDS, info_name="tabby-forensics"), COMMANDS
    for part in " ".join(words).split(" | "):
        name, *rest = part.split()
        command = command.commands[name]
        context = command.make_context(name, [*rest, "x"] if isinstance(command, typer.core.TyperGroup) else rest, parent=context)
    output.be_quiet(False)
    return context.params


def test_the_users_file_counts_before_the_hosts_and_the_command_line_before_both(host):
    host[0].write_text('tz = "UTC"\nstore = "/srv/store"\n[report]\nsince = "30d"\nunit = ["a"]\n')
    host[1].write_text('store = "~/mine"\n[report]\nunit = ["b", "c*"]\nfigures = false\nformat = "json"\n')
    found = parsed("report", "--format", "md")
    assert (found["tz"], found["store"], found["since"]) == ("UTC", Path.home() / "mine", "30d")
    assert (found["unit"], found["figures"], found["format_"]) == (["b", "c*"], False, "md")
    assert parsed("report", "--unit", "d", "--figures")["unit"] == ["d"]
    assert parsed("report", "--unit", "d", "--figures")["figures"] is True


@pytest.mark.parametrize(
    ("written", "expected"), [("true", "previous"), ("false", None), ('"/srv/earlier.json"', "/srv/earlier.json"), ("absent", None)]
)
def test_what_to_compare_with_is_a_file_or_the_window_before(host, written, expected):
    host[1].write_text("" if written == "absent" else f"[report]\ncompare = {written}\n")
    assert parsed("report")["compare"] == expected


def test_no_config_ignores_it_wherever_it_is_given(host):
    host[1].write_text('store = "/srv/store"\n[report]\nsince = "nonsense"\n')
    assert parsed("report", "--unit", "a", "--no-config")["store"] is None


def test_what_is_of_report_does_not_change_other_commands(host):
    host[1].write_text('store = "/srv/store"\n[report]\nsince = "30d"\nformat = "html"\n')
    found = parsed("replay")
    assert (found["store"], found["since"]) == (Path("/srv/store"), None)
    assert parsed("patterns | show a.b")["format_"] == "term"
    assert parsed("ingest")["store"] == Path("/srv/store")


def test_a_groups_option_counts_before_the_file_for_its_commands_too(host):
    host[1].write_text('store = "/srv/store"\n')
    assert parsed("classes --store /else | rename a b")["store"] is None  # so that the group's counts
    assert parsed("classes --store /else")["store"] == Path("/else")


def test_commands_that_number_incidents_read_what_report_reads(host):
    host[1].write_text('[report]\nsince = "30d"\nunit = "a"\nformat = "html"\n')
    assert config_file.defaults_of("incidents") == {"since": "30d", "unit": ["a"]}


def test_every_mistake_has_its_line(host):
    host[0].write_text('tz = "Mars"\ncolour = "red"\n')
    host[1].write_text('patterns = ["/nowhere"]\nstore = "here"\n\n[report]\nsince = "x"\nformat = "pdf"\nfigures = "no"\nunit = []\n')
    with pytest.raises(UsageError) as error:
        config_file.read_defaults(host)
    shown = str(error.value)
    assert shown.startswith("8 mistakes in the configuration:")
    assert sorted(int(line) for line in re.findall(r"user\.toml:(\d+)", shown)) == [1, 2, 5, 6, 7, 8]
    assert sorted(int(line) for line in re.findall(r"etc\.toml:(\d+)", shown)) == [1, 2]
    assert "user.toml:5: report.since: is not a time" in shown
    assert "--no-config" in shown


def test_a_file_with_mistakes_ends_the_command_before_it_does_anything(tmp_path):
    (tmp_path / "tabby-forensics").mkdir()
    (tmp_path / "tabby-forensics" / "config.toml").write_text("[report]\nsince = 30\n")
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    assert_one_sentence(run("report", "--store", str(tmp_path / "store"), env=environment), 2, "config.toml:2: report.since")
    assert_one_sentence(run("explain", "-", env=environment), 2, "config.toml:2")
    assert run("report", "--help", env=environment).returncode == 0
    assert not (tmp_path / "store").exists()


def test_every_key_is_documented():
    (block,) = re.findall(
        r"```toml\n(# ~/.config/tabby-forensics/config.toml\n.*?)```", (ROOT / "docs/configuration.md").read_text(), re.DOTALL
    )
    head, _, report = block.partition("[report]")
    assert set(re.findall(r"^([a-z-]+) +=", head, re.MULTILINE)) == set(config_file.COMMON)
    assert set(re.findall(r"^([a-z-]+) +=", report, re.MULTILINE)) == set(config_file.REPORT)


def test_every_command_can_be_quiet_and_ignore_the_file_where_it_has_a_default():
    for name, options in command_options().items():
        assert "--quiet" in options, name
        assert ("--no-config" in options) == bool({"--store", "--tz", "--patterns"} & options), name


def test_quiet_shows_errors_only(tmp_path):
    made = run("generate", "dashboard", "-o", str(tmp_path / "d.json"))
    assert "wrote" in made.stderr
    made = run("generate", "dashboard", "-o", str(tmp_path / "d.json"), "--quiet")
    assert (made.returncode, made.stderr) == (0, "")
    assert_one_sentence(run("patterns", "show", "nothing", "-q"), 2, "nothing")
    assert "wrote" in run("generate", "dashboard", "-o", str(tmp_path / "d.json")).stderr  # and not for good
