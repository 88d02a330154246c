"""Captured values are hostile and may be secret: only harmless ones get into a command that a person will run."""

import pytest

from forensics.model.values import Signature
from forensics.sanitize import filled, for_unit

BUSY = Signature(
    "port.conflict", "Port taken", "high", cause="Port {port|PORT} is taken.", remedy="`ss -ltnp 'sport = :{port|PORT}'`, {name|X}."
)


def test_a_captured_value_takes_the_place_of_its_word():
    found = filled(BUSY, {"port": "5000", "other": "1"}, "bind to 5000 failed")
    assert (found.cause, found.remedy) == ("Port 5000 is taken.", "`ss -ltnp 'sport = :5000'`, X.")


def test_without_captured_values_the_words_stand():
    assert filled(BUSY).cause == "Port PORT is taken."


@pytest.mark.parametrize(
    "value",
    [
        "",
        "5000'; reboot",
        "$(reboot)",
        "`reboot`",
        "a b",
        "5\n6",
        "--all",
        "<b>",
        "\u202e5000",
        "x" * 201,
        "{name|Y}",
        "a&b",
        "*",
        "a|b",
        '"',
    ],
)
def test_a_value_that_a_shell_or_a_page_could_read_is_not_filled_in(value):
    assert filled(BUSY, {"port": value}, value).cause == "Port PORT is taken."


@pytest.mark.parametrize("text", ["password=hunter2hunter2", "GET /?token=hunter2hunter2 failed"])
def test_a_secret_is_not_filled_in(text):
    assert filled(BUSY, {"port": "hunter2hunter2"}, text).cause == "Port PORT is taken."


def test_the_full_stop_of_a_sentence_is_not_part_of_the_value():
    assert filled(BUSY, {"port": "/srv/a.sock."}, "cannot bind /srv/a.sock.").cause == "Port /srv/a.sock is taken."


@pytest.mark.parametrize(
    ("unit", "command"),
    [("nginx.service", "`systemctl cat nginx.service`"), ("", "`systemctl cat UNIT`"), ("a;reboot.service", "`systemctl cat UNIT`")],
)
def test_the_name_of_the_unit_stands_in_its_commands(unit, command):
    assert for_unit("`systemctl cat UNIT`", unit) == command
