"""`doctor` as it is called: what it prints, and its exit code."""

import json
import os

import pytest

from forensics.doctor import CHECKS
from tests.cli.running import assert_one_sentence, run, run_in_own_process
from tests.doctor.trees import KEPT, NOW, journal


def test_it_names_every_check_and_exits_with_3_for_a_problem(tmp_path):
    done = run("doctor", "--store", str(tmp_path), "--format", "json")
    found = json.loads(done.stdout)
    assert [check["check"] for check in found["checks"]] == list(CHECKS)
    problems = [check for check in found["checks"] if check["status"] == "problem"]
    assert (done.returncode == 3) == bool(problems)
    assert all(check["means"] and check["remedy"] for check in problems)


def test_a_copy_of_a_host_without_a_problem_exits_with_0_and_names_what_it_could_not_see(tmp_path):
    file = tmp_path / KEPT / "system.journal"
    file.parent.mkdir(parents=True)
    file.write_bytes(journal(NOW - 40 * 86_400))
    (tmp_path / "watch.toml").write_text('[[sink]]\ntype = "ntfy"\nurl = "https://ntfy.sh/x"\n')
    options = ["--root", str(tmp_path), "--config", str(tmp_path / "watch.toml"), "--store", str(tmp_path)]
    done = run("doctor", *options, env={"SOURCE_DATE_EPOCH": str(int(NOW)), "HOME": str(tmp_path), "PATH": "/usr/bin"})
    *lines, summary = done.stdout.splitlines()
    assert done.returncode == 0
    assert [line for line in lines if line.startswith("PROBLEM")] == []
    assert summary.startswith("16 checks, 0 problems. Could not tell: systemd, clock, watch-unit, watch-alive, sinks, ")


def test_it_examines_what_it_can_where_the_libraries_are_broken(tmp_path):
    for name in ("polars", "numpy", "pyarrow"):
        (tmp_path / f"{name}.py").write_text('raise ImportError("libstdc++.so.6: cannot open shared object file")')
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = run_in_own_process("doctor", "--store", str(tmp_path), "--format", "json", env=environment)
    assert (done.returncode, done.stderr) == (3, "")
    found = {check["check"]: check for check in json.loads(done.stdout)["checks"]}
    assert list(found) == list(CHECKS)
    assert found["programs"]["status"] == "problem"
    assert "polars (reports and alerts): ImportError: libstdc++.so.6" in found["programs"]["found"]
    assert found["disk"]["status"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "html"], "There is no format 'html'"),
        (["--prometheus", "localhost:9090"], "must start with http:// or https://"),
        (["--root", "/no/such/directory"], "there is no directory"),
    ],
)
def test_a_mistake_gets_one_sentence(arguments, words):
    assert_one_sentence(run("doctor", *arguments), 2, words)
