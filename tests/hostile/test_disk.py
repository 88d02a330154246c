"""What is on disk: who may read it, and manifests that name files of others."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics.errors import ForensicsError
from forensics.export.loki_accepted import open_accepted
from forensics.files import PRIVATE_FILE, make_private, make_private_directory, write_atomically
from forensics.ingest.files import ingest_files
from forensics.store import Store
from forensics.watch.state import State
from tests.cli.running import run
from tests.export.failing_unit import write_journal
from tests.journal.oracle import needs_systemd
from tests.store.making import journal, opened

UMASKS = (0o000, 0o022, 0o077, 0o177)


@pytest.fixture(params=UMASKS, ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def open_to_others(*roots: Path) -> list[str]:
    """List what another user may read or enter below these paths, which are included, and what its own user may not."""
    paths = [path for root in roots for path in [root, *root.rglob("*")] if not path.is_symlink()]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    return [f"{path}: {mode:o}" for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)]


@needs_systemd
def test_a_store_is_its_users_own(tmp_path, umask):
    ingest_files(opened(tmp_path), [journal(tmp_path / "a.journal", 0, 50)])
    assert open_to_others(tmp_path / "store") == []


@needs_systemd
def test_a_store_that_others_may_read_is_narrowed_when_it_is_next_written(tmp_path):
    store = opened(tmp_path)
    ingest_files(store, [journal(tmp_path / "a.journal", 0, 50)])
    outside = tmp_path / "outside"
    outside.write_text("")
    outside.chmod(0o644)
    (tmp_path / "store" / "v1" / "entries" / "link").symlink_to(outside)
    for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    ingest_files(Store.open(tmp_path / "store"), [journal(tmp_path / "b.journal", 50, 5)])
    assert open_to_others(tmp_path / "store") == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


@needs_systemd
def test_a_directory_with_more_in_it_than_the_store_keeps_its_mode(tmp_path):
    (tmp_path / "store").mkdir(mode=0o755)
    (tmp_path / "store").chmod(0o755)
    (tmp_path / "store" / "of-another-program").write_text("")
    ingest_files(opened(tmp_path), [journal(tmp_path / "a.journal", 0, 5)])
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o755
    assert open_to_others(tmp_path / "store" / "v1") == []


def test_the_state_of_watch_is_its_users_own(tmp_path, umask):
    State.open(tmp_path / "new" / "watch").close()
    assert open_to_others(tmp_path / "new") == []


def test_what_a_push_remembers_is_its_users_own(tmp_path, umask):
    make_private_directory(tmp_path / "store")
    with open_accepted(tmp_path / "store", ("http://a",), ("x",), resume=False):
        pass
    assert open_to_others(tmp_path / "store") == []


COMMANDS = [
    (("report", "-o", "r.html"), "a report in HTML"),
    (("report", "-o", "r.md"), "in Markdown"),
    (("report", "-o", "r.json"), "as JSON"),
    (("report", "-o", "r.txt"), "as text"),
    (("export", "csv", "--table", "entries", "-o", "t.csv"), "a table as CSV"),
    (("export", "jsonl", "--table", "attempts", "-o", "t.jsonl"), "as JSON Lines"),
    (("export", "parquet", "--table", "events", "-o", "t.parquet"), "as Parquet"),
]


@needs_systemd
@pytest.mark.parametrize(("command", "reason"), COMMANDS, ids=[reason for _, reason in COMMANDS])
@pytest.mark.parametrize("redacted", [True, False])
def test_an_output_is_its_users_own_where_it_is_not_redacted(tmp_path, monkeypatch, command, reason, redacted):
    monkeypatch.chdir(tmp_path)
    Path(command[-1]).write_text("an earlier one")
    Path(command[-1]).chmod(0o644)
    source = ["--file", str(write_journal(tmp_path)), "--store", str(tmp_path / "store")]
    before = os.umask(0o022)
    try:
        assert run(*command, *source, *([] if redacted else ["--no-redact"])).returncode == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path(command[-1]).stat().st_mode) == (0o644 if redacted else 0o600), reason


def test_a_file_for_node_exporter_can_be_read_by_it(tmp_path):
    source = ["--file", str(write_journal(tmp_path)), "--store", str(tmp_path / "store")]
    before = os.umask(0o022)
    try:
        assert run("export", "textfile", "-o", str(tmp_path / "x.prom"), *source).returncode == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.prom").stat().st_mode) == 0o644


def test_a_private_file_is_private_whatever_the_umask(tmp_path, umask):
    write_atomically(tmp_path / "a", "x", mode=PRIVATE_FILE)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_a_directory_that_is_private_already_is_not_searched(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o644)
    make_private(tmp_path)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


# --- manifests ---

DAY = "date=2023-11-14"
PATHS = [
    ("../../../victim", "out of the store"),
    ("../sources/{source}.json", "the manifest itself"),
    (f"host=alpha/{DAY}/../../../../../victim", "out of a day"),
    (f"host=alpha/{DAY}/../{DAY}/{{source}}-1-2.parquet", "a way round"),
    (f"host=../{DAY}/{{source}}-1-2.parquet", "a host with dots is a name, and no file is there"),
    (f"host=alpha/{DAY}/../../../../../{{source}}-victim.parquet", "out, with a fitting name"),
    ("{victim}", "absolute"),
    (f"/host=alpha/{DAY}/{{source}}-1-2.parquet", "absolute, fitting"),
    (f"host=alpha/{DAY}/other-1-2.parquet", "a part of another source"),
    (f"host=alpha/{DAY}/{{source}}-1-2", "no Parquet"),
    (f"host=alpha/{DAY}", "a directory"),
    (f"host=link/{DAY}/{{source}}-victim.parquet", "through a symbolic link for a host"),
    ("host=beta/date=2023-11-15/{source}-victim.parquet", "through a symbolic link for a day"),
    (f"host=alpha/{DAY}/{{source}}-link.parquet", "a symbolic link for a file"),
    (f"host=al\0pha/{DAY}/{{source}}-1-2.parquet", "a null character"),
    ("", "nothing"),
    (".", "the data set"),
    (7, "a number"),
    (None, "null"),
    (["a"], "a list"),
]


@needs_systemd
@pytest.mark.parametrize(("path", "reason"), PATHS, ids=[reason for _, reason in PATHS])
def test_a_path_in_a_manifest_does_not_leave_the_store(tmp_path, path, reason):
    store = opened(tmp_path)
    ingest_files(store, [journal(tmp_path / "a.journal", 0, 5), journal(tmp_path / "b.journal", 0, 5, host="gamma")])
    file = next(iter(store.layout.sources.glob("*.json")))
    source = file.stem
    outside = tmp_path / "outside"
    (outside / DAY).mkdir(parents=True)
    victims = [
        tmp_path / "victim",
        outside / f"{source}-victim.parquet",
        outside / DAY / f"{source}-victim.parquet",
        tmp_path / f"{source}-victim.parquet",
    ]
    for victim in victims:
        victim.write_text("precious")
    entries = store.layout.entries
    (entries / "host=link").symlink_to(outside)
    (entries / "host=beta").mkdir()
    (entries / "host=beta" / "date=2023-11-15").symlink_to(outside)
    (entries / "host=alpha" / DAY).mkdir(parents=True, exist_ok=True)
    (entries / "host=alpha" / DAY / f"{source}-link.parquet").symlink_to(victims[0])
    manifest = json.loads(file.read_text())
    text = path.format(source=source, victim=victims[0]) if isinstance(path, str) else path
    manifest["parts"].append(manifest["parts"][0] | {"path": text})
    file.write_text(json.dumps(manifest))
    before = sorted(str(found) for found in tmp_path.rglob("*.parquet"))
    damage = store.read().damage
    assert str(file) in [record.file for record in damage] or reason.startswith("a host with dots")
    store.prune(datetime(2100, 1, 1, tzinfo=UTC))
    assert [victim.read_text() for victim in victims] == ["precious"] * len(victims)
    assert [found for found in before if f"/{source}-" in found and not Path(found).exists() and "a host" not in reason] == []


MANIFESTS = [
    ('{"source": "../../x"}', "another source"),
    ("[" * 100_000, "too deep"),
    ('{"parts": ' + "[" * 100_000, "too deep within"),
    ("9" * 5000, "a number of 5,000 digits"),
    ("null", "null"),
    ("\0", "no JSON"),
    ("\udcff", "no UTF-8"),
]
FIELDS = [
    ("source", "../x"),
    ("file", 3),
    ("tail_seqnum", "9"),
    ("entries", None),
    ("pruned_before", "x"),
    ("damage", [[1]]),
    ("damage", [[1, 2]]),
    ("state", []),
    ("parts", {}),
    ("kind", ["journal"]),
]
PART_FIELDS = [
    ("rows", "x"),
    ("last_time", 10**30),
    ("first_time", -1),
    ("size", None),
    ("seqnums", []),
    ("seqnums", {"a": ["b", "c"]}),
    ("rows", True),
]


def damaged(tmp_path, change) -> None:
    store = opened(tmp_path)
    ingest_files(store, [journal(tmp_path / "a.journal", 0, 5)])
    file = next(iter(store.layout.sources.glob("*.json")))
    file.write_bytes(change(json.loads(file.read_text())).encode(errors="surrogateescape"))
    assert [record.file for record in store.read().damage] == [str(file)]
    assert store.prune(datetime(2100, 1, 1, tzinfo=UTC)) == 0
    assert "damaged" in ingest_files(store, [tmp_path / "a.journal", journal(tmp_path / "b.journal", 9, 1)]).damage[0].reason


@needs_systemd
@pytest.mark.parametrize(("text", "reason"), MANIFESTS, ids=[reason for _, reason in MANIFESTS])
def test_a_manifest_that_no_version_writes_is_damage(tmp_path, text, reason):
    damaged(tmp_path, lambda _: text)


@needs_systemd
@pytest.mark.parametrize(("name", "value"), FIELDS)
def test_a_manifest_with_a_field_of_another_type_is_damage(tmp_path, name, value):
    damaged(tmp_path, lambda stored: json.dumps(stored | {name: value}))


@needs_systemd
@pytest.mark.parametrize(("name", "value"), PART_FIELDS)
def test_a_part_with_a_field_of_another_type_is_damage(tmp_path, name, value):
    damaged(tmp_path, lambda stored: json.dumps(stored | {"parts": [stored["parts"][0] | {name: value}]}))


MOVES = [
    '["{source}", "../../../victim"]',
    '["../x", "host=a/date=2023-11-14/x-1.parquet"]',
    "[]",
    "7",
    "[" * 100_000,
    '["a"',
    "[null, null]",
]


@needs_systemd
@pytest.mark.parametrize("moves", MOVES, ids=range(len(MOVES)))
def test_what_a_killed_process_noted_does_not_leave_the_store(tmp_path, moves):
    store = opened(tmp_path)
    ingest_files(store, [journal(tmp_path / "a.journal", 0, 5)])
    source = next(iter(store.layout.sources.glob("*.json"))).stem
    (tmp_path / "victim").write_text("precious")
    left = store.layout.pending / "killed"
    left.mkdir()
    (left / "moves").write_text(moves.replace("{source}", source))
    ingest_files(store, [journal(tmp_path / "b.journal", 5, 5)])
    assert (tmp_path / "victim").read_text() == "precious"
    assert not left.exists()


@needs_systemd
def test_nothing_is_written_through_a_symbolic_link_in_the_store(tmp_path):
    store = opened(tmp_path)
    (tmp_path / "outside").mkdir()
    (store.layout.entries / "host=alpha").symlink_to(tmp_path / "outside")
    with pytest.raises(ForensicsError, match="symbolic link"):
        ingest_files(store, [journal(tmp_path / "a.journal", 0, 5)])
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("schema", ["9" * 5000, "9" * 50, "²", "", "1 1", "\0"], ids=range(6))
def test_a_schema_that_is_no_version_is_a_sentence(tmp_path, schema):
    opened(tmp_path)
    (tmp_path / "store" / "schema").write_text(schema)
    with pytest.raises(ForensicsError, match="--store"):
        opened(tmp_path)
