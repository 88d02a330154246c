"""The exporter among hostile clients, and sinks whose servers redirect or answer nonsense."""

import gc
import re
import resource
import socket
import threading
import time
import urllib.request
import warnings
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from forensics.alerting.alert import Alert
from forensics.alerting.sinks import KINDS
from forensics.alerting.sinks.http import request
from forensics.alerting.sinks.sink import RefusedError, UnreachableError
from forensics.cli import output
from forensics.watch.exporter import LONGEST_HEAD, MOST_CONNECTIONS, serve
from forensics.watch.metrics import Metrics
from tests.hostile.raw_server import answering

HANG_S = 60  # a good client is answered in milliseconds; only a hang takes so long
# of answers that are no HTTP: http.client drops its half-read response without closing it
LEFT_TO_THE_COLLECTOR = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
opened = urllib.request.build_opener().open
ALERT = Alert("NewFailure", "a.service", "h", "warning", "it broke", 1_700_000_000.0)


@pytest.fixture(scope="module", autouse=True)
def everything_from_before_is_kept():
    """Let the collections below look at the objects of this module only: those of all other tests take half a second each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_left_to_the_collector():
    """Collect the torn connections here, so that no later test is warned about them."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextmanager
def exporter():
    server = serve(Metrics(), "127.0.0.1", 0)
    try:
        yield server
    finally:
        server.close()


def healthz(server) -> bytes:
    with opened(f"http://127.0.0.1:{server.port}/healthz", timeout=HANG_S) as page:
        return page.read()


def connected(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=HANG_S)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


