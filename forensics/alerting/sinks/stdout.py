"""Standard output, as text or as one JSON object per line."""

import json
from dataclasses import dataclass

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.sink import UnreachableError


@dataclass(frozen=True, slots=True)
class Stdout:
    json_lines: bool = False

    def send(self, alert: Alert) -> str:
        try:
            print(json.dumps(alert.as_json()) if self.json_lines else alert.as_text(), flush=True)  # noqa: T201
        except OSError as error:  # nobody reads it any more, or the disk is full
            raise UnreachableError(error.strerror) from None
        return "written"
