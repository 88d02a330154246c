"""Unit files and drop-ins: which settings are in effect."""

import math
import re
import shutil
import subprocess

import pytest

from forensics.unit_file import drop_in_directories, parse_units, read_units, seconds

UNIT = """\
# [Service]
[Unit]
Description = a server
StartLimitInterval=1min
[Service]
; Restart=no
Restart=on-failure
ExecStartPre=/bin/one \\
# a comment between
  --flag
ExecStartPre=-/bin/two
Environment="A=b=c"
no assignment
"""
DROP_IN = "[Service]\nRestart=always\nExecStartPre=\nExecStartPre=/bin/three\n"


@pytest.mark.parametrize(
    ("texts", "setting", "values"),
    [
        ([UNIT], "Restart", ("on-failure",)),
        ([UNIT], "ExecStartPre", ("/bin/one    --flag", "-/bin/two")),
        ([UNIT], "StartLimitIntervalSec", ("1min",)),  # its name until systemd 230
        ([UNIT], "Environment", ('"A=b=c"',)),
        ([UNIT, DROP_IN], "Restart", ("on-failure", "always")),
        ([UNIT, DROP_IN], "ExecStartPre", ("/bin/three",)),
        ([UNIT, "[Service]\nExecStartPre=\n"], "ExecStartPre", ()),
        ([UNIT], "no assignment", ()),
    ],
)
def test_the_settings_in_effect(texts, setting, values):
    settings = parse_units("a.service", [(f"{number}.conf", text) for number, text in enumerate(texts)])
    assert settings.every(setting) == values
    assert settings.last(setting) == (values[-1] if values else "")


def test_which_directories_of_drop_ins_a_unit_has():
    assert drop_in_directories("app-web@1.service") == ("app-web@1.service.d", "app-web@.service.d", "app-.service.d", "service.d")


def test_the_file_that_wins_and_the_order_of_drop_ins(tmp_path):
    for name, text in {
        "usr/lib/systemd/system/app@.service": "[Service]\nRestart=no\nType=notify\n",
        "etc/systemd/system/app@.service": "[Service]\nRestart=always\n",
        "etc/systemd/system/app@.service.d/10-a.conf": "[Service]\nRestartSec=1\nNice=1\n",
        "usr/lib/systemd/system/app@1.service.d/20-b.conf": "[Service]\nRestartSec=2\n",
        "etc/systemd/system/app@1.service.d/10-a.conf": "[Service]\nRestartSec=3\n",
        "etc/systemd/system/multi-user.target.wants/other.service": "[Service]\nRestart=no\n",
        "etc/systemd/system/app.timer": "[Timer]\nOnBootSec=1\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    units = read_units(tmp_path)
    assert sorted(units) == ["app.timer", "app@.service", "app@1.service"]
    instance = units["app@1.service"]
    assert [instance.last(name) for name in ("Restart", "Type", "RestartSec", "Nice")] == ["always", "", "2", ""]
    assert [file.removeprefix(f"{tmp_path}/") for file in instance.files] == [
        "etc/systemd/system/app@.service",
        "etc/systemd/system/app@1.service.d/10-a.conf",
        "usr/lib/systemd/system/app@1.service.d/20-b.conf",
    ]


def test_a_masked_unit_has_no_settings(tmp_path):
    (tmp_path / "app.service").symlink_to("/dev/null")
    assert read_units(tmp_path)["app.service"].values == {}


SPANS = ("5min 20s", "10", "1h30min", "2.5s", "500ms", "1w 2d", "1M", "1y", "3 hours", "250us", ".5s", "0")


@pytest.mark.real
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_a_time_span_is_what_systemd_takes_it_for():
    shown = subprocess.run(["systemd-analyze", "timespan", *SPANS], capture_output=True, text=True, check=True).stdout
    microseconds = [int(number) for number in re.findall(r"μs: (\d+)", shown)]
    assert [round(seconds(span) * 1e6) for span in SPANS] == microseconds


@pytest.mark.parametrize(
    ("text", "expected"), [("infinity", math.inf), ("", None), ("5 parsecs", None), ("-5s", None), ("1..2s", None), ("5.", None)]
)
def test_spans_that_are_none_or_endless(text, expected):
    assert seconds(text) == expected
