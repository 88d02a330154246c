"""Samples in promtool's notation are the samples; a reader of ours and the real promtool read them back."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.generate.notation import notation
from forensics.generate.yaml_text import yaml_text

WORD = re.compile(r"(?P<first>_|-?[\d.]+)(?P<step>[+-][\d.]+)?(?:x(?P<times>\d+))?")
SAMPLES = st.lists(st.none() | st.integers(0, 4) | st.integers(0, 10**6) | st.floats(0, 1e6), max_size=60)


def expanded(text):
    """Read the notation as promtool documents it."""
    samples = []
    for word in text.split():
        match = WORD.fullmatch(word)
        assert match, word
        times = int(match["times"] or 0)
        if match["first"] == "_":
            samples += [None] * max(times, 1)
        else:
            samples += [float(match["first"]) + number * float(match["step"] or 0) for number in range(times + 1)]
    return samples


@pytest.mark.parametrize(
    ("samples", "text"),
    [
        ([], ""),
        ([0], "0"),
        ([0, 0, 0, 0, 0], "0x4"),
        ([1, 2], "1 2"),
        ([0, 1, 2, 3, 4], "0+1x4"),
        ([9, 7, 5, 3], "9-2x3"),
        ([None], "_"),
        ([None, None, 1], "_x2 1"),
        ([2, 2, 2, 0, 1, 2, 4, 5, 6, 7], "2x2 0 1 2 4+1x3"),
        ([0.5, 0.5, 0.5, 0.5], "0.5 0.5 0.5 0.5"),
    ],
)
def test_runs_are_written_short(samples, text):
    assert notation(samples) == text


@given(SAMPLES)
def test_the_notation_reads_back_as_the_samples(samples):
    assert expanded(notation(samples)) == samples


@given(st.integers(0, 10**9), st.integers(-1000, 1000), st.integers(4, 2000))
def test_a_long_run_is_one_word(first, step, length):
    assert len(notation([first + abs(step) * 2000 + number * step for number in range(length)]).split()) == 1


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_promtool_reads_the_same_samples(tmp_path):
    samples = [2, 2, 2, 2, 0, 1, 2, 3, 5, 7, 9, 11, None, None, 4, None, 3, 2, 1, 0, 0.25]
    checks = [
        {"expr": "x", "eval_time": f"{number}m", "exp_samples": [] if value is None else [{"labels": "x", "value": value}]}
        for number, value in enumerate(samples)
        if value is not None
    ]
    checks.append({"expr": "count_over_time(x[1h])", "eval_time": f"{len(samples)}m", "exp_samples": [{"labels": "{}", "value": 18}]})
    test = {"interval": "1m", "input_series": [{"series": "x", "values": notation(samples)}], "promql_expr_test": checks}
    (tmp_path / "test.yml").write_text(yaml_text({"rule_files": [], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
