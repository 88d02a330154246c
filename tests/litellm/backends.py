"""Model servers whose behaviour a test chooses, and which count what they are asked."""

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = ("one ", "two ", "three")


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that hangs up is part of the tests."""


class Backend:
    """An OpenAI-like model server. mode: ok, a status, hang, slow, or of streams first-error, late-error, late-cut, late-hang."""

    def __init__(self, name):
        self.name, self.mode, self.health, self.hits, self.checks, self.hang_s = name, "ok", 200, 0, 0, 8
        self.server = None
        self.start()

    def start(self, port=0):
        handler = type("Handler", (Handler,), {"backend": self})
        self.server = _Quiet(("127.0.0.1", port), handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Refuse connections from now on."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def set(self, mode, health=200):
        self.mode, self.health, self.hits, self.checks = mode, health, 0, 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    backend: Backend

    def do_GET(self):
        self.backend.checks += 1
        self._send(self.backend.health, {"status": "as set"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.backend.hits += 1
        mode = self.backend.mode
        if mode == "hang":
            time.sleep(self.backend.hang_s)
            self.close_connection = True
        elif mode.isdecimal():
            self._send(int(mode), {"error": {"message": "as set", "type": "test"}})
        elif body.get("stream"):
            with suppress(OSError):
                self._stream(mode)
        else:
            time.sleep(1 if mode == "slow" else 0)
            message = {"role": "assistant", "content": self.backend.name}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            self._send(200, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage})

    def _send(self, status, answer):
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")  # a server that is stopped must not answer on an old connection
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _stream(self, mode):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        if mode == "first-error":
            return self._end({"error": {"message": "CUDA error", "type": "server_error"}})
        for word in WORDS:
            self._event({"index": 0, "delta": {"role": "assistant", "content": f"{self.backend.name} {word}"}})
            time.sleep({"slow": 1, "ok": 0.05}.get(mode, 0.5))  # the first word must have arrived before it breaks off
            if mode == "late-error":
                return self._end({"error": {"message": "CUDA error", "type": "server_error"}})
            if mode == "late-cut":
                self.close_connection = True  # without the last chunk
                return None
            if mode == "late-hang":
                time.sleep(self.backend.hang_s)
        self._event({"index": 0, "delta": {}, "finish_reason": "stop"})
        return self._end("[DONE]")

    def _event(self, choice):
        self._chunk(json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}))

    def _end(self, last):
        self._chunk(last if isinstance(last, str) else json.dumps(last))
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, text):
        event = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()

    def log_message(self, *_):
        pass
