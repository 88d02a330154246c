"""Requests to one deployment behind a circuit breaker of LiteLLM, on a clock that the test sets."""

from forensics.generate.litellm_breaker import Breaker, Breakers, Settings

LIMITS = Settings(host="alpha")
NAME = "tabby"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Requests:
    """Requests to one deployment, each with an id of its own."""

    def __init__(self, limits=LIMITS):
        self.clock, self.changes, self.count = Clock(), [], 0
        self.breakers = Breakers(limits, lambda name, before, after, why: self.changes.append((before.state, after.state, why)), self.clock)

    @property
    def state(self):
        return self.breakers.all.get(NAME, Breaker()).state

    def begin(self):
        """Return the id of a request that was sent; none where it may not be."""
        self.count += 1
        request = f"r{self.count}"
        if not self.breakers.choose(request, [NAME]):
            return None
        self.breakers.sent(request, NAME)
        return request

    def fail(self, times=1, counts=True):
        for _ in range(times):
            self.breakers.refused(self.begin(), NAME, "Timeout", counts=counts)

    def succeed(self):
        self.breakers.answered(self.begin(), NAME)
