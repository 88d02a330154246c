"""Ask the exporter of `watch`."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.web import NoAnswerError, Server

METRIC = "tabby_forensics_"
ALL = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - addresses that are listened on → to ask
WITHIN_S = 3.0


def url_of(address: str) -> str:
    """Return the URL of HOST:PORT."""
    host, _, port = address.rpartition(":")
    return f"http://{ALL.get(host, host)}:{port}"


def metrics_of(address: str) -> Mapping[str, Mapping[str, float]]:
    """Return the values of each metric of `watch`, by the text of its labels; empty where nobody answers."""
    if not address:
        return {}
    found: dict[str, dict[str, float]] = {}
    server = Server(url_of(address), within_s=WITHIN_S)
    try:
        for line in server.text("/metrics").splitlines():
            name, _, value = line.rpartition(" ")
            if line.startswith(METRIC):
                metric, _, labels = name.partition("{")
                found.setdefault(metric, {})[labels] = float(value)
    except (NoAnswerError, ValueError):
        return {}
    return found


def is_stuck(address: str) -> bool:
    """Whether `watch` itself answers that its loop does not turn."""
    try:
        Server(url_of(address), within_s=WITHIN_S).text("/healthz")
    except NoAnswerError as error:
        return "503" in str(error)
    return False
