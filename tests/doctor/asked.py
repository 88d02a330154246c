"""A server with pages to ask for, and a process of `watch` with options."""

import json
import os

from forensics.guard.drill.watchers import Watcher
from tests.http_recorder import Recorder


def watcher(state=None, listen="", unit="tabby-forensics.service", **options) -> Watcher:
    given = {"--state": (str(state),)} if state is not None else {}
    given |= {"--listen": (listen,)} if listen else {}
    return Watcher(os.getpid(), given, {}, unit, **options)


class Pages(Recorder):
    def __init__(self, pages):
        super().__init__()
        self.pages = pages

    def look_up(self, path):
        page = self.pages.get(path.partition("?")[0])
        return (404, b"") if page is None else (200, page if isinstance(page, bytes) else json.dumps(page).encode())

    @property
    def address(self):
        return self.url.removeprefix("http://")
