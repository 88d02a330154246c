"""Talk to one Loki over HTTP: send lines of a stream, ask which of them it shows."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.alerting.sinks.http import Answer, request
from forensics.alerting.sinks.sink import UnreachableError
from forensics.export.loki_streams import Line, LogStream, as_value

NO_ANSWER = 0  # instead of an HTTP status
MOST_READ = 16 << 20  # bytes of an answer
MOST_FOUND = 5000  # lines of an answer to a query; Loki's own limit
LONGEST_QUERY_NS = 30 * 86400 * 10**9  # Loki's own limit is an hour more


@dataclass(frozen=True, slots=True)
class LokiClient:
    url: str
    tenant: str = ""
    token: str = ""

    def send(self, stream: LogStream, lines: Sequence[Line]) -> Answer:
        """Push lines of one stream; without an answer the status is NO_ANSWER and the text is why."""
        try:
            return request(self._address("push"), push_body(stream, lines), self._headers, zipped=True, most_read=MOST_READ)
        except UnreachableError as error:
            return Answer(NO_ANSWER, str(error))

    def stored(self, stream: LogStream, lines: Sequence[Line]) -> set[tuple[int, str]]:
        """Ask which lines Loki shows between the first and the last of these; none if it does not answer queries."""
        first, last = lines[0][0], lines[-1][0]
        if last - first >= LONGEST_QUERY_NS:
            middle = len(lines) // 2
            return self.stored(stream, lines[:middle]) | self.stored(stream, lines[middle:])
        selector = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in stream.labels.items())
        query = {"query": f"{{{selector}}}", "start": first, "end": last + 1, "limit": MOST_FOUND, "direction": "forward"}
        try:
            answer = request(f"{self._address('query_range')}?{urllib.parse.urlencode(query)}", None, self._headers, most_read=MOST_READ)
            return _lines_of(answer) if answer.status == 200 else set()
        except (UnreachableError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # whatever it is that answers
            return set()

    def _address(self, endpoint: str) -> str:
        return f"{self.url.rstrip('/')}/loki/api/v1/{endpoint}"

    @property
    def _headers(self) -> dict[str, str]:
        tenant = {"X-Scope-OrgID": self.tenant} if self.tenant else {}
        return tenant | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


def push_body(stream: LogStream, lines: Sequence[Line]) -> bytes:
    """Encode a push request of one stream, so that the number of lines that Loki ignores is exact."""
    values = ",".join(as_value(line) for line in lines)
    return f'{{"streams":[{{"stream":{json.dumps(stream.labels)},"values":[{values}]}}]}}'.encode()


def _lines_of(answer: Answer) -> set[tuple[int, str]]:
    result = json.loads(answer.text)["data"]["result"]
    return {(int(ns), line) for stream in result for ns, line, *_ in stream["values"]}
