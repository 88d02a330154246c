"""A folder of failures in, how often `explain` gives them the right class and the right line.

    python -m benchmarks.deciding DIR [--verbose]

Each line of a .jsonl file below DIR is a case: `text` (the log), `accept` (the classes that are right, * and ? match anything) and `line`
(the deciding line or a part of it, or several of which each is right). A case without both is quiet: nothing must be named. `program`
and `fault` group the table; `id` names a case.

right: an accepted class; where none is accepted, an unknown one by the wanted line. useful: right, or unknown by the wanted line.
silent: no failure recognised. wrong: a class of the catalogue that is not accepted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from forensics.explain import explain
from forensics.explain.answer import Explanation
from forensics.resources import folder
from forensics.signatures.catalogue import Catalogue, load

RIGHT, USEFUL, SILENT, WRONG, MISSED, QUIET, NAMED = "right", "useful", "silent", "wrong", "missed", "quiet", "named"


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    text: str
    accept: tuple[str, ...]
    lines: tuple[str, ...]
    program: str = ""
    fault: str = ""

    @property
    def is_quiet(self) -> bool:
        return not self.accept and not self.lines


def read_cases(directory: Path) -> Iterator[Case]:
    """Read the cases of every .jsonl file below a directory."""
    for path in sorted(directory.rglob("*.jsonl")):
        for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if row.strip():
                values = json.loads(row)
                yield Case(
                    id=values.get("id") or f"{path.relative_to(directory)}:{number}",
                    text=values["text"],
                    accept=_strings(values.get("accept")),
                    lines=_strings(values.get("line")),
                    program=values.get("program", ""),
                    fault=values.get("fault", ""),
                )


def _strings(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) and value else tuple(value or ())


def judge(case: Case, class_: str | None, is_known: bool, line: str) -> str:
    """Judge an answer: its class, whether that is of the catalogue, and the text of its line."""
    if case.is_quiet:
        return QUIET if class_ is None else NAMED
    if class_ is None:
        return SILENT
    if any(fnmatchcase(class_, accepted) for accepted in case.accept):
        return RIGHT
    if is_known:
        return WRONG
    if not _is_wanted(case.lines, line):
        return MISSED
    return USEFUL if case.accept else RIGHT


def _is_wanted(wanted: Iterable[str], line: str) -> bool:
    answered = " ".join(line.split())
    return bool(answered) and any((w := " ".join(text.split())) in answered or answered in w for text in wanted)


def explained(case: Case, catalogue: Catalogue) -> tuple[str, Explanation, str]:
    """The verdict, the answer, and the line that it names."""
    answer = explain(case.text.encode(), catalogue)
    line = case.text.split("\n")[answer.line - 1] if answer.line else ""
    class_ = None if answer.signature is None else answer.signature.id
    return judge(case, class_, answer.pattern is not None, line), answer, line


def shares(verdicts: Counter[str]) -> str:
    """One row of the table: right, useful, silent, wrong and missed as shares of the failures; quiet ones that were named."""
    failures = verdicts.total() - verdicts[QUIET] - verdicts[NAMED]
    counts = (verdicts[RIGHT], verdicts[RIGHT] + verdicts[USEFUL], verdicts[SILENT], verdicts[WRONG], verdicts[MISSED])
    numbers = " ".join(f"{count / failures:>7.2f}" if failures else f"{'':>7}" for count in counts)
    return f"{failures:>6} {numbers} {verdicts[NAMED]:>3} of {verdicts[QUIET] + verdicts[NAMED]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verbose", action="store_true", help="show every case that is not right")
    options = parser.parse_args()
    cases = list(read_cases(options.folder))
    if not cases:
        sys.exit(f"{options.folder}: no case in it")
    catalogue = load([folder("patterns")])
    table: dict[str, Counter[str]] = {}
    for case in cases:
        verdict, answer, line = explained(case, catalogue)
        for group in dict.fromkeys((case.program and f"program {case.program}", case.fault and f"fault {case.fault}", "all")):
            if group:
                table.setdefault(group, Counter())[verdict] += 1
        if options.verbose and verdict not in {RIGHT, QUIET}:
            named = answer.signature.id if answer.signature else "-"
            print(f"{verdict:<7} {case.id}: {named} by {line.strip()[:150]!r}\n        wanted {', '.join(case.accept)} by {case.lines}")
    print(f"{'':<32} {'cases':>6} {'right':>7} {'useful':>7} {'silent':>7} {'wrong':>7} {'missed':>7} quiet ones named")
    for group, verdicts in sorted(table.items(), key=lambda row: (row[0] == "all", row[0])):
        print(f"{group:<32} {shares(verdicts)}")


if __name__ == "__main__":
    main()
