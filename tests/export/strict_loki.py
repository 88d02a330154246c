"""A stand-in for Loki that refuses, splits and stores what Loki 3.4 and 3.7 were measured to refuse, split and store."""

import json
import math
import re
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from tests.http_recorder import Recorder

MOST_LABELS, LONGEST_VALUE, LONGEST_LINE, MOST_METADATA, MOST_METADATA_BYTES = 15, 2048, 262_144, 128, 65_536
MOST_BYTES, MOST_STREAMS = 4 << 20, 5000
DESIRED_RATE = 1536 << 10  # bytes per second from which on a stream is split (shard_streams.desired_rate)
WEEK, HOUR, GRACE = 7 * 86400 * 10**9, 3600 * 10**9, 600 * 10**9
NAMED = 10  # ignored lines that an answer names
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
SHARD = "__stream_shard__"


def utc(ns):
    return datetime.fromtimestamp(ns // 10**9, UTC)


class StrictLoki(Recorder):
    """stored: (labels, ns, line) → metadata; a stream that is split has one key per shard, and a line may be in two.

    oldest: how old a line may be, in nanoseconds; None for any age. is_split: shard_streams. limit: bytes per second and burst of a stream,
    which a line that exceeds them does not pass, while later ones may. shows: whether queries find lines.
    """

    def __init__(self, answers=(), oldest=None, *, is_split=True, limit=None, retry_after=None, shows=True):
        self.stored, self.newest, self.oldest, self.sizes = {}, {}, oldest, []
        self.is_split, self.limit, self.retry_after, self.shows = is_split, limit, retry_after, shows
        self.slept, self.rates, self.tokens = [], {}, {}
        super().__init__(answers)

    def now(self):
        """Seconds of a clock that only `sleep` moves: what a rate limit lets through does not depend on how busy the machine is."""
        return sum(self.slept)

    def sleep(self, seconds):
        self.slept.append(seconds)

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

    def look_up(self, path):
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        labels = {name: json.loads(f'"{value}"') for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', query["query"])}
        found = [
            {"stream": json.loads(key), "values": [[str(ns), line]]}
            for key, ns, line in sorted(self.stored)
            if self.shows and labels.items() <= json.loads(key).items() and int(query["start"]) <= ns < int(query["end"])
        ]
        return 200, json.dumps({"status": "success", "data": {"resultType": "streams", "result": found[: int(query["limit"])]}}).encode()

    def _stream(self, labels, values):
        if len(labels) > MOST_LABELS:
            return 400, b"has 16 label names; limit 15"
        if any(not NAME.fullmatch(name) for name in labels) or any(len(value.encode()) > LONGEST_VALUE for value in labels.values()):
            return 400, b"error parsing labels"
        key = json.dumps(labels, sort_keys=True)
        if key not in self.newest and len(self.newest) >= MOST_STREAMS:
            return 429, b"maximum active stream limit exceeded"
        self.newest.setdefault(key, 0)
        valid, wrong = [], None
        for value in values:
            problem = self._invalid(key, value)
            wrong = wrong or problem
            valid += [] if problem else [value]
        answers = [self._ingest(json.dumps(part, sort_keys=True), lines) for part, lines in self._shards(labels, key, valid)]
        return next((answer for answer in answers if answer), None) or (wrong and (400, wrong.encode()))

    def _shards(self, labels, key, values):
        """Split the lines of a fast stream: by its rate of the last second and the size of the request."""
        now, size = self.now(), sum(len(value[1].encode()) for value in values)
        recent = [(at, sent) for at, sent in self.rates.get(key, []) if at > now - 1]
        self.rates[key] = [*recent, (now, size)]
        rate = sum(sent for _, sent in recent)
        number = math.ceil((rate + size) / DESIRED_RATE) if rate and self.is_split else 1
        if number <= 1:
            return [(labels, values)]
        each = math.ceil(len(values) / number)
        return [(labels | {SHARD: str(n)}, values[n * each : (n + 1) * each]) for n in range(number)]

    def _invalid(self, key, value):
        """Why a line is refused before any is stored, without a count of them."""
        ns, line, metadata = int(value[0]), value[1], value[2] if len(value) > 2 else {}
        line.encode()  # a lone surrogate is refused
        now = time.time_ns()
        cut = 0 if self.oldest is None else now - self.oldest
        old = f"timestamp too old: {utc(ns):%FT%TZ}, oldest acceptable timestamp is: {utc(cut):%FT%TZ}"
        rules = {
            f"Max entry size '262144' bytes exceeded for stream '{key}'": len(line.encode()) > LONGEST_LINE,
            "structured metadata too large": len(metadata) > MOST_METADATA or len(json.dumps(metadata)) > MOST_METADATA_BYTES,
            "structured metadata is no text": any(not isinstance(text, str) for text in metadata.values()),
            f"entry for stream '{key}' has {old}": ns < cut,
            f"entry for stream '{key}' has timestamp too new: {utc(ns):%FT%TZ}": ns > now + GRACE,
        }
        return next((rule for rule, is_broken in rules.items() if is_broken), None)

    def _ingest(self, key, values):
        """Store lines in their order; those that are ignored are counted, and the first ones named."""
        ignored, status = [], 400
        for value in values:
            ns, line = int(value[0]), value[1]
            newest = self.newest.setdefault(key, 0)
            if not self._is_within_limit(key, len(line.encode())):
                ignored.append((ns, "Per stream rate limit exceeded"))
                status = 429
            elif ns < newest - HOUR:
                ignored.append((ns, f"entry too far behind, oldest acceptable timestamp is: {utc(newest - HOUR):%FT%TZ}"))
            else:
                self.newest[key] = max(newest, ns)
                self.stored.setdefault((key, ns, line), value[2] if len(value) > 2 else {})
        if not ignored:
            return None
        named = [f"entry with timestamp {utc(ns):%F %T}.{ns % 10**9:09} +0000 UTC ignored, reason: '{why}'," for ns, why in ignored[:NAMED]]
        text = "\n".join([*named, f"user 'fake', total ignored: {len(ignored)} out of {len(values)} for stream: {key}"])
        headers = {"Retry-After": str(self.retry_after)} if status == 429 and self.retry_after is not None else {}
        return status, text.encode(), headers

    def _is_within_limit(self, key, size):
        """Take the bytes of a line from the stream's token bucket."""
        if self.limit is None:
            return True
        rate, burst = self.limit
        now = self.now()
        tokens, at = self.tokens.get(key, (burst, now))
        tokens = min(burst, tokens + (now - at) * rate)
        self.tokens[key] = (tokens - size if tokens >= size else tokens, now)
        return tokens >= size
