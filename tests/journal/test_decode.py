"""Every field of every entry, in every variant of the format, is what journalctl says it is."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from forensics.journal.decode import Block, load_block
from tests.journal.edge import edge_text
from tests.journal.oracle import Fields, fixture_text, journalctl, make_journal, needs_systemd, parse_export, shown

pytestmark = [pytest.mark.real, needs_systemd]
VARIANTS = [(compact, keyed) for compact in (True, False) for keyed in (True, False)]
STREAMS = {"252": lambda: fixture_text("252-events"), "257": lambda: fixture_text("257-events"), "edge": edge_text}


def all_fields(block: Block) -> list[dict[str, list[str]]]:
    """Each entry's fields: name → values in order. The boot id belongs to the entry itself."""
    entries: list[dict[str, list[str]]] = [{} for _ in range(len(block.entries))]
    texts = block.values.to_pylist()
    for index, name in enumerate(block.names):
        for row, code in enumerate(block.codes[index].tolist()):
            if code:
                entries[row][name] = [texts[code - 1]]
        rows, codes = block.repeats.get(name, ([], []))
        for row, code in zip(list(rows), list(codes), strict=True):
            entries[int(row)][name].append(texts[int(code) - 1])
    for entry in entries:
        entry.pop("_BOOT_ID", None)
    return entries


def as_journalctl_exports(entry: Fields) -> dict[str, list[str]]:
    fields = defaultdict(list)
    for name, value in entry:
        if not name.startswith("__") and name != "_BOOT_ID":
            fields[name].append(shown(value))
    return dict(fields)


def cursors(block: Block) -> list[str]:
    """The cursors of journalctl without the hash of the content."""
    entries, rows = block.entries, []
    for at in range(len(entries)):
        boot = entries.boot[at].tobytes().hex()
        rows.append(
            f"s={block.header.seqnum_id};i={int(entries.seqnum[at]):x};b={boot};m={int(entries.monotonic[at]):x};t={int(entries.realtime[at]):x}"
        )
    return rows


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("compact", "keyed"), VARIANTS)
def test_every_field_of_every_entry_equals_journalctls_export(tmp_path: Path, stream: str, compact: bool, keyed: bool):
    path = make_journal(STREAMS[stream](), tmp_path / "a.journal", compact=compact, keyed=keyed)
    block = load_block(path, None)
    expected = list(parse_export(journalctl(path, "-o", "export")))
    assert block.damage == ()
    assert block.header.compact == compact
    assert cursors(block) == [dict(entry)["__CURSOR"].decode().rpartition(";")[0] for entry in expected]
    assert all_fields(block) == [as_journalctl_exports(entry) for entry in expected]


@pytest.mark.parametrize("stream", STREAMS)
def test_every_field_equals_journalctls_json(tmp_path: Path, stream: str):
    path = make_journal(STREAMS[stream](), tmp_path / "a.journal")
    lines = journalctl(path, "-o", "json").splitlines()

    def texts(value):
        """A string, an array of bytes when it is not text, or an array of these when the field is repeated."""
        if isinstance(value, str):
            return [value]
        if all(isinstance(item, int) for item in value):
            return [shown(bytes(value))]
        return [text for item in value for text in texts(item)]

    expected = [
        {name: texts(value) for name, value in json.loads(line).items() if not name.startswith("__") and name != "_BOOT_ID"}
        for line in lines
    ]
    assert all_fields(load_block(path, None)) == expected


def test_only_the_requested_fields_are_read(tmp_path: Path):
    path = make_journal(edge_text(300), tmp_path / "a.journal")
    every = all_fields(load_block(path, None))
    block = load_block(path, ["UNIT", "MESSAGE", "_NOT_THERE", "A" * 64])
    assert set(block.names) == {"UNIT", "MESSAGE", "A" * 64}
    assert all_fields(block) == [{name: values for name, values in entry.items() if name in block.names} for entry in every]


def test_only_entries_above_a_sequence_number_are_read(tmp_path: Path):
    path = make_journal(edge_text(300), tmp_path / "a.journal")
    whole, rest = load_block(path, None), load_block(path, None, after_seqnum=250)
    assert all_fields(rest) == all_fields(whole)[250:]
    assert cursors(rest) == cursors(whole)[250:]
    assert rest.growth.tolist() == whole.growth.tolist()[250:]
    assert len(load_block(path, None, after_seqnum=300).entries) == 0


def test_the_growth_of_the_entries_is_the_growth_of_the_file(tmp_path: Path):
    path = make_journal(edge_text(300), tmp_path / "a.journal")
    block = load_block(path, None)
    end = int(block.entries.offset[-1] + block.entries.size[-1])
    assert int(block.growth.sum()) == end - block.header.entries_start
    assert (block.growth >= block.entries.size).all()
