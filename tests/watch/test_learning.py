"""A first run: the port is open while history is read, and everybody who asks is answered that it learns."""

import signal
import urllib.request
from contextlib import closing

import pytest

from forensics.watch import baseline_process, learning
from forensics.watch.learning import Learning
from forensics.watch.metrics import Metrics
from forensics.watch.state import State
from tests.cli.running import run
from tests.journal.oracle import needs_systemd
from tests.servers import free_port
from tests.store.making import journal


def value(metrics, name):
    return metrics.registry.get_sample_value(f"tabby_forensics_{name}")


def test_the_share_is_in_the_metrics_and_for_the_service_manager(monkeypatch):
    metrics, said, notified, now = Metrics(), [], [], [100.0]
    monkeypatch.setattr(learning.time, "monotonic", lambda: now[0])
    learns = Learning(metrics, said.append, notified.append)
    for share in (0.0, 0.25, 0.5):
        learns.beat(share)
        assert (value(metrics, "watch_learning"), value(metrics, "watch_learning_progress_ratio")) == (1, share)
        now[0] += learning.SAY_EVERY_S
    assert [sentence.split()[0] for sentence in said] == ["learning…"] * 3
    assert "50%" in said[-1]
    assert "WATCHDOG=1" in notified
    assert "STATUS=learning: 50% of history is read" in notified
    assert learns.end() == 3 * learning.SAY_EVERY_S
    assert (value(metrics, "watch_learning"), value(metrics, "watch_learning_progress_ratio")) == (0, 1)


@pytest.mark.real
@needs_systemd
def test_the_port_is_open_while_history_is_read_and_a_stop_ends_it(tmp_path, monkeypatch):
    pytest.importorskip("systemd.journal")
    journal(tmp_path / "a.journal", 0, 5)
    port, pages = free_port(), []

    def asked(page):
        with urllib.request.build_opener().open(f"http://127.0.0.1:{port}/{page}", timeout=10) as answer:
            return answer.read().decode()

    def read(_query, _say, beat):
        beat(0.5)
        pages.extend([asked("healthz"), asked("metrics")])
        signal.raise_signal(signal.SIGTERM)
        beat(0.6)
        pytest.fail("SIGTERM ends it")

    monkeypatch.setattr(baseline_process, "read_baseline_in_process", read)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    options = ["--journal-dir", str(tmp_path), "--store", str(tmp_path / "store"), "--listen", f"127.0.0.1:{port}"]
    try:
        result = run("watch", *options)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert result.returncode == 0, result.stderr
    assert "tabby-forensics: learning…" in result.stderr
    assert "stopped while learning" in result.stderr
    assert pages[0] == "learning\n"
    assert "tabby_forensics_watch_learning 1.0" in pages[1]
    assert "tabby_forensics_watch_learning_progress_ratio 0.5" in pages[1]
    with closing(State.open(tmp_path / "store/watch")) as state:
        assert state.is_new
        assert state.position().done is not None
