"""A small server that records what is posted to it."""

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Recorder:
    """Answers with the next of `answers`, then 200. got: the bodies that were answered 200; statuses, paths, headers, times: of all."""

    def __init__(self, answers=()):
        self.bodies, self.paths, self.headers, self.times, self.answers = [], [], [], [], list(answers)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
                outer.times.append(time.time())
                status, text, *more = outer.answer(body, self.headers)
                outer.paths.append(self.path)
                outer.headers.append(dict(self.headers))
                outer.bodies.append((status, json.loads(body)))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self._answer(text, *more)

            def do_GET(self):
                outer.paths.append(self.path)
                status, text = outer.look_up(self.path)
                self.send_response(status)
                self._answer(text)

            def _answer(self, text, headers=()):
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, body, headers):
        """Status and text of the answer to an unpacked body, and headers if there are any."""
        return (self.answers.pop(0) if self.answers else 200), b""

    def look_up(self, path):
        """Status and text of the answer to a GET."""
        return 404, b"404 page not found"

    @property
    def got(self):
        return [body for status, body in list(self.bodies) if status == 200]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
