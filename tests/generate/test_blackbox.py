"""The probe asks the port that stable attempts show; promtool and blackbox_exporter accept both files."""

import json
import shutil
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest
import yaml

from forensics.errors import UsageError
from forensics.generate.blackbox import Asked, Probe, module_text, probe_files, probes, scrape_text
from forensics.generate.endpoints import endpoint_of
from tests.generate.history import UNIT, day, investigated
from tests.servers import free_port, http_get, wait_for

COMPLETION = Probe(UNIT, 5000, completion=True, model="llama", key_file="/etc/prometheus/key")
EXPORTER = shutil.which("prometheus-blackbox-exporter")


def test_the_port_is_the_one_of_stable_attempts(found):
    endpoint = endpoint_of(found, UNIT)
    assert endpoint is not None
    assert (endpoint.port, endpoint.others) == (5000, (5001,))


def test_a_unit_that_was_never_stable_shows_no_port(tmp_path):
    unstable = day(loop=5, isolated=0)
    del unstable.lines[:2]  # the first attempt's start and address
    assert endpoint_of(investigated(tmp_path, unstable), "other.service") is None


def test_a_port_that_is_not_shown_must_be_given(basis):
    (probe,) = probes(basis, Asked(port=8080))
    assert probe.target == "http://127.0.0.1:8080/health"
    (text,) = [text for name, text in probe_files(basis, {probe: None}).items() if name.startswith("blackbox")]
    assert "Port 8080 was given with --port" in text


def test_both_files_say_where_the_port_comes_from_and_what_is_not_proven(basis):
    files = probe_files(basis, probes(basis, Asked()))
    assert set(files) == {"blackbox-tabby.yml", "scrape-tabby.yml"}
    for text in files.values():
        comments = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
        assert "lines of attempts that were stable name it (only failing attempts name 5001)" in comments
        assert "that it answers is not proven" in comments


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
@pytest.mark.parametrize("probe", [Probe(UNIT, 5000), COMPLETION, Probe(r"odd\x2dname@.service", 1)])
def test_promtool_accepts_the_scrape_configuration(tmp_path, probe):
    file = tmp_path / "prometheus.yml"
    file.write_text(scrape_text("# head\n", probe))
    done = subprocess.run(["promtool", "check", "config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.real
@pytest.mark.skipif(EXPORTER is None, reason="blackbox_exporter is not installed")
@pytest.mark.parametrize("probe", [Probe(UNIT, 5000), COMPLETION])
def test_blackbox_exporter_accepts_the_module(tmp_path, probe):
    (tmp_path / "blackbox.yml").write_text(module_text("# head\n", probe))
    command = [str(EXPORTER), f"--config.file={tmp_path / 'blackbox.yml'}", "--config.check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Server:
    """Answers /health and completions as told."""

    def __init__(self):
        self.health, self.completion = 200, b'{"choices": [{"text": "2"}]}'
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(outer.health, b"ok")

            def do_POST(self):
                assert json.loads(self.rfile.read(int(self.headers["Content-Length"])))["max_tokens"] == 1
                self.answer(200, outer.completion)

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.mark.real
@pytest.mark.skipif(EXPORTER is None, reason="blackbox_exporter is not installed")
@pytest.mark.parametrize("completion", [False, True])
def test_a_real_probe_succeeds_and_fails_with_the_service(tmp_path, completion):
    server, address = Server(), f"127.0.0.1:{free_port()}"
    probe = Probe(UNIT, server.server.server_port, completion=completion)
    (tmp_path / "blackbox.yml").write_text(module_text("# head\n", probe))
    question = urlencode({"module": probe.name, "target": probe.target})

    def succeeds():
        with suppress(OSError):
            page = http_get(f"http://{address}/probe?{question}").decode()
            return float(page.partition("\nprobe_success ")[2].partition("\n")[0])
        return None

    command = [str(EXPORTER), "--config.file=blackbox.yml", f"--web.listen-address={address}"]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path) as process:
        try:
            wait_for(lambda: succeeds() is not None)
            assert succeeds() == 1
            server.health, server.completion = 503, b'{"error": "no model is loaded"}'
            assert succeeds() == 0
        finally:
            process.kill()


def test_a_completion_is_one_token_with_an_answer_that_is_looked_at():
    http = yaml.safe_load(module_text("", COMPLETION))["modules"]["tabby_completion"]["http"]
    assert http["body"] == '{"prompt": "1", "max_tokens": 1, "model": "llama"}'
    assert http["fail_if_body_not_matches_regexp"] == ['"choices"']
    assert http["authorization"]["credentials_file"] == "/etc/prometheus/key"


def test_one_port_is_of_one_unit(basis, tmp_path):
    several = investigated(tmp_path, day(), day("other.service"))
    from forensics.generate.basis import basis_of

    with pytest.raises(UsageError, match=r"--port is the port of one unit.*other\.service, tabby\.service"):
        probes(basis_of(several), Asked(port=1))
