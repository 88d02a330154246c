"""Drive a real Chromium over its DevTools pipe: open pages, evaluate scripts, take pictures, collect its console."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
]
PATIENCE_S = 60


class Chromium:
    """One browser with one tab; `console` holds errors, warnings, exceptions and policy violations, `requests` every address asked for."""

    def __init__(self, profile: Path) -> None:
        out_read, self._write = os.pipe()  # the browser reads commands from its descriptor 3 and answers on 4
        self._read, in_write = os.pipe()
        self._browser = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{out_read} 4>&{in_write}', "bash", CHROMIUM, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(out_read, in_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        os.close(out_read)
        os.close(in_write)
        self._waiting, self._sent, self._events = b"", 0, []
        self.console: list[str] = []
        self.requests: list[str] = []
        try:
            self._session = self._attach()
        except BaseException:
            self.__exit__()
            raise

    def _attach(self) -> str:
        target = self._call("Target.createTarget", {"url": "about:blank"}, session="")["targetId"]
        session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True}, session="")["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable", session=session)
        return session

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write)
        self._browser.terminate()
        self._browser.wait(PATIENCE_S)
        os.close(self._read)

    def open(self, page: Path, *, width: int = 1400, height: int = 900, dark: bool = False, scripts: bool = True, media: str = "") -> None:
        """Loads a file afresh and waits for its load event."""
        self.console.clear()
        self.requests.clear()
        self._events.clear()
        self.resize(width, height)
        self._call("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.scheme(dark=dark, media=media)
        self._call("Page.navigate", {"url": page.resolve().as_uri()})
        self._until(lambda: "Page.loadEventFired" in self._events)

    def resize(self, width: int, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", size)

    def scheme(self, *, dark: bool, media: str = "") -> None:
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def point(self, selector: str, x: float, y: float) -> None:
        """Move the mouse to a place in an element, in parts of its width and height."""
        box = self.run(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")
        at = {"x": box["left"] + box["width"] * x, "y": box["top"] + box["height"] * y}
        self._call("Input.dispatchMouseEvent", {"type": "mouseMoved", **at})

    def run(self, expression: str):
        """The value of a JavaScript expression; promises are awaited."""
        answer = self._call("Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True})
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self.run(expression):
            assert time.monotonic() < deadline, expression
            time.sleep(0.05)

    def picture(self, to: Path, *, whole: bool = False) -> None:
        shot = self._call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole, **(self._whole() if whole else {})})
        to.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self, to: Path) -> None:
        to.write_bytes(base64.b64decode(self._call("Page.printToPDF", {"preferCSSPageSize": True})["data"]))

    def _whole(self) -> dict:
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def _call(self, method: str, parameters: dict | None = None, session: str | None = None) -> dict:
        self._sent += 1
        number = self._sent
        message = {"id": number, "method": method, "params": parameters or {}}
        if session != "":
            message["sessionId"] = session or self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer: dict = {}

        def answered() -> bool:
            nonlocal answer
            answer = next((m for m in self._answers if m["id"] == number), {})
            return bool(answer)

        self._answers: list[dict] = []
        self._until(answered)
        assert "error" not in answer, answer
        return answer["result"]

    def _until(self, done) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, "Chromium does not answer"
            raw = os.read(self._read, 1 << 20)
            assert raw, "Chromium ended"
            *messages, self._waiting = (self._waiting + raw).split(b"\0")
            for message in messages:
                self._take(json.loads(message))

    def _take(self, message: dict) -> None:
        if "id" in message:
            self._answers.append(message)
            return
        method, details = message["method"], message.get("params", {})
        self._events.append(method)
        if method == "Runtime.consoleAPICalled":
            self.console.append(f"{details['type']}: {[each.get('value') for each in details['args']]}")
        elif method == "Runtime.exceptionThrown":
            self.console.append(f"exception: {details['exceptionDetails'].get('exception', {}).get('description')}")
        elif method == "Log.entryAdded":
            self.console.append(f"{details['entry']['level']}: {details['entry']['text']}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"][:200])
