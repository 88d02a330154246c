"""Ingest compressed files and streams, and tar archives of journals: unpacked, never by the names inside."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from forensics.errors import ForensicsError, UsageError
from forensics.files import open_private
from forensics.ingest.files import Progress, ingest_files
from forensics.ingest.leads import HEAD, is_text, text_error
from forensics.ingest.result import Ingested, total, unreadable
from forensics.ingest.streams import ingest_stream
from forensics.journal.directory import ENDINGS, PACKED_ENDINGS
from forensics.journal.format import SIGNATURE
from forensics.journal.unpack import BrokenCompressionError, Stream, unpacked
from forensics.model.values import Damage
from forensics.store import Store

TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257  # tar(5)
EXPORTED = (b"__CURSOR=", b"__REALTIME_TIMESTAMP=", b'{"__', b"{")
CUT_OFF = "the archive is cut off or damaged: what follows in it cannot be read"


def ingest_packed(store: Store, stream: BinaryIO, name: str, progress: Progress | None = None) -> Ingested:
    """Ingest an exported stream, or what a compressed one or a tar archive holds. Raises ForensicsError for anything else."""
    content = unpacked(stream, name)
    if _is_tar(content):
        return _ingest_archive(store, content, name, progress)
    if content.format_name and content.peek(len(SIGNATURE)) == SIGNATURE:
        with _space(name) as space:
            return _ingest_journals(store, {_copied(content, space / "0.journal", name): name}, progress)
    head = content.peek(HEAD)
    try:
        return ingest_stream(store, cast("BinaryIO", content), name)
    except UsageError:  # it has no entry
        if is_text(head):
            raise text_error(name) from None
        raise


@contextmanager
def _space(name: str) -> Iterator[Path]:
    """Make a temporary directory to unpack in."""
    try:
        directory = tempfile.TemporaryDirectory(prefix="tabby-forensics-")
    except OSError as error:
        raise ForensicsError(f"{name} cannot be unpacked: {error.strerror or error}.") from error
    with directory as path:
        yield Path(path)


def _is_tar(content: Stream) -> bool:
    return content.peek(TAR_MAGIC_AT + len(TAR_MAGIC))[TAR_MAGIC_AT:] == TAR_MAGIC


def _ingest_archive(store: Store, content: Stream, name: str, progress: Progress | None) -> Ingested:
    """Ingest the journals and exported streams of an archive; its other files are passed over."""
    results: list[Ingested] = []
    journals: dict[Path, str] = {}
    with _space(name) as space:
        for label, member in _members(content, name, results):
            if member.peek(len(SIGNATURE)) == SIGNATURE:
                journals[_copied(member, space / f"{len(journals)}.journal", label)] = label
            elif member.peek(1 << 6).lstrip().startswith(EXPORTED):
                results.append(_ingest_member(store, member, label))
            elif label.endswith(ENDINGS):
                results.append(unreadable(Path(label), ForensicsError("is not a journal file.")))
        if journals:
            results.append(_ingest_journals(store, journals, progress))
    result = total(results)
    if not result.sources:
        reason = f": {result.damage[0].reason}" if result.damage else ""
        raise ForensicsError(f"{name} contains no journal that can be read{reason}.")
    return result


def _ingest_member(store: Store, member: Stream, label: str) -> Ingested:
    try:
        return ingest_stream(store, cast("BinaryIO", member), label)
    except ForensicsError as error:
        return unreadable(Path(label), error)


def _members(content: Stream, name: str, results: list[Ingested]) -> Iterator[tuple[str, Stream]]:
    """Yield the regular files of an archive, decompressed, in their order; damage is added to `results`."""
    try:
        with tarfile.open(fileobj=content, mode="r|") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() else None
                label = f"{name}:{member.name}"
                try:
                    opened = None if file is None else unpacked(Stream(file, label, "tar"), label)
                except ForensicsError as error:
                    if label.endswith((*ENDINGS, *PACKED_ENDINGS)):
                        results.append(unreadable(Path(label), error))
                    continue
                if opened is not None:
                    yield label, opened
    except (tarfile.TarError, BrokenCompressionError):
        results.append(Ingested(damage=(Damage(name, None, CUT_OFF),)))


def _ingest_journals(store: Store, journals: dict[Path, str], progress: Progress | None) -> Ingested:
    """Ingest copies of journal files under the names that the user knows them by."""
    try:
        return ingest_files(store, list(journals), progress, journals)
    except ForensicsError as error:
        text = str(error)
        for path, name in journals.items():
            text = text.replace(str(path), name)
        raise type(error)(text) from error


def _copied(content: Stream, target: Path, name: str) -> Path:
    """Write the content to a file; a journal file is read by offset. What comes before damage is kept."""
    try:
        with open_private(target, "wb") as file:
            shutil.copyfileobj(content, file)
    except BrokenCompressionError:
        pass  # the journal's header shows that the rest is missing
    except OSError as error:
        raise ForensicsError(
            f"{name} cannot be unpacked in {target.parent}: {error.strerror or error}. Set TMPDIR to a directory with more space."
        ) from error
    return target