SLOW = [
    (b"", "a client that sends nothing"),
    (b"G", "one that stops in the method"),
    (b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-a: b\r\n", "one that never ends its headers"),
    (b"GET /metrics HTTP/1.1\r\n" + b"X" * (LONGEST_HEAD - 100), "one that fills the buffer"),
    (b"GET /metrics HTTP/1.1\r\n\r\n", "one that never reads the answer"),
]


@pytest.mark.parametrize(("sent", "reason"), SLOW, ids=[reason for _, reason in SLOW])
def test_1500_clients_that_hold_their_connection_keep_no_other_out(sent, reason, capfd):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        with exporter() as server, ExitStack() as clients:
            before = threading.active_count()
            for number in range(1500):
                client = clients.enter_context(connected(server))
                client.sendall(sent)
                if number % 500 == 499:
                    assert healthz(server) == b"ok\n", reason
                    assert len(server._connections) <= MOST_CONNECTIONS
            assert threading.active_count() == before
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert capfd.readouterr() == ("", "")


BROKEN = [
    (b"GET /metrics HTTP/1.1\r\n\r\n", None, "hangs up before the answer"),
    (b"GET /met", None, "hangs up in the request"),
    (b"GET /healthz HTTP/1.1\r\n" + b"X-a: " + b"b" * 2_000_000 + b"\r\n\r\n", 431, "a header of 2 MB"),
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 431, "a path of 100 KB"),
    (b"GET /healthz HTTP/1.1\r\n" + b"X-a: b\r\n" * 5000 + b"\r\n", 431, "5,000 headers"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "TLS"),
    (b"\r\n\r\n", 400, "no request"),
    (b"GET /healthz\r\n\r\n", 400, "HTTP/0.9"),
    (b"GET  HTTP/1.1\r\n\r\n", 400, "no path"),
    (b"GET \xff\xfe\x00 HTTP/1.1\r\n\r\n", 404, "bytes for a path"),
    (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", 404, "another file"),
    (b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100_000, 405, "a body that is announced as 100 GB"),
    (b"HEAD /healthz HTTP/1.1\r\n\r\n", 200, "only the head"),
    (b"GET http://a/healthz HTTP/1.1\r\n\r\n", 404, "a proxy's request"),
    (b"GET /healthz?" + b"a=b&" * 100 + b" HTTP/1.0\r\n\r\n", 200, "a query, of HTTP/1.0"),
]  # (what a client sends, the status of the answer, which client)


@pytest.mark.parametrize(("sent", "status", "reason"), BROKEN, ids=[reason for *_, reason in BROKEN])
def test_a_broken_request_is_answered_or_dropped_without_a_word_on_stderr(sent, status, reason, capfd):
    with exporter() as server:
        with connected(server) as client:
            answer = b""
            try:
                client.sendall(sent)
                while status is not None and (piece := client.recv(65536)):
                    answer += piece
            except ConnectionError:  # it was refused while it still sent
                assert status == 431, reason
        assert healthz(server) == b"ok\n"
    assert status is None or not answer or answer.startswith(f"HTTP/1.1 {status} ".encode()), reason
    assert status in {None, 431} or answer
    assert capfd.readouterr() == ("", "")


def test_a_client_that_hangs_up_while_it_is_answered_leaves_nothing_behind(capfd):
    metrics = Metrics()
    for unit in range(150):
        for signature in range(90):
            metrics.failures(f"u{unit}.service", f"mined:{signature}", 1, 1.0, 2.0)
    server = serve(metrics, "127.0.0.1", 0)
    before = open_files()
    for _ in range(20):
        with connected(server) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closes with a reset
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            client.recv(100)
    deadline = time.monotonic() + HANG_S
    while (len(server._connections) or open_files() > before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (len(server._connections), open_files()) == (0, before)
    with opened(f"http://127.0.0.1:{server.port}/metrics", timeout=HANG_S) as page:
        assert len(page.read()) == int(page.headers["Content-Length"]) > 1_000_000  # a large page arrives whole
    server.close()
    assert capfd.readouterr() == ("", "")


def test_a_page_that_cannot_be_made_does_not_end_the_exporter(capfd, monkeypatch):
    monkeypatch.setattr(Metrics, "text", lambda _: 1 / 0)
    with exporter() as server:
        with connected(server) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 500 ")
        assert healthz(server) == b"ok\n"
    assert capfd.readouterr() == ("", "")


REDIRECTS = [
    ("308 Permanent Redirect", "/there", True, "within the host, the request stays"),
    ("307 Temporary Redirect", "there", True, "the same, relative"),
    ("307 Temporary Redirect", "{url}/there", True, "the same, absolute"),
    ("307 Temporary Redirect", "/th%65re", False, "the server finds nothing there"),
    ("301 Moved Permanently", "/there", False, "becomes a GET: the alert would be dropped"),
    ("302 Found", "/login", False, "to a page for people"),
    ("303 See Other", "/there", False, "becomes a GET"),
    ("300 Multiple Choices", "/there", False, "a choice"),
    ("307 Temporary Redirect", "/here", False, "to itself"),
    ("307 Temporary Redirect", "http://127.0.0.1:9/there", False, "another port"),
    ("308 Permanent Redirect", "https://127.0.0.1/there", False, "another scheme"),
    ("308 Permanent Redirect", "http://example.invalid/there", False, "another host"),
    ("308 Permanent Redirect", "//example.invalid/there", False, "another host, without a scheme"),
    ("308 Permanent Redirect", "http://127.0.0.1:x/there", False, "no port"),
    ("308 Permanent Redirect", "http://[::1/there", False, "no address"),
    ("308 Permanent Redirect", "file:///etc/passwd", False, "a file"),
    ("308 Permanent Redirect", "/\x1b[2Jth\xe9re", False, "hostile bytes"),
    ("308 Permanent Redirect", "", False, "nowhere"),
    ("304 Not Modified", None, False, "no address at all"),
]  # (status, Location, whether the alert arrives, why)
ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@LEFT_TO_THE_COLLECTOR
@pytest.mark.parametrize(("status", "location", "arrives", "why"), REDIRECTS, ids=[f"{row[0]} {row[3]}" for row in REDIRECTS])
def test_an_alert_is_never_lost_by_a_redirect(status, location, arrives, why):
    answers: dict[str, bytes] = {"/there": ACCEPTED, "/login": ACCEPTED}
    with answering(answers) as (url, got):
        header = "" if location is None else f"Location: {location.format(url=url)}\r\n"
        answers["/here"] = f"HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\n\r\n".encode("latin-1")
        sink = KINDS["webhook"][0](f"{url}/here", "tok3n")
        if arrives:
            assert sink.send(ALERT) == "HTTP 200"
            assert [part.split(b" ")[0] for part in got] == [b"POST", b"POST"]
            assert got[0].split(b"\r\n\r\n")[1] == got[1].split(b"\r\n\r\n")[1] != b""
            assert b"tok3n" in got[1]
            return
        with pytest.raises(UnreachableError) as refusal:  # and so it is retried
            sink.send(ALERT)
        assert not any(b"GET" in part for part in got)
        assert len(got) <= 10
        assert str(refusal.value).isprintable()
        assert "/there" not in str(refusal.value)
        assert "/login" not in str(refusal.value)


HOSTILE_ANSWERS = [
    (b"HTTP/1.1 400 \x1b[2J\r\nContent-Length: 9\r\n\r\n\x1b]0;x\x07\x9b31m", "sequences in reason and body"),
    (b"HTTP/1.1 503 No\r\nContent-Length: 12\r\n\r\na\rb\nc\x00\x7f\xe2\x80\xae\xff", "line ends, controls, a reversal, no UTF-8"),
    (b"HTTP/1.1 400 No\r\n\r\n" + b"\x1b[31mred " * 20_000, "a long body"),
    (b"\x1b[2J\x1b]0;owned\x07\r\n\r\n", "no HTTP at all"),
    (b"HTTP/1.1 \x1b[31m400 x\r\n\r\n", "a status that is none"),
    (b"HTTP/1.1 99999 x\r\n\r\n", "a status that is too large"),
    (b"HTTP/9.9 200 \x1b[0m\r\n\r\n", "another version"),
    (b"HTTP/1.1 400 No\r\n" + b"X-a: b\r\n" * 200 + b"\r\n", "too many headers"),
    (b"HTTP/1.1 400 No\r\nX: " + b"\x1b" * 70_000 + b"\r\n\r\n", "a header that is too long"),
    (b"HTTP/1.1 429 No\r\nRetry-After: " + b"9" * 500 + b"\r\nContent-Length: 0\r\n\r\n", "a pause without an end"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\x1b[31m\r\n", "chunks that are none"),
    (b"HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\ncut \x1b[5m", "an answer that is cut off"),
    (b"", "nothing"),
    ("HTTP/1.1 400 No\r\n\r\na\u00adb\u3164c\U000e0041d\u202ee".encode(), "what cannot be seen"),
]


@LEFT_TO_THE_COLLECTOR
@pytest.mark.parametrize(("raw", "reason"), HOSTILE_ANSWERS, ids=[reason for _, reason in HOSTILE_ANSWERS])
@pytest.mark.parametrize("kind", ["webhook", "discord", "slack", "alertmanager", "loki"])
def test_no_answer_of_a_server_reaches_a_terminal_raw(kind, raw, reason, capsys):
    paths = ("/hook", "/api/v2/alerts", "/loki/api/v1/push")
    with answering(dict.fromkeys(paths, raw)) as (url, _), pytest.raises((UnreachableError, RefusedError)) as refusal:
        KINDS[kind][0](f"{url}/hook" if kind not in {"alertmanager", "loki"} else url).send(ALERT)
    assert str(refusal.value).isprintable(), reason
    assert not re.search("[\u00ad\u3164\u202e\U000e0041]", str(refusal.value))
    assert len(str(refusal.value)) < 1000


def test_a_server_that_repeats_the_token_does_not_print_it():
    raw = b"HTTP/1.1 401 No\r\n\r\nbad header Authorization: Bearer s3cr3t-t0k3n-of-ours"
    with answering({"/hook": raw}) as (url, _), pytest.raises(RefusedError) as refusal:
        KINDS["webhook"][0](f"{url}/hook", "s3cr3t-t0k3n-of-ours").send(ALERT)
    assert "s3cr3t" not in str(refusal.value)


def test_a_pause_that_a_server_asks_for_has_an_end():
    raw = b"HTTP/1.1 429 No\r\nRetry-After: " + b"9" * 500 + b"\r\nContent-Length: 0\r\n\r\n"
    with answering({"/x": raw}) as (url, _):
        assert request(f"{url}/x", b"{}").retry_after == 86_400


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\rb", "\x9b2J", "\u202eabc", "\U000e0041\u3164\u00ad", "\udcff"])
def test_a_notice_is_harmless(text, capsys):
    output.notice(f"the sink: {text}.")
    shown = capsys.readouterr().err
    assert shown.rstrip("\n").replace("\n", "").isprintable()
    assert shown.startswith("tabby-forensics: the sink: ")
