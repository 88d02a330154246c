"""What bad input gets: one sentence on stderr, the right exit code, nothing on stdout and no traceback."""

import subprocess
import sys

import pytest


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "forensics", *arguments], capture_output=True, text=True, timeout=120, check=False, **options
    )


def assert_one_sentence(result, exit_code, *words):
    assert result.returncode == exit_code, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("tabby-forensics: ")
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "soon"], ["'soon'", "Examples"]),
        (["--tz", "Mars/Olympus"], ["Mars/Olympus"]),
        (["--format", "pdf"], ["'pdf'", "html"]),
        (["--file", "/nowhere.journal"], ["/nowhere.journal"]),
        (["--journal-dir", "/etc/hostname"], ["not a directory", "--file"]),
        (["--patterns", "/nowhere"], ["/nowhere"]),
        (["--output", "report.xyz"], ["report.xyz", "--format"]),
        (["--declared", "boot"], ["boot"]),
    ],
)
def test_a_wrong_option_is_named(arguments, words, tmp_path):
    assert_one_sentence(run("report", "--store", str(tmp_path), *arguments), 2, *words)


def test_an_unknown_option_is_a_usage_error():
    result = run("report", "--no-such-option")
    assert result.returncode == 2
    assert "--no-such-option" in result.stderr


def test_an_empty_directory_has_nothing_recorded(tmp_path):
    (tmp_path / "journal").mkdir()
    result = run("report", "--journal-dir", str(tmp_path / "journal"), "--store", str(tmp_path / "store"))
    assert_one_sentence(result, 6, "journal")


def test_the_version_is_the_packages(tmp_path):
    from forensics import __version__

    assert run("--version").stdout == f"tabby-forensics {__version__}\n"


def test_help_imports_none_of_the_heavy_packages():
    code = "import sys, forensics.cli; print(*sorted({'polars', 'numpy', 'pyarrow', 'plotly', 'jinja2', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
