"""`drill` as it is called, with a `watch` and a systemd that are scripts: what it measures, and what it concludes."""

import json
import os
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from forensics.alerting.alert import Alert
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker
from tests.cli.running import assert_one_sentence, run
from tests.http_recorder import Recorder

SYSTEMD = {
    "systemd-run": """for a; do case $a in
--unit=*) echo "${a#--unit=}" > "$FOLDER/new"; mv "$FOLDER/new" "$FOLDER/started";;
esac; done""",
    "systemctl": 'echo "$@" >> "$FOLDER/asked"; case "$*" in *Version*) echo "$VERSION";; esac',
    "journalctl": """case "$*" in
*_PID=*) [ ! -f "$FOLDER/log" ] || cat "$FOLDER/log";;
*) [ ! -f "$FOLDER/started" ] || echo "{\\"__REALTIME_TIMESTAMP\\": \\"$(date +%s)000000\\"}";;
esac""",
}


@contextmanager
def host(folder, monkeypatch, version="252 (252.1)", sink="stdout"):
    """Put scripts for systemd in PATH, and start a process that counts as `watch`."""
    for name, text in SYSTEMD.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    (folder / "watch.toml").write_text(f'[[sink]]\nname = "hook"\n{sink}\n')
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("FOLDER", str(folder))
    monkeypatch.setenv("VERSION", version)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    command = ["sh", "-c", "sleep 60; :", "forensics", "watch", "--state", str(folder / "watch"), "--config", str(folder / "watch.toml")]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            os.killpg(process.pid, 9)


@contextmanager
def watching(folder, *, signature="port.conflict", delivers=True, refusal=""):
    """Play `watch`: raise an alert about the unit that is started, and deliver it."""
    state, over = State.open(folder / "watch"), threading.Event()
    state.commit(Position(), Tracker(), [], [], {}, 0.0)

    def follow():
        while not (folder / "started").exists():
            if over.wait(0.01):
                return
        unit, tracker = (folder / "started").read_text().strip(), Tracker()
        alert = Alert("NewFailureSignature", unit, "h", "critical", "s", time.time(), signature=signature, raised_at=time.time())
        tracker.alerts.by_key[alert.key] = alert
        state.commit(Position(), tracker, [alert], ["hook"], {}, 0.0)
        if refusal:
            (folder / "log").write_text(f"tabby-forensics: sink hook refused NewFailureSignature for {unit}: {refusal}.\n")
        if delivers:
            state.queue.remove(state.queue.oldest("hook")[0])

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        state.close()


def drill(*arguments):
    return run("drill", *arguments, *([] if os.geteuid() == 0 else ["--user"]))


def drilled(folder, *arguments):
    done = drill("port.conflict", "--within", "1s", "--state", str(folder / "watch"), "--format", "json", *arguments)
    return done.returncode, json.loads(done.stdout)["drills"][0] if done.stdout else done.stderr


HOOK = 'type = "webhook"\nurl = "http://127.0.0.1:9/secret"'


@pytest.mark.parametrize(
    ("played", "code", "statuses", "words", "reason"),
    [
        ({}, 0, ["there"] * 3, "every link answered", "all there"),
        ({"signature": "mined:1"}, 3, ["there", "wrong", "there"], "names the class mined:1, not port.conflict", "another class"),
        ({"delivers": False}, 3, ["there", "there", "silent"], "the alert is still queued: its server refuses connections", "no receiver"),
        ({"refusal": "HTTP 403"}, 3, ["there", "there", "refused"], "refused the alert: HTTP 403", "it left the queue, and reached nobody"),
    ],
)
def test_each_link_has_its_verdict(tmp_path, monkeypatch, played, code, statuses, words, reason):
    with host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path, **played):
        returned, found = drilled(tmp_path)
    assert (returned, [link["status"] for link in found["links"]]) == (code, statuses), (found, reason)
    assert [link["name"] for link in found["links"]] == ["journal", "watch", "sink hook"]
    assert words in found["verdict"]
    assert "secret" not in json.dumps(found)


def test_a_watch_that_raises_no_alert_is_silent_and_so_is_what_follows(tmp_path, monkeypatch):
    with host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path) as _:
        (tmp_path / "systemd-run").write_text("#!/bin/sh\n")
        returned, found = drilled(tmp_path)
    assert (returned, {link["status"] for link in found["links"]}) == (3, {"silent"})
    assert found["links"][2]["text"] == "silent for 1 s: there was no alert to deliver"
    assert found["verdict"] == "broken at journal: silent for 1 s: systemd has reported no failure of the unit"


