"""What a drill plays is of the class that it is asked for; what no unit can play is refused."""

import pytest

from forensics.errors import UsageError
from forensics.guard.drill.scene import MOST_WORDS, UnplayableError, scene_of
from forensics.signatures.catalogue import examples_as_events
from forensics.signatures.match import find_hits
from forensics.signatures.pattern import Example
from tests.shipped import shipped

CATALOGUE = shipped()
OF_OTHERS = {pattern.id for pattern in CATALOGUE.patterns if all(example.columns for example in pattern.examples)}


def test_the_words_of_every_class_that_a_service_logs_are_of_that_class_alone():
    scenes = [scene_of(pattern.id, CATALOGUE, {}) for pattern in CATALOGUE.patterns if pattern.id not in OF_OTHERS]
    hits = find_hits(examples_as_events([Example(scene.words) for scene in scenes]), CATALOGUE)
    found = {scenes[event].signature: signature for event, signature in hits.select("event", "signature").iter_rows()}
    assert len(scenes) > 100
    assert found == {scene.signature: scene.signature for scene in scenes}


def test_a_traceback_is_played_where_there_is_one():
    assert scene_of("loader.libstdcxx-missing", CATALOGUE, {}).words.startswith("Traceback (most recent call last):\n")


@pytest.mark.parametrize("signature", sorted(OF_OTHERS))
def test_what_systemd_or_the_kernel_reports_is_refused(signature):
    with pytest.raises(UnplayableError, match="systemd or the kernel reports it"):
        scene_of(signature, CATALOGUE, {})


@pytest.mark.parametrize(
    ("signature", "status", "signal", "reason"),
    [
        ("exit:exit-code/1", 1, "", "the smallest status that is a failure"),
        ("exit:exit-code/199", 199, "", "the last one that systemd does not use itself"),
        ("exit:signal/11", 11, "SEGV", "a signal is named, so that any shell knows it"),
        ("exit:signal/9", 9, "KILL", "also the one that cannot be caught"),
    ],
)
def test_a_bare_end_is_played_without_words(signature, status, signal, reason):
    scene = scene_of(signature, CATALOGUE, {})
    assert (scene.words, scene.status, scene.signal) == ("", status, signal), reason


@pytest.mark.parametrize(
    ("signature", "error", "reason"),
    [
        ("exit:exit-code/0", UnplayableError, "a success"),
        ("exit:exit-code/203", UnplayableError, "systemd's own: the program could not be executed"),
        ("exit:signal/15", UnplayableError, "SIGTERM is a clean end for systemd"),
        ("exit:signal/19", UnplayableError, "SIGSTOP ends nothing"),
        ("exit:signal/99", UnplayableError, "there is no such signal"),
        ("exit:oom-kill/9", UnplayableError, "the kernel does it"),
        ("exit:core-dump/6", UnplayableError, "cores are not dumped in the sandbox"),
        ("mined:0123456789abcdef", UsageError, "no recorded words"),
        ("no.such-class", UsageError, "neither known nor recorded"),
        ("x\x1b[2J", UsageError, "hostile"),
        ("", UsageError, "empty"),
    ],
)
def test_what_cannot_be_played_gets_one_harmless_sentence(signature, error, reason):
    with pytest.raises(error) as refused:
        scene_of(signature, CATALOGUE, {})
    assert "\x1b" not in str(refused.value), reason
    assert "\n" not in str(refused.value), reason


@pytest.mark.parametrize(
    ("text", "played", "reason"),
    [
        ("unknown trouble 17", "unknown trouble 17", "as recorded"),
        ("login with password=hunter2-secret failed", "login with password=⟨", "a secret is not logged once more"),
        ("\n  File x\nBoom\n", "  File x\nBoom", "the first line keeps its indent, which marks a part of a traceback"),
    ],
)
def test_recorded_words_are_played_without_secrets(text, played, reason):
    words = scene_of("mined:1", CATALOGUE, {"mined:1": text}).words
    assert played in words, reason
    assert "hunter2" not in words


def test_recorded_words_that_no_argument_can_hold_are_refused():
    assert len(scene_of("mined:1", CATALOGUE, {"mined:1": "x" * MOST_WORDS}).words) == MOST_WORDS
    with pytest.raises(UnplayableError, match="longer than 64 KB"):
        scene_of("mined:1", CATALOGUE, {"mined:1": "é" * MOST_WORDS})
