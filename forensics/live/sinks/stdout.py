"""Standard output, as text or as one JSON object a line."""

import json
from dataclasses import dataclass

from forensics.live.alert import Alert


@dataclass(frozen=True, slots=True)
class Stdout:
    json_lines: bool = False

    def send(self, alert: Alert) -> str:
        print(json.dumps(alert.as_json()) if self.json_lines else alert.as_text(), flush=True)  # noqa: T201
        return "written"