def test_a_page_counts_and_one_that_hangs_delays_nothing(tmp_path, monkeypatch):
    with Recorder() as server, host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path):
        server.look_up = lambda path: (200, (tmp_path / "started").read_bytes()) if path == "/log" else (time.sleep(1.2), (200, b""))[1]
        returned, found = drilled(tmp_path, "--page", f"{server.url}/log", "--page", f"{server.url}/hangs")
    statuses = {link["name"].partition(",")[0]: link["status"] for link in found["links"]}
    assert (returned, statuses["page 1"], statuses["page 2"], statuses["sink hook"]) == (3, "there", "silent", "there")


def test_the_unit_is_taken_away(tmp_path, monkeypatch):
    with host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path):
        drilled(tmp_path)
    unit = (tmp_path / "started").read_text().strip()
    assert f"stop {unit}" in (tmp_path / "asked").read_text()


def test_a_state_that_disappears_is_unknown_and_not_silent(tmp_path, monkeypatch):
    with host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path, delivers=False):
        (tmp_path / "systemd-run").write_text(f"#!/bin/sh\nrm {tmp_path}/watch/watch.sqlite\n")
        returned, found = drilled(tmp_path)
        with suppress(FileNotFoundError):
            (tmp_path / "started").touch()
    statuses = {link["name"]: link["status"] for link in found["links"]}
    assert (statuses["watch"], statuses["sink hook"]) == ("unknown", "unknown")
    assert returned == 3  # the journal's link is silent: nothing was started


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "Name the classes to drill, or give --all"),
        (("port.conflict", "--all"), 2, "Name the classes to drill, or give --all"),
        (("port.conflict", "--within", "0s"), 2, "--within 0s: must be from 1 s to 1 h"),
        (("port.conflict", "--page", "phone"), 2, "must start with http:// or https://"),
        (("port.conflict", "--format", "xml"), 2, "There is no format 'xml'"),
        (("memory.oom-kill",), 4, "systemd or the kernel reports it"),
        (("no.such",), 2, "There is no class 'no.such'"),
        (("port.conflict", "no.such"), 2, "There is no class 'no.such'"),
        (("port.conflict", "--config", "/no/such/file"), 2, "/no/such/file"),
    ],
)
def test_a_mistake_gets_one_sentence_and_starts_nothing(tmp_path, monkeypatch, arguments, code, words):
    with host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path):
        done = drill(*arguments, "--state", str(tmp_path / "watch"), "--store", str(tmp_path / "store"))
    assert_one_sentence(done, code, words)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("version", "words", "reason"),
    [
        ("235", "systemd 235 has no StandardInputData=, which a drill needs (since 236)", "too old"),
        ("", "systemd does not answer", "not running"),
    ],
)
def test_a_systemd_that_cannot_is_named(tmp_path, monkeypatch, version, words, reason):
    with host(tmp_path, monkeypatch, version=version):
        done = drill("port.conflict")
    assert_one_sentence(done, 4, words)
    assert not (tmp_path / "started").exists(), reason


def test_a_systemd_that_refuses_is_quoted(tmp_path, monkeypatch):
    with host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path):
        (tmp_path / "systemd-run").write_text("#!/bin/sh\necho 'Failed to start: \\033[31mAccess denied' >&2; exit 1\n")
        done = drill("port.conflict", "--state", str(tmp_path / "watch"))
    assert_one_sentence(done, 4, "The unit of the drill cannot be started", "Access denied")
    assert "\x1b" not in done.stderr


def test_without_recorded_history_all_drills_one_known_class(tmp_path, monkeypatch):
    with host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path):
        done = drill("--all", "--within", "1s", "--state", str(tmp_path / "watch"), "--store", str(tmp_path / "store"))
    assert done.returncode == 0, done.stderr
    assert "port.conflict (The port is already in use), played by tabby-drill-port-conflict-" in done.stdout
    assert "The recorded history has no class that can be drilled" in done.stderr


def test_of_merged_classes_the_one_that_they_are_shown_as_is_drilled_and_expected(tmp_path, monkeypatch):
    folder = tmp_path / "tabby-forensics"
    folder.mkdir()
    (folder / "classes.toml").write_text('[[merge]]\ninto = "mine.own"\nids = ["port.conflict"]\n')
    with host(tmp_path, monkeypatch, sink=HOOK), watching(tmp_path, signature="mine.own"):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))  # `watch` has an environment of its own
        returned, found = drilled(tmp_path)
    assert (returned, found["class"], found["links"][1]["text"]) == (0, "port.conflict", "NewFailureSignature, class mine.own")
