"""Check that the metrics of `watch` are served where they should be."""

from __future__ import annotations

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host, listen_address
from forensics.doctor.metrics import url_of
from forensics.web import NoAnswerError, Server

MEANS = "Prometheus cannot notice that `watch` is dead or behind."


def check(host: Host) -> Finding:
    address = listen_address(host)
    if host.watcher is None or not host.is_here:
        return Finding(UNKNOWN, "no `watch` that could serve metrics is known")
    if not address:
        status = PROBLEM if host.prometheus else OK
        return Finding(status, "no exporter is configured", MEANS, 'Set listen = "127.0.0.1:9847" in watch.toml.')
    try:
        Server(url_of(address)).text("/metrics")
    except NoAnswerError as error:
        return Finding(PROBLEM, f"the exporter on {address} {error}", MEANS, "See the log of `watch`: is the address taken?")
    return Finding(OK, f"metrics are served on {address}")
