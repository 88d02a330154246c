"""`fleet` reads what hosts wrote with `report`, shows it in four formats, and ends as its options ask."""

import json
import os

import pytest

from tests.cli.running import assert_one_sentence, run
from tests.fleet.making import failed_text, host_name, machine_id, well

NOW = {"SOURCE_DATE_EPOCH": "1766145600", "PATH": "/usr/bin:/bin", "COLUMNS": "110", "TZ": "UTC"}  # a day after the golden report


@pytest.fixture
def inbox(tmp_path):
    """Reports of two hosts that failed alike and of one that is well."""
    for number in (1, 2):
        (tmp_path / f"{host_name(number)}").mkdir()
        (tmp_path / f"{host_name(number)}/report.json").write_text(failed_text(number))
    (tmp_path / "well.json").write_text(json.dumps(well(3)))
    return tmp_path


def fleet(*arguments, **environment):
    return run("fleet", *map(str, arguments), env={**NOW, **environment})


def test_the_json_counts_hosts_classes_and_what_is_missing(inbox):
    (inbox / "cut.json").write_text(failed_text(4)[:500])
    (inbox / "hosts").write_text(f"# ours\n{host_name(1)}\n{machine_id(2)}\n{host_name(3)}\n\ngpu0009  # in repair\n")
    result = fleet(inbox, "--format", "json", "--expect", inbox / "hosts")
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["schema_version"], found["kind"], found["lower_bounds"]) == (1, "fleet", True)
    assert found["totals"] == {
        "hosts": 3, "failed": 2, "still_down": 0, "failures": 2 * 13_982, "restarts": 2 * 13_979, "downtime_s": 2 * 354_120,
    }  # fmt: skip
    assert {(row["signature"], row["hosts"]) for row in found["classes"]} >= {("torch.abi-mismatch", 2), ("port.conflict", 2)}
    assert found["doubts"]["missing"] == ["gpu0009"]
    assert found["doubts"]["old"] == []
    assert [each["file"] for each in found["unread"]] == [str(inbox / "cut.json")]
    assert [host["host"] for host in found["hosts"] if not host["failures"]] == [host_name(3)]


def test_a_report_is_old_from_the_age_that_is_named(inbox):
    shown = json.loads(fleet(inbox, "--format", "json", "--old", "20h").stdout)
    assert shown["doubts"]["old"] == [host_name(1), host_name(2), host_name(3)]


@pytest.mark.parametrize("suffix", ["html", "md", "txt", "json"])
def test_the_suffix_of_the_output_is_its_format(suffix, inbox):
    result = fleet(inbox, "-o", inbox / f"page.{suffix}")
    assert result.returncode == 0, result.stderr
    text = (inbox / f"page.{suffix}").read_text()
    assert text.startswith({"html": "<!doctype html>", "json": "{", "md": "#"}.get(suffix, ""))
    assert "gpu0001" in text


def test_the_same_files_give_the_same_bytes(inbox):
    assert fleet(inbox).stdout == fleet(inbox / "well.json", inbox).stdout != ""


def test_the_exit_code_is_3_where_something_failed_or_is_missing(inbox):
    (inbox / "hosts").write_text("gpu0009\n")
    assert fleet(inbox, "--exit-code").returncode == 3
    assert fleet(inbox / "well.json", "--exit-code").returncode == 0
    assert fleet(inbox / "well.json", "--exit-code", "--expect", inbox / "hosts").returncode == 3


def test_no_report_is_one_sentence(inbox):
    (inbox / "empty").mkdir()
    (inbox / "junk.json").write_text("junk")
    (inbox / "list").write_bytes(b"\xff\xfe")
    assert_one_sentence(fleet(inbox / "empty"), 6, "There is no report in", "empty'", "`tabby-forensics report -o report.json`")
    assert_one_sentence(fleet(inbox / "junk.json"), 6, "is the report of a host", "junk.json' is not JSON")
    assert_one_sentence(fleet(inbox / "none"), 2, "none' does not exist.")
    assert_one_sentence(fleet(inbox, "--expect", inbox / "list"), 2, "--expect", "is not text")
    assert_one_sentence(fleet(inbox, "--expect", inbox / "no"), 2, "--expect", "cannot be read")
    assert_one_sentence(fleet(inbox, "--old", "soon"), 2, "--old soon")
    assert_one_sentence(fleet(inbox, "--format", "yaml"), 2, "yaml")


def test_hostile_text_reaches_no_output(inbox):
    (inbox / os.fsdecode(b"\xff\x1b]0;x\x07.json")).write_text("junk")
    (inbox / "hosts").write_text("gpu\u202e9\n")
    text = failed_text(5).replace("The port is already in use", "\\u001b]0;x\\u0007<script>alert(1)</script>\\u202e")
    (inbox / "hostile.json").write_text(text)
    shown = [fleet(inbox, "--expect", inbox / "hosts", "--format", name) for name in ("term", "html", "md", "json")]
    outputs = [each.stdout for each in shown]
    assert [(each.returncode, each.stderr) for each in shown] == [(0, "")] * 4
    assert all(character not in output for output in outputs for character in "\x1b\x07\u202e")
    assert "<script>alert" not in outputs[1]


def test_a_secret_of_a_report_that_was_not_redacted_reaches_no_output(inbox):
    token = "ghp_" + "k3J9xQ2mV7bN4tR8wZ1cL6pD5sF0gH2yA3eU"
    (inbox / "raw.json").write_text(failed_text(5).replace("systemctl restart tabbyapi", f"curl -H 'Authorization: Bearer {token}' x"))
    for name in ("term", "html", "md", "json"):
        assert token not in fleet(inbox, "--format", name).stdout
        assert name != "json" or token in fleet(inbox, "--format", name, "--no-redact").stdout
