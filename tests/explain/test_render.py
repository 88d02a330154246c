"""An explanation is as wide as the terminal; what other programs read is not wrapped."""

import pytest

from forensics.cli.explaining import explain_log
from forensics.explain import explain
from forensics.explain.render import as_text
from tests.shipped import shipped

LOG = (
    b"Dec 11 12:00:01 h tabbyapi[99]: Traceback (most recent call last):\n"
    b"Dec 11 12:00:01 h tabbyapi[99]: ImportError: /opt/tabby/venv/exllamav2_ext.so: undefined symbol: _ZN3c106detail23torchInternal\n"
    b"Dec 11 12:00:02 h systemd[1]: tabbyapi.service: Main process exited, code=exited, status=1/FAILURE\n"
)


@pytest.fixture(scope="module")
def explanation():
    return explain(LOG, shipped())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(explanation, width):
    lines = as_text(explanation, (), redact=True, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(line[:15].strip() or line.startswith(" " * 15) for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("whole", ["torch.abi-mismatch", "/opt/tabby/venv/exllamav2_ext.so:", "_ZN3c106detail23torchInternal"])
def test_ids_and_paths_are_not_broken(explanation, width, whole):
    assert whole in as_text(explanation, (), redact=True, width=width)


@pytest.mark.parametrize("width", [80, 120])
def test_a_command_of_the_remedy_is_on_one_line(explanation, width):
    assert "`pip install --no-build-isolation --no-cache-dir …`" in as_text(explanation, (), redact=True, width=width)


def test_the_steps_of_a_remedy_go_on_below_their_text(explanation):
    lines = as_text(explanation, (), redact=True, width=80).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("Remedy"))
    assert lines[start].startswith("Remedy         1. ")
    assert lines[start + 1].startswith(" " * 18)


def test_the_words_are_the_same_at_any_width(explanation):
    narrow, whole = (as_text(explanation, (), redact=True, width=width) for width in (60, 0))
    assert "".join(narrow.split()) == "".join(whole.split())


def test_a_pipe_gets_whole_lines_and_columns_is_obeyed(tmp_path, capsys, monkeypatch):
    (tmp_path / "log").write_bytes(LOG)
    monkeypatch.delenv("COLUMNS", raising=False)
    explain_log(tmp_path / "log")
    assert max(map(len, capsys.readouterr().out.splitlines())) > 200
    monkeypatch.setenv("COLUMNS", "72")
    explain_log(tmp_path / "log")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 72
