"""A real LiteLLM proxy with the files that `generate litellm` writes."""

import http.client
import json
import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cli.running import run
from tests.generate.history import day, stream
from tests.servers import free_port, wait_for

LITELLM = Path(os.environ.get("TABBY_TEST_LITELLM", "/nonexistent"))
KEY = "sk-" + "5e" * 16
COOLDOWN_S, TIMEOUT_S = 3, 2
PRIMARY = "tabby"
STATES = {0: "closed", 1: "half-open", 2: "open"}


@dataclass
class Answer:
    """status: 0 where the client hung up. by: the name of the server that answered."""

    status: int
    text: str = ""

    @property
    def by(self):
        return self.text.split()[0] if self.status == 200 and self.text else ""


def generate(folder, backends, *options):
    """Run the command for a chain of servers, and return its folder."""
    (folder / "day.json").write_text(stream(day(loop=6, quiet_s=1200)))
    first, *others = backends
    named = ["--primary", f"{first.name}={first.url}", *(word for each in others for word in ("--fallback", f"{each.name}={each.url}"))]
    times = ["--cooldown", f"{COOLDOWN_S}s", "--timeout", f"{TIMEOUT_S}s", "--stream-timeout", f"{TIMEOUT_S}s"]
    journal = ["--file", str(folder / "day.json"), "--store", str(folder / "store")]
    done = run("generate", "litellm", *journal, *named, *times, *options, "-o", str(folder))
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load((folder / "litellm.yaml").read_text())
    config["litellm_settings"]["callbacks"].append("prometheus")
    (folder / "litellm.yaml").write_text(yaml.safe_dump(config))
    return folder


def change(folder, **settings):
    """Change settings of the breaker."""
    file = folder / "tabby_breaker.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


class Proxy:
    """The proxy as a process of its own."""

    def __init__(self, folder, workers=1, key=KEY):
        self.port, self.folder = free_port(), folder
        command = [LITELLM, "--config", folder / "litellm.yaml", "--host", "127.0.0.1", "--port", str(self.port), "--telemetry", "False"]
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": str(folder)}
        environment |= {"LITELLM_MASTER_KEY": key} if key else {}
        with (folder / "log").open("ab") as log:
            options = {"stdout": log, "stderr": log, "env": environment, "cwd": folder, "start_new_session": True}
            self.process = subprocess.Popen([*map(str, command), "--num_workers", str(workers)], **options)

    def wait_until_ready(self):
        wait_for(lambda: self.process.poll() is not None or self._is_alive(), 300)
        assert self.process.poll() is None, self.log()[-3000:]

    def _is_alive(self):
        with suppress(OSError):
            return self.get("/health/liveliness").status == 200
        return False

    def stop(self, number=signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        self.process.wait(20)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def get(self, path, key=KEY):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            with connection.getresponse() as answer:
                return Answer(answer.status, answer.read().decode())

    def post(self, path, body):
        """Return the status of an answer."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", path, json.dumps(body), headers)
            with connection.getresponse() as answer:
                answer.read()
                return answer.status

    def ask(self, stream=False, key=KEY, model=PRIMARY, hang_up_after_s=None):
        """Ask for a completion; text: the answer's content."""
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "x"}]}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=hang_up_after_s or 30)) as connection:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            try:
                with connection.getresponse() as answer:
                    return Answer(answer.status, _content(answer.read().decode(), stream and answer.status == 200))
            except TimeoutError:
                return Answer(0)

    def ask_at_once(self, count, **options):
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.ask(**options), range(count)))

    def metrics(self):
        """Return the breaker's own metrics: name and deployment → value."""
        text = self.get("/metrics/").text
        series = re.findall(r'^(tabby_\w+)\{deployment="([^"]+)"\} (\S+)', text, re.MULTILINE)
        return {(name, each): float(value) for name, each, value in series}

    def state(self, name=PRIMARY):
        return STATES[self.metrics()["tabby_breaker_state", name]]


def _content(text, streamed):
    if not streamed:
        with suppress(ValueError, KeyError):
            return json.loads(text)["choices"][0]["message"]["content"]
        return text
    events = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk.get("choices"))


@contextmanager
def running_proxy(folder, workers=1):
    proxy = Proxy(folder, workers)
    try:
        proxy.wait_until_ready()
        yield proxy
    finally:
        proxy.stop()
