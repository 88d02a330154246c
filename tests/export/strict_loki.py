"""A stand-in for Loki that refuses what Loki 3.4 and 3.7 were measured to refuse, and stores what they store."""

import json
import re
import time

from tests.http_recorder import Recorder

MOST_LABELS, LONGEST_VALUE, LONGEST_LINE, MOST_METADATA, MOST_METADATA_BYTES = 15, 2048, 262_144, 128, 65_536
MOST_BYTES, MOST_STREAMS = 4 << 20, 5000
WEEK, HOUR, GRACE = 7 * 86400 * 10**9, 3600 * 10**9, 600 * 10**9
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class StrictLoki(Recorder):
    """stored: (labels, ns, line) → metadata. oldest: how old a line may be, in nanoseconds; None for any age."""

    def __init__(self, answers=(), oldest=None):
        self.stored, self.newest, self.oldest, self.sizes = {}, {}, oldest, []
        super().__init__(answers)

    def lines(self, unit):
        """What is stored of a unit."""
        return sorted(line for key, _, line in self.stored if json.loads(key)["unit"] == unit)

    def answer(self, body, headers):
        if self.answers:
            return self.answers.pop(0), b""
        self.sizes.append(len(body))
        if headers["Content-Type"] != "application/json":
            return 400, b"no Content-Type"
        if len(body) > MOST_BYTES:
            return 500, b"rpc error: grpc: received message larger than max"
        streams = json.loads(body)["streams"]
        if not streams:
            return 422, b"at least one valid stream is required"
        answers = [self._stream(stream["stream"], stream["values"]) for stream in streams]
        wrong = [answer for answer in answers if answer is not None]
        return wrong[0] if wrong else (204, b"")

    def _stream(self, labels, values):
        if len(labels) > MOST_LABELS:
            return 400, b"has 16 label names; limit 15"
        if any(not NAME.fullmatch(name) for name in labels) or any(len(value.encode()) > LONGEST_VALUE for value in labels.values()):
            return 400, b"error parsing labels"
        key = json.dumps(labels, sort_keys=True)
        if key not in self.newest and len(self.newest) >= MOST_STREAMS:
            return 429, b"maximum active stream limit exceeded"
        self.newest.setdefault(key, 0)
        problems = [problem for value in values if (problem := self._line(key, value))]
        if not problems:
            return None
        return 400, f"{problems[0]}, user 'fake', total ignored: {len(problems)} out of {len(values)} for stream: {key}".encode()

    def _line(self, key, value):
        ns, line, metadata = int(value[0]), value[1], value[2] if len(value) > 2 else {}
        line.encode()  # a lone surrogate is refused
        now = time.time_ns()
        rules = {
            "Max entry size exceeded": len(line.encode()) > LONGEST_LINE,
            "structured metadata too large": len(metadata) > MOST_METADATA or len(json.dumps(metadata)) > MOST_METADATA_BYTES,
            "structured metadata is no text": any(not isinstance(text, str) for text in metadata.values()),
            "entry has timestamp too old": self.oldest is not None and ns < now - self.oldest,
            "entry has timestamp too new": ns > now + GRACE,
            "entry too far behind": ns < self.newest[key] - HOUR,
        }
        if broken := [rule for rule, holds in rules.items() if holds]:
            return broken[0]
        self.newest[key] = max(self.newest[key], ns)
        self.stored[key, ns, line] = metadata
        return None
