"""The exporter: two pages, on the address that is asked for."""

import time
import urllib.error
import urllib.request

import pytest

from forensics.errors import ForensicsError
from forensics.watch.exporter import STUCK_S, serve
from forensics.watch.metrics import Metrics

opened = urllib.request.build_opener().open


def test_an_address_that_is_in_use_is_an_error_with_a_sentence():
    server = serve(Metrics(), "127.0.0.1", 0)
    with pytest.raises(ForensicsError, match=rf"127.0.0.1:{server.port}: Address already in use"):
        serve(Metrics(), "127.0.0.1", server.port)
    server.close()


@pytest.mark.parametrize(
    ("listens", "reached_at"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]"), ("::", "127.0.0.1")],
)
def test_the_exporter_listens_on_ipv4_and_ipv6(listens, reached_at):
    server = serve(Metrics(), listens, 0)
    try:
        with opened(f"http://{reached_at}:{server.port}/healthz") as page:
            assert page.read() == b"ok\n"
    finally:
        server.close()


@pytest.mark.parametrize(("host", "shown"), [("2001:db8::1", r"\[2001:db8::1\]:1"), ("no.such.host.invalid", "no.such.host.invalid:1")])
def test_an_address_of_another_host_is_an_error_with_a_sentence(host, shown):
    with pytest.raises(ForensicsError, match=f"cannot listen on {shown}: "):
        serve(Metrics(), host, 1)


def test_a_watch_that_hangs_is_not_healthy():
    metrics = Metrics(alive_at=time.monotonic() - STUCK_S - 1)
    server = serve(metrics, "127.0.0.1", 0)
    try:
        with pytest.raises(urllib.error.HTTPError) as error:
            opened(f"http://127.0.0.1:{server.port}/healthz")
        assert error.value.code == 503
        error.value.close()
    finally:
        server.close()


def test_the_server_has_only_two_pages():
    server = serve(Metrics(), "127.0.0.1", 0)
    try:
        base = f"http://127.0.0.1:{server.port}"
        with opened(f"{base}/metrics") as page:
            assert b"tabby_forensics_build_info" in page.read()
        with opened(f"{base}/healthz") as page:
            assert page.read() == b"ok\n"
        with pytest.raises(urllib.error.HTTPError) as error:
            opened(f"{base}/../etc/passwd")
        assert error.value.code == 404
        error.value.close()
    finally:
        server.close()
