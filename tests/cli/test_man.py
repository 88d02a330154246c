"""The man page has every command and option, and no formatter complains about it."""

import re
import shutil
import subprocess

import pytest

from forensics import errors
from forensics.cli import man
from tests.cli_options import command_options

PAGE = "tabby-forensics.1"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    file = tmp_path_factory.mktemp("man") / PAGE
    file.write_text(man.man_page())
    return file


def test_every_command_and_option_is_in_it(page):
    sections = {
        head: set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", body))
        for head, body in re.findall(
            r"^\.SS (.+)\n((?:(?!\.S[SH]).*\n)*)",
            re.sub(r"\\f[BIR]", "", page.read_text()).replace("\\-", "-").replace("\\:", ""),
            re.MULTILINE,
        )
    }
    assert sections.keys() == command_options().keys()
    for name, options in command_options().items():
        assert {option for option in options if option.startswith("-")} - {"--help", "-h"} <= sections[name], name


def test_every_exit_code_of_an_error_is_in_it():
    raised = {each.exit_code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_code")}
    assert raised | {0, 130} == man.EXIT_STATUS.keys()


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        (".profile is read", "\\&.profile is read"),
        ("'- is', C:\\x", "\\&'\\- is', C:\\ex"),
        ("use `audit --dump` → 2", "use \\fBaudit \\-\\-dump\\fR \\[u2192] 2"),
        ("as --since TIME, at a TIME", "as \\fB\\-\\-since\\fR \\fITIME\\fR, at a TIME"),
        ("a well-known word", "a well\\-known word"),
    ],
)
def test_text_is_escaped(text, roff):
    assert man._marked(text) == roff


@pytest.mark.real
@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_finds_no_fault(page):
    done = subprocess.run(["mandoc", "-T", "lint", str(page)], capture_output=True, text=True, check=False)
    assert [line for line in done.stdout.splitlines() if "referenced manual not found" not in line] == []


@pytest.mark.real
@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_warns_of_nothing(page):
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", str(page)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "tabby-forensics audit rules" in re.sub(r"\x1b\[\d*m|.\x08", "", done.stdout).replace("‐", "-")
