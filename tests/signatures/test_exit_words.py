"""A bare exit result has the words of the pattern of the same fault; its id and title stay."""

import pytest

from forensics import resources
from forensics.signatures import catalogue, exit_words
from forensics.signatures.naming import exit_signature


@pytest.fixture(scope="module")
def shipped():
    return catalogue.load([resources.folder("patterns")])


@pytest.mark.parametrize(
    ("end", "pattern"),
    [
        ("exit:core-dump/11", "process.segmentation-fault"),
        ("exit:signal/11", "process.segmentation-fault"),
        ("exit:exit-code/139", "process.segmentation-fault"),
        ("exit:signal/4", "process.illegal-instruction"),
        ("exit:core-dump/6", "process.aborted"),
        ("exit:exit-code/134", "process.aborted"),
        ("exit:signal/7", "process.bus-error"),
        ("exit:signal/8", "process.floating-point"),
        ("exit:signal/9", "process.killed"),
        ("exit:exit-code/137", "process.killed"),
        ("exit:exit-code/127", "process.command-not-found"),
        ("exit:exit-code/200", "systemd.working-directory"),
        ("exit:exit-code/203", "systemd.exec-failed"),
        ("exit:exit-code/216", "systemd.group-missing"),
        ("exit:exit-code/217", "systemd.user-missing"),
        ("exit:exit-code/228", "systemd.setup-step"),
        ("exit:exit-code/243", "systemd.credentials"),
        ("exit:oom-kill/9", "memory.oom-kill"),
        ("exit:watchdog/6", "systemd.watchdog-timeout"),
    ],
)
def test_an_end_with_a_known_meaning_has_the_words_of_its_pattern(shipped, end, pattern):
    named, known = exit_signature(end, shipped), shipped.pattern(pattern).signature
    assert (named.id, named.severity, named.restart_helps) == (end, "high", known.restart_helps)
    assert named.cause.endswith(exit_words.filled(known).cause)
    assert named.remedy == exit_words.filled(known).remedy
    assert "{" not in named.remedy.replace("${", "").replace("'{", "")


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("exit:signal/15", "asked to stop"),
        ("exit:exit-code/143", "asked to stop"),
        ("exit:timeout/none", "A time limit"),
        ("exit:signal/31", "SystemCallFilter="),
        ("exit:exit-code/126", "may not execute"),
        ("exit:exit-code/255", "255 is −1"),
        ("exit:exit-code/3", exit_words.SILENT),
        ("exit:signal/34", exit_words.SILENT),
    ],
)
def test_other_ends_have_words_of_their_own_and_steps(shipped, end, words):
    named = exit_signature(end, shipped)
    assert words in named.cause
    assert named.remedy.startswith("1. ")
    assert named.restart_helps is None


def test_a_good_end_has_no_remedy(shipped):
    assert (exit_signature("exit:success/0", shipped).cause, exit_signature("exit:success/0", shipped).remedy) == ("", "")
