"""`explain` on the command line: its JSON, its exit codes, its redaction."""

import json

import pytest

from tests.cli.running import assert_one_sentence, run

KEYS = [
    "signature",
    "title",
    "severity",
    "restart_helps",
    "restart_helps_when",
    "deciding",
    "why",
    "captures",
    "secondary",
    "like",
    "candidates",
    "format",
    "lines",
    "redacted",
]
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB. token=hunter2hunter2\n"


def explained(text, *arguments):
    result = run("explain", "--format", "json", "-", *arguments, input=text)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_json_has_the_keys_of_the_contract():
    found = explained(OOM)
    assert list(found) == KEYS
    assert (found["signature"], found["restart_helps"], found["deciding"]["line"]) == ("gpu.vram-exhausted", True, 1)
    assert "gpu.vram-exhausted" in found["why"]
    assert found["like"] == []


def test_nothing_failed_is_null():
    assert explained("all is well\n") == {
        **dict.fromkeys(["signature", "title", "severity", "restart_helps", "restart_helps_when", "deciding"]),
        "why": "", "captures": {}, "secondary": [], "like": [], "candidates": [], "format": "plain text", "lines": 1, "redacted": True,
    }  # fmt: skip


def test_an_unknown_failure_names_the_most_similar_ones():
    found = explained("ERROR: the flux coil could not be polarised from the north pole\n")
    assert found["signature"].startswith("mined:")
    assert all(0.5 <= like["score"] <= 1 for like in found["like"])


def test_the_candidates_show_why_the_winner_won():
    found = explained("ERROR: no route to the widget\nERROR: giving up\n")
    first, second = found["candidates"]
    assert (first["line"], second["line"], first["signature"]) == (1, 2, None)
    assert first["points"] > second["points"]
    assert set(first["reasons"]) <= set(found["why"].split("; "))
    assert "announces the end" in second["reasons"]


def test_the_terminal_shows_the_other_candidates_when_asked():
    text = "ERROR: no route to the widget\nERROR: giving up\n"
    assert "announces the end" not in run("explain", "-", input=text).stdout
    assert "announces the end" in run("explain", "-", "--verbose", input=text).stdout


def test_a_text_that_is_not_understood_is_not_called_fine():
    assert run("explain", "-", input="all is well\n").stdout == "No failure recognised in 1 line of plain text.\n"
    quiet = "Nov 23 08:00:00 box systemd[1]: Started app.service - App.\nNov 23 08:00:01 box app[7]: INFO: ready\n"
    assert run("explain", "-", input=quiet).stdout == "Nothing failed in this text.\n"


def test_secrets_are_pseudonyms_unless_asked_for():
    assert "hunter2" not in explained(OOM)["deciding"]["text"]
    assert "hunter2" in explained(OOM, "--no-redact")["deciding"]["text"]


def test_the_terminal_shows_line_reason_and_remedy():
    result = run("explain", "-", input=OOM)
    assert "gpu.vram-exhausted" in result.stdout
    assert "Restart helps  yes, once the memory is free" in result.stdout
    assert "Remedy" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "text", "code", "words"),
    [
        (["/nowhere.log"], "", 2, ["/nowhere.log"]),
        (["-", "--format", "pdf"], "x", 2, ["'pdf'"]),
        (["/"], "", 2, ["directory"]),
        (["-"], " \n", 6, ["no text"]),
    ],
)
def test_bad_input_gets_one_sentence(arguments, text, code, words):
    assert_one_sentence(run("explain", *arguments, input=text), code, *words)


def test_a_failure_is_a_finding_when_asked_for():
    assert run("explain", "-", "--exit-code", input=OOM).returncode == 3
    assert run("explain", "-", "--exit-code", input="all is well\n").returncode == 0


def test_help_does_not_import_scikit_learn():
    import subprocess
    import sys

    code = (
        "import sys; from forensics.cli import explain, parse; from forensics.signatures import catalogue, likeness; "
        "print('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_a_pattern_file_with_a_mistake_is_named_and_skipped(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "bad.toml").write_text('id = "app.bad"\nseverity = "dire"\n')
    result = run("explain", "-", "--patterns", str(tmp_path), input=OOM)
    assert_one_sentence(result, 0, "skipped patterns:", "bad.toml:2: severity: must be one of critical", "bad.toml: title: is missing")
    assert "gpu.vram-exhausted" in result.stdout
