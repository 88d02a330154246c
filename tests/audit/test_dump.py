"""An inventory that is written and read back is the same, and one that is damaged is refused in one sentence."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.audit import audit
from forensics.audit.inventory import Inventory, as_json, read_json
from forensics.audit.inventory.alertmanager import AlertTest
from forensics.errors import UsageError
from tests.audit import effective as e

FULL = replace(e.EFFECTIVE, kuma=e.KUMA, alertmanager=replace(e.ALERTMANAGER, test=AlertTest(None, "not seen")))


@pytest.mark.parametrize("found", [FULL, Inventory(e.SUBJECT, e.JOURNAL), e.with_units(e.without(e.UNIT))])
def test_what_is_written_is_read_back_and_audited_the_same(found, tmp_path):
    (tmp_path / "dump.json").write_text(as_json(found))
    read = read_json(tmp_path / "dump.json", Inventory)
    assert read == found
    assert audit(read) == audit(found)
    (tmp_path / "again.json").write_text(as_json(read))
    assert (tmp_path / "again.json").read_text() == as_json(read_json(tmp_path / "again.json", Inventory))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not an inventory of version 1"),
        ('{"inventory_version": 2}', "is not an inventory of version 1"),
        ('{"inventory_version": 1}', "is not an inventory: it lacks something"),
        ('{"inventory_version": 1, "subject": 3}', "is not an inventory: subject is not what it should be"),
        ('{"inventory_version": 1, "subject": {"unit": "a", "reason": "b", "start": "yesterday"}}', "subject.start is not a time"),
        ('{"inventory_version": 1, "subject": {"unit": "a", "reason": "b", "start": "2025-01-01"}}', "subject.start has no time zone"),
        (
            '{"inventory_version": 1, "subject": {"unit": "a", "reason": "b", "restarts": true}}',
            "subject.restarts is not what it should be",
        ),
    ],
)
def test_what_is_no_inventory_is_refused(text, sentence, tmp_path):
    (tmp_path / "dump.json").write_text(text)
    with pytest.raises(UsageError) as error:
        read_json(tmp_path / "dump.json", Inventory)
    assert sentence in str(error.value)


def _places(tree, path=()):
    """Yield the path of every part of a tree."""
    yield path
    for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _places(part, (*path, key))


TREE = json.loads(as_json(FULL))
PLACES = [path for path in _places(TREE) if path]


@given(st.sampled_from(PLACES), st.sampled_from([None, 3, -1.5, "x", [], {}, [1], {"a": 1}, True]))
def test_a_damaged_part_is_refused_or_read_and_never_breaks_the_audit(tmp_path_factory, path, value):
    tree = json.loads(json.dumps(TREE))
    part = tree
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    file = tmp_path_factory.mktemp("dump") / "dump.json"
    file.write_text(json.dumps(tree))
    sentence = ""
    try:
        assert len(audit(read_json(file, Inventory))) == 14
    except UsageError as error:
        sentence = str(error)
    assert "\n" not in sentence
