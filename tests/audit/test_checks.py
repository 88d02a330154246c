"""Each check: effective where all is there; where one link is broken, exactly that link is named."""

from dataclasses import replace

import pytest

from forensics.audit import audit
from forensics.audit.inventory import Inventory
from tests.audit import effective as e


def control(found: Inventory, name: str):
    return next(each for each in audit(found) if each.id == name)


def broken(found: Inventory, name: str) -> list[str]:
    return [link.link for link in control(found, name).links if link.holds is False]


def test_there_are_fourteen_controls_in_four_layers():
    controls = audit(e.EFFECTIVE)
    assert [sum(each.layer == layer for each in controls) for layer in (1, 2, 3, 4)] == [3, 4, 4, 3]
    assert len({each.id for each in controls}) == 14


@pytest.mark.parametrize("found", [e.EFFECTIVE, replace(e.EFFECTIVE, kuma=e.KUMA)], ids=["all there", "with Uptime Kuma"])
def test_all_is_effective(found):
    assert {each.id: (each.status, [link for link in each.links if not link.holds]) for each in audit(found)} == {
        each.id: ("effective", []) for each in audit(found)
    }
