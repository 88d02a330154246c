"""Serve /metrics and /healthz over HTTP, in one thread, to clients of which each may be slow, broken or hostile.

A request of a well-behaved client is answered as soon as it is there. Every connection ends after TIMEOUT_S; when there are too many, the
oldest one makes room, so that those who only hold connections keep nobody else out.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from forensics.errors import ForensicsError
from forensics.watch.metrics import Metrics

STUCK_S = 30.0  # without a round of the loop: unhealthy
TIMEOUT_S = 10.0  # for a request and its answer
LINGER_S = 1.0  # in which a client may read a refusal while it still sends
MOST_CONNECTIONS, MOST_WAITING = 64, 1024  # accepted ones, each a file of this process; others wait in the kernel
LONGEST_HEAD = 8192  # bytes of a request's line and headers; a request has no body
PIECE = 1 << 16  # bytes that are written at once: what a slow client has not read is kept in memory
PAUSES_PER_RENDERING = 10  # a page is served again for ten times as long as it took to make
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(slots=True)
class Exporter:
    """A running server; `port` is the one that it listens on."""

    metrics: Metrics
    port: int
    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread | None = None
    _connections: dict[asyncio.Task[None], None] = field(default_factory=dict)  # oldest first
    _page: bytes = b""
    _page_until: float = 0.0

    def close(self) -> None:
        """Stop listening and end all connections."""
        with suppress(RuntimeError):  # closed already
            self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join(TIMEOUT_S)

    def start(self, listener: socket.socket) -> None:
        """Answer clients in a thread of its own."""
        self._loop.set_exception_handler(lambda _loop, _context: None)  # what happens to a client's connection is not `watch`'s trouble
        listening = asyncio.start_server(self._answer, sock=listener, limit=LONGEST_HEAD, backlog=MOST_CONNECTIONS)
        server = self._loop.run_until_complete(listening)
        listener.listen(MOST_WAITING)  # more than asyncio's backlog, which is also how many it accepts at once
        self._thread = threading.Thread(target=self._run, args=(server,), name="metrics", daemon=True)
        self._thread.start()

    def _run(self, server: asyncio.Server) -> None:
        try:
            self._loop.run_forever()
        finally:
            server.close()
            self._loop.run_until_complete(_end_tasks())
            self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection, and end it."""
        task = asyncio.current_task()
        if task is None:  # never: this is a task's own code
            return
        self._connections[task] = None
        if len(self._connections) > MOST_CONNECTIONS:
            oldest = next(iter(self._connections))
            del self._connections[oldest]
            oldest.cancel()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._serve(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):  # it hung up, was too slow (TimeoutError is an OSError), or made room
            pass
        finally:
            self._connections.pop(task, None)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            status, body, is_head = 431, b"this request is too long\n", False
        else:
            status, body, is_head = self._response(request)
        allowed = "Allow: GET, HEAD\r\n" if status == 405 else ""
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nServer: tabby-forensics\r\n{allowed}Connection: close\r\n"
            f"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        await _write(writer, head.encode() + (b"" if is_head else body))
        async with asyncio.timeout(LINGER_S):
            while await reader.read(PIECE):
                pass

    def _response(self, request: bytes) -> tuple[int, bytes, bool]:
        """Return status and body of the answer, and whether only its head was asked for."""
        method, _, rest = request.partition(b"\r\n")[0].partition(b" ")
        path, _, version = rest.partition(b" ")
        if not path or not version.startswith(b"HTTP/1."):
            return 400, b"this is no request of HTTP/1.1\n", False
        if method not in {b"GET", b"HEAD"}:
            return 405, b"only GET and HEAD are answered\n", False
        return *self._page_of(path.partition(b"?")[0]), method == b"HEAD"

    def _page_of(self, path: bytes) -> tuple[int, bytes]:
        if path == b"/metrics":
            try:
                return 200, self._metrics_page()
            except Exception as error:  # noqa: BLE001 - /healthz must be answered all the same
                return 500, f"the metrics cannot be shown: {type(error).__name__}\n".encode()
        if path != b"/healthz":
            return 404, b"not found: try /metrics or /healthz\n"
        alive_at = self.metrics.alive_at
        stuck = alive_at is not None and time.monotonic() - alive_at > STUCK_S
        return (503, b"stuck\n") if stuck else (200, b"ok\n" if self.metrics.learning is None else b"learning\n")

    def _metrics_page(self) -> bytes:
        """Render the metrics, or return them as they were: whoever asks without a pause does not keep `watch` from its work."""
        began = time.monotonic()
        if began >= self._page_until:
            self._page = self.metrics.text()
            took = time.monotonic() - began
            self._page_until = began + took + PAUSES_PER_RENDERING * took
        return self._page


def serve(metrics: Metrics, host: str, port: int) -> Exporter:
    """Serve the metrics until `close`. Raises ForensicsError when the address is not available."""
    try:
        listener = _listening(host, port)
    except (OSError, UnicodeError) as error:
        shown = f"[{host}]" if ":" in host else host
        raise ForensicsError(f"The exporter cannot listen on {shown}:{port}: {getattr(error, 'strerror', '') or error}.") from None
    exporter = Exporter(metrics, listener.getsockname()[1], asyncio.new_event_loop())
    exporter.start(listener)
    return exporter


async def _end_tasks() -> None:
    await asyncio.sleep(0)  # a connection that was just accepted has a task that has not begun
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # closes their sockets


async def _write(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Write as fast as the client reads, so that only a piece of it waits in memory."""
    writer.transport.set_write_buffer_limits(high=0)
    for start in range(0, len(content), PIECE):
        writer.write(content[start : start + PIECE])
        await writer.drain()
    writer.write_eof()


def _listening(host: str, port: int) -> socket.socket:
    """Listen on the first IPv4 address of a host, else on its first IPv6 address; [::] takes both. Raises OSError."""
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, *_, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # [::] also listens where the kernel's default is 1
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
