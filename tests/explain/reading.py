"""Read a pasted text into its attempts, without naming their failures."""

from dataclasses import dataclass

from forensics.assembly import assemble
from forensics.explain.entries import entries_of
from forensics.explain.format import Format
from forensics.explain.paste import read_paste

ASSUMED = "assumed"  # instead of a result: the text does not show the end


@dataclass(frozen=True)
class Read:
    """attempts: (unit, result, status) in their order; lines: of each attempt's own events, 1-based."""

    attempts: list[tuple[str, str, int | None]]
    lines: list[list[int]]
    understood: Format


def read(text: str | bytes) -> Read:
    """Read a text as `explain` does."""
    pasted = read_paste(text if isinstance(text, bytes) else text.encode())
    assembly = assemble(entries_of(pasted.records, as_found=pasted.as_found), include_running=True)
    own = assembly.events.filter(assembly.events["kind"].cast(str).is_in(["line", "traceback"]))
    attempts, lines = [], []
    for row in assembly.attempts.sort("attempt").iter_rows(named=True):
        is_assumed = row["invocation"] in pasted.assumed
        unit = row["unit"].removesuffix(".service")
        attempts.append((unit, ASSUMED, None) if is_assumed else (unit, row["result"] or row["outcome"], row["exit_status"]))
        rows = own.filter(own["attempt"] == row["attempt"])["row"].to_list()
        lines.append([pasted.records[index].line for index in rows])
    return Read(attempts, lines, pasted.understood)
