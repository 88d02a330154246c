"""Servers are asked within bounds: whatever they do, the audit goes on and says why it could not look."""

import json
import threading
import time

import pytest

from forensics import web
from forensics.audit.inventory.alertmanager_server import ask_alertmanager
from forensics.audit.inventory.kuma import ask_kuma
from forensics.audit.inventory.litellm import ask_litellm
from forensics.audit.inventory.prometheus_server import ask_prometheus
from forensics.errors import UsageError
from forensics.web import NoAnswerError, Server
from tests.audit.hostile_server import HOSTILE, OK, answering, serving, whole
from tests.servers import free_port

LEAKED = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"
ASK = {
    "prometheus": lambda server: ask_prometheus(server, "a.service"),
    "alertmanager": ask_alertmanager,
    "litellm": ask_litellm,
    "kuma": ask_kuma,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_server_gives_a_reason_and_no_secret(kind):
    handle, reason = HOSTILE[kind]
    with serving(handle) as url:
        server = Server(url, within_s=0.3 if "within" in reason else 10.0)
        found = ask_prometheus(server, "a.service")
    assert reason in found.problem
    assert LEAKED not in str(found)
    assert str(found.problem).isprintable()


@pytest.mark.parametrize("kind", ["silent", "wants a login", "HTML", "not JSON", "deep JSON", "other JSON", "strange shapes"])
@pytest.mark.parametrize("source", ["alertmanager", "litellm", "kuma"])
def test_every_source_survives(kind, source):
    with serving(HOSTILE[kind][0]) as url:
        found = ASK[source](Server(url, within_s=0.3))
    assert found.problem
    assert LEAKED not in str(found)


def test_a_server_that_is_down():
    found = ask_prometheus(Server(f"http://127.0.0.1:{free_port()}"), "a.service")
    assert found.problem == "refuses connections: nothing listens there"


def test_all_questions_share_one_time():
    """Each answer is fast enough, all together are not."""
    asked = []

    def slow(connection):
        asked.append(1)
        time.sleep(0.2)
        answering(whole(json.dumps({"status": "success", "data": {"groups": []}}).encode()))(connection)

    with serving(slow) as url:
        found = ask_prometheus(Server(url, within_s=0.5), "a.service")
    assert not found.problem
    assert len(asked) <= 3
    assert set(found.problems) >= {"series", "notifications"}


def test_no_thread_waits_on_after_the_time_is_over():
    with serving(HOSTILE["drips"][0]) as url, pytest.raises(NoAnswerError):
        Server(url, within_s=0.2).text("/")
    deadline = time.monotonic() + 5
    while any("attempt" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_redirect_within_the_server_is_followed():
    def handle(connection):
        paths.append(1)
        raw = whole(b"", b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /metrics/\r\n") if len(paths) == 1 else whole(b"fine")
        connection.sendall(raw)

    paths = []
    with serving(handle) as url:
        assert Server(url).text("/metrics") == "fine"


def test_no_proxy_is_used(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with serving(answering(whole(b"direct"))) as url:
        assert Server(url).text("/") == "direct"


@pytest.mark.parametrize(
    ("address", "token", "header"),
    [
        ("http://HOST", "abc", "Bearer abc"),
        ("http://HOST", ":uk1_key", "Basic OnVrMV9rZXk="),
        ("http://me:p%40ss@HOST", "abc", "Basic bWU6cEBzcw=="),
        ("http://HOST", "", None),
    ],
)
def test_the_login_is_sent_and_not_shown(address, token, header):
    with serving(answering(whole(b"{}"))) as url:
        server = Server(address.replace("HOST", url.removeprefix("http://")), token)
        assert server.text("/") == "{}"
    assert server.headers(web._parts(server.url)).get("Authorization") == header
    assert "p%40ss" not in server.where
    assert "me:" not in server.where


@pytest.mark.parametrize(
    "url", ["http://", "ftp://host", "http://host:0", "http://host:99999", "http://ho st", "http://[::1", "http://höst"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError, match="must start with http"):
        Server(url)


def test_content_that_is_compressed_all_the_same_is_no_json():
    with (
        serving(answering(whole(b"\x1f\x8b\x08\x00", OK + b"Content-Encoding: gzip\r\n"))) as url,
        pytest.raises(NoAnswerError, match="JSON"),
    ):
        Server(url).json("/")


def test_servers_are_asked_at_the_same_time():
    """Three that are silent take as long as one."""
    with serving(HOSTILE["silent"][0]) as silent, serving(answering(whole(b"ready"))) as ready:
        urls = [f"{silent}/{number}" for number in range(20)]
        reasons = web.ask_each([*urls, ready], "/-/ready", 0.5)
    assert reasons.pop(ready) == ""
    assert set(reasons.values()) == {"has not answered within 1 s"}
