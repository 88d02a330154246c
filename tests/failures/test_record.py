"""The recorder of real failures: what it keeps of a journal, what it refuses, and one recording in a lab."""

import pytest

from fixtures.failures.case import Program, Way, unit
from fixtures.failures.record import FEWEST_LINES, MOST_LINES, _shortened, fault_of, record, with_truth
from fixtures.failures.systems import SYSTEM, _script
from tests.lab.systemd import why_not

WAY = Way("refused", "it ends at once", accept=("exit:*",), line=("cannot go on", "status=3"))
PROGRAM = Program(
    name="lab-check",
    unit="check.service",
    files={"/etc/systemd/system/check.service": unit("/bin/sh -c 'echo cannot go on; exit 3'")},
    version="echo 1.0",
    ways=(WAY,),
)


def test_a_short_text_is_kept_whole():
    lines = [str(number) for number in range(MOST_LINES)]
    assert _shortened(lines, (2, 3)) == lines


def test_a_long_text_loses_lines_of_its_middle():
    lines = [str(number) for number in range(200)]
    assert _shortened(lines, (2, 3)) == ["0", "1", "197", "198", "199"]
    assert len(_shortened(lines, (50, 50))) == MOST_LINES


def test_long_lines_leave_fewer_of_them():
    kept = _shortened([f"{number:02} {'x' * 500}" for number in range(40)], (2, 6))
    assert len(kept) == FEWEST_LINES
    assert (kept[0][:2], kept[-1][:2]) == ("00", "39")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("cannot go on\ncode=exited, status=3\n", False),
        ("cannot go on\n", True),  # each of several lines has to be there
        ("\n", True),
    ],
)
def test_a_recording_without_its_line_is_refused(text, refused):
    assert (fault_of({"text": text}, WAY) is not None) == refused


def test_a_truth_replaces_all_but_text_and_version():
    recording = with_truth({"version": "1", "text": "cannot go on\n", "accept": ["old"]}, PROGRAM, WAY)
    assert (recording["id"], recording["accept"], recording["fault"], recording["text"]) == (
        "lab-check/refused",
        ["exit:*"],
        "refused",
        "cannot go on\n",
    )


def test_packages_are_installed_without_what_they_recommend():
    script = _script(Program(name="x", unit="x.service", ways=(), packages=("nginx",), pip=("gunicorn",), install="true"))
    assert "apt-get install -y -qq --no-install-recommends nginx python3-venv" in script
    assert script.index("pip install -q gunicorn") < script.index("true\n")


@pytest.mark.slow
@pytest.mark.skipif(why_not() is not None, reason=f"no lab: {why_not()}")
@pytest.mark.skipif(not SYSTEM.exists(), reason="needs a Debian 13 in build/failures, 300 MB: python -m fixtures.failures")
def test_a_program_is_recorded():
    recording = record(PROGRAM, WAY)
    assert fault_of(recording, WAY) is None
    assert recording["version"] == "1.0"
    assert "server systemd[1]: check.service: Failed with result 'exit-code'." in str(recording["text"])
