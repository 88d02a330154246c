"""A host with one declared remedy, and its journal."""

import pytest

from forensics.guard import journal_entry
from tests.guard.remedy.host import Host, Journal


@pytest.fixture
def host(tmp_path, monkeypatch):
    made = Host(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def journal(tmp_path, monkeypatch):
    made = Journal(tmp_path / "socket")
    monkeypatch.setattr(journal_entry, "SOCKET", str(tmp_path / "socket"))
    yield made
    made.socket.close()
