"""What receivers answer about the alert of a drill, and what they do not."""

import json

import pytest

from forensics.alerting.sinks.alertmanager import Alertmanager
from forensics.alerting.sinks.ntfy import Ntfy
from forensics.alerting.sinks.webhook import Webhook
from forensics.guard.drill.reach import why_unreachable
from forensics.guard.drill.read_back import notifications, page, read_back
from forensics.guard.drill.unit import Started
from tests.http_recorder import Recorder
from tests.servers import free_port

STARTED = Started("tabby-drill-a-1.service", 1000.0)
LABELS = {"unit": STARTED.unit, "drill": "true"}


class Receiver(Recorder):
    """Answers a GET of a path that starts with one of `pages`."""

    def __init__(self, pages):
        super().__init__()
        self.pages = {path: text if isinstance(text, str) else json.dumps(text) for path, text in pages.items()}

    def look_up(self, path):
        found = [text for start, text in self.pages.items() if path.startswith(start)]
        return (200, found[0].encode()) if found else (404, b"")


def asked(pages, kind=Alertmanager, link="read back", sent=None):
    """Ask the probe of a sink whose receiver answers so."""
    with Receiver(pages) as server:
        sink = kind(server.url + ("/topic" if kind is Ntfy else ""))
        probes = {probe.link: probe for probe in read_back("s", sink, STARTED, sent or {})}
        arrival = probes[f"s, {link}"].ask()
        return arrival, server.paths, probes[f"s, {link}"].why()


def alerts(labels=LABELS, state="active", receivers=({"name": "phone"},)):
    return {"/api/v2/alerts": [{"labels": labels, "status": {"state": state}, "receivers": list(receivers)}]}


@pytest.mark.parametrize(
    ("pages", "text", "is_right", "reason"),
    [
        (alerts(), "for the receiver phone", True, "as it should be"),
        (alerts(receivers=()), "for no receiver", True, "no route leads anywhere"),
        (alerts(labels={}), 'for the receiver phone, without the label drill="true"', True, "an older `watch`: nobody can route it away"),
        (alerts(state="suppressed"), "for the receiver phone, but silenced or inhibited there: nobody is notified", False, "silenced"),
        (alerts(receivers=[{"name": "\x1b[2Jx"}, 3, None] * 1000), "for the receiver ", True, "hostile"),
    ],
)
def test_alertmanager_is_quoted(pages, text, is_right, reason):
    arrival, paths, _ = asked(pages)
    assert arrival.text.startswith(text), reason
    assert (arrival.is_right, "\x1b" in arrival.text, len(arrival.text) < 200) == (is_right, False, True)
    assert paths[0] == "/api/v2/alerts?filter=unit%3D%22tabby-drill-a-1.service%22"


@pytest.mark.parametrize("answer", [[], {}, "<html>", [1, "x"], None, "[" * 100_000], ids=lambda answer: str(answer)[:10])
def test_an_answer_without_the_alert_is_none(answer):
    assert asked({"/api/v2/alerts": answer})[0] is None


METRICS = """\
alertmanager_notifications_total{integration="webhook"} 5
alertmanager_notifications_total{integration="email",x="}"} 2
alertmanager_notifications_failed_total{integration="webhook"} 1
alertmanager_notifications_suppressed_total 9
"""


@pytest.mark.parametrize(
    ("before", "has_sent", "why", "reason"),
    [
        ((6.0, 1.0), True, "", "one more was sent"),
        ((7.0, 1.0), False, "it has sent no notification", "nothing since"),
        ((6.0, 0.0), False, "its notifications fail", "one was tried, in vain"),
    ],
)
def test_a_notification_counts_when_it_was_not_in_vain(before, has_sent, why, reason):
    arrival, _, reported = asked({"/metrics": METRICS, **alerts()}, link="notification", sent={"s": before})
    assert (arrival is not None) == has_sent, reason
    assert has_sent or reported.startswith(why), reason


def test_a_notification_before_the_alert_has_arrived_is_anothers():
    assert asked({"/metrics": METRICS, "/api/v2/alerts": []}, link="notification", sent={"s": (6.0, 1.0)})[0] is None


def test_counters_are_known_of_alertmanager_only():
    with Receiver({"/metrics": METRICS}) as server, Receiver({"/metrics": "up 1\n"}) as other:
        assert notifications(Alertmanager(server.url)) == (7.0, 1.0)
        assert notifications(Alertmanager(other.url)) is None
        assert notifications(Webhook(server.url)) is None


@pytest.mark.parametrize(
    ("lines", "has_it", "reason"),
    [
        (f'{{"title": "x failed: {STARTED.unit}"}}\n', True, "in the title"),
        (f'garbage\n[1]\n{{"message": "… {STARTED.unit}"}}\n', True, "after lines of another form"),
        ('{"title": "tabby-drill-b-2.service"}\n', False, "of another drill"),
        ("", False, "nothing yet"),
    ],
)
def test_ntfy_is_read_back_by_its_topic(lines, has_it, reason):
    arrival, paths, _ = asked({"/topic/json": lines}, kind=Ntfy)
    assert (arrival is not None) == has_it, reason
    assert paths[0] == "/topic/json?poll=1&since=995"


def test_a_page_counts_once_it_names_the_unit():
    with Receiver({"/log?a=1": f"… {STARTED.unit} …", "/other": "nothing"}) as server:
        probe = page(1, f"{server.url}/log?a=1", STARTED.unit)
        assert probe.ask() is not None
        assert probe.link == f"page 1, {server.url}"  # a path may be a secret
        assert page(1, f"{server.url}/other", STARTED.unit).ask() is None
        assert page(1, f"{server.url}/none", STARTED.unit).ask() is None


def test_whether_a_server_is_there_is_found_out_without_sending_anything():
    with Recorder() as server:
        assert why_unreachable(f"{server.url}/secret/path") == ""
    assert server.paths == []
    assert why_unreachable(f"http://127.0.0.1:{free_port()}/") == "its server refuses connections: nothing listens there"
    assert why_unreachable("http://no-such-host.invalid/", 2.0).startswith("its server ")
