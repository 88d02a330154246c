"""Run a program with the alert as JSON on its standard input, never in its arguments or a shell."""

import json
import subprocess
from dataclasses import dataclass

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.sink import RefusedError, UnreachableError

TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Command:
    """command: the program and its arguments. An exit status other than 0 is retried."""

    command: tuple[str, ...]

    def send(self, alert: Alert) -> str:
        body = json.dumps(alert.as_json()).encode()
        try:
            done = subprocess.run(self.command, input=body, capture_output=True, check=False, timeout=TIMEOUT_S)
        except (FileNotFoundError, PermissionError) as error:
            raise RefusedError(f"{self.command[0]}: {error.strerror}") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnreachableError(f"{self.command[0]}: {type(error).__name__}") from None
        if done.returncode:
            raise UnreachableError(f"{self.command[0]}: exit status {done.returncode}")
        return "exit status 0"
