"""In pasted text an entry of this program is known by its words: it explains no failure of the unit that it is about."""

import re

import pytest

from forensics import resources
from forensics.explain import explain
from forensics.guard.gate import announce
from forensics.guard.gate.state import GateState
from forensics.guard.systemctl import Manager
from forensics.model.own_entries import OWN_TEXTS
from forensics.policy.breaker import Breaker
from forensics.signatures import catalogue

UNIT = "tabbyapi.service"
STATE = GateState(Breaker(failures=3, signature="torch.abi-mismatch", cooldown_s=600), title="ImportError: undefined symbol", helps="no")
REMEDIES = [
    "rebuild.service is started for tabbyapi.service: torch.abi-mismatch; it is not started again for this cause",
    "rebuild.service, the remedy of tabbyapi.service for torch.abi-mismatch, has failed: ImportError.",
    "No remedy is started for tabbyapi.service: remedies.toml cannot be read",
    "'/etc/tabby-forensics/remedies.toml': Permission denied: no remedy is started.",
    "rebuild.service is masked: the remedy of tabbyapi.service is not started.",
]


def announced(monkeypatch) -> list[str]:
    """What the gate says of each of its acts."""
    texts: list[str] = []
    monkeypatch.setattr(announce, "write_entry", lambda _id, _unit, text, **_: texts.append(text))
    announce.opened(Manager(), UNIT, STATE)
    announce.probed(Manager(), UNIT, STATE, announce.COOLDOWN)
    announce.closed(Manager(), UNIT, announce.HELD)
    announce.on_hold(Manager(), UNIT)
    return texts


def test_all_its_texts_are_known(monkeypatch):
    assert [text for text in [*announced(monkeypatch), *REMEDIES] if not re.search(OWN_TEXTS, text)] == []


@pytest.mark.parametrize(
    ("line", "signature"),
    [
        ("python3[77]: OSError: libstdc++.so.6: cannot open shared object file: No such file or directory", "loader.libstdcxx-missing"),
        ("tabby-forensics[77]: OSError: libstdc++.so.6: cannot open shared object file: No such file", "loader.libstdcxx-missing"),
    ],
    ids=["the service's own words", "what preflight prints"],
)
def test_the_unit_failed_of_its_own_words(monkeypatch, line, signature):
    of_gate = [f"tabby-forensics[90]: {text}" for text in announced(monkeypatch)]
    lines = [
        f"systemd[1]: Started {UNIT}.",
        line,
        f"systemd[1]: {UNIT}: Main process exited, code=exited, status=1/FAILURE",
        *of_gate,
        f"systemd[1]: {UNIT}: Failed with result 'exit-code'.",
    ]
    text = "".join(f"Dec 07 21:30:{n:02d} hydra {each}\n" for n, each in enumerate(lines))
    assert explain(text.encode(), catalogue.load([resources.folder("patterns")])).signature.id == signature
