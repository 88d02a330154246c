"""Plain arguments of `explain` mean what typer makes of them; what is not plain is left to typer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from forensics.cli import explaining, plain
from forensics.cli.app import app

DEFAULTS = {"patterns": [], "format_": "term", "redact": True, "exit_code": False, "verbose": False}


@pytest.mark.parametrize(
    "words",
    [
        "explain x.log",
        "explain -",
        "explain --format json x.log",
        "explain x.log --format term --exit-code",
        "explain --no-redact - --verbose",
        "explain --no-redact --redact x",
        "explain --patterns a --patterns b x",
        "explain --format nonsense x",
    ],
)
def test_plain_arguments_mean_what_typer_makes_of_them(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(explaining, "explain_log", lambda log, patterns, format_, **others: calls.append((log, patterns, format_, others)))
    app(words.split(), standalone_mode=False)
    ours = DEFAULTS | (plain.explain_arguments(words.split()) or {})
    log, patterns, format_ = (ours.pop(name) for name in ("log", "patterns", "format_"))
    ((log_of_typer, patterns_of_typer, *others),) = calls
    assert (log_of_typer, list(patterns_of_typer or ()), *others) == (log, patterns, format_, ours)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "report x",
        "explain",
        "explain --help",
        "explain -h x",
        "explain a b",
        "explain --format=json x",
        "explain x --format",
        "explain -- -x",
        "explain --format --verbose x",
        "explain --verb x",
        "explain --patterns - x",
    ],
)
def test_all_else_is_left_to_typer(words: str) -> None:
    assert plain.explain_arguments(words.split()) is None


def test_explaining_a_plain_text_loads_neither_typer_nor_scikit_learn(tmp_path) -> None:
    log = tmp_path / "x.log"
    log.write_text("ERROR: the flux capacitor is out of tune\n")
    code = (
        f"import sys; from forensics.cli import main; sys.argv[1:] = ['explain', {str(log)!r}]\ntry:\n main()\n"
        "finally:\n print({'typer', 'pydantic', 'sklearn', 'pyarrow', 'jinja2'} & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "flux capacitor" in result.stdout
    assert result.stderr.strip() == "set()"


def test_a_reader_that_goes_away_is_no_failure(tmp_path) -> None:
    log = tmp_path / "x.log"
    log.write_text("ERROR: x\n")
    command = f"{sys.executable} -m forensics explain {log} | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (result.stderr, result.stdout.strip() in {"0", "1"}) == ("", True)
