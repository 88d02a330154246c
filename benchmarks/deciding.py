"""A folder of failures in, how often `explain` gives them the right class and the right line.

    python -m benchmarks.deciding DIR [--report] [--verbose] [--markdown]

Each line of a .jsonl file below DIR is a case: `text` (the log), `accept` (the classes that are right, * and ? match anything) and `line`
(the deciding line or a part of it, or several of which each is right). A case without both is quiet: nothing must be named. `program`
and `fault` group the table; `id` names a case.

right: an accepted class; where none is asked for, any by the wanted line. useful: right, or unknown by the wanted line.
silent: no failure recognised. wrong: a class of the catalogue that is not accepted. missed: unknown, by another line. line: the wanted
line, whatever the class. An end that no line explains counts as the class whose cause and remedy it is shown with.

--report: the same by `report`, of a journal in which the text happens several times. The main class of an incident is judged, of several
incidents the one that is judged best, as a report shows them all; without an incident, the main isolated failure of each unit. A text
without a service is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from benchmarks.deciding_journal import journal_of
from forensics.explain import explain
from forensics.explain.answer import Explanation
from forensics.model.values import Report
from forensics.pipeline import History, investigate
from forensics.query import Query, Sources
from forensics.resources import folder
from forensics.signatures.catalogue import Catalogue, load
from forensics.signatures.exit_words import described

RIGHT, USEFUL, SILENT, WRONG, MISSED, QUIET, NAMED = "right", "useful", "silent", "wrong", "missed", "quiet", "named"
OK, USAGE = 0, 2
BEST_FIRST = (RIGHT, USEFUL, MISSED, WRONG)  # of the incidents of a report
AT = datetime(2026, 1, 1, tzinfo=UTC)  # after every journal that is made here
HEAD = ("cases", "right", "useful", "silent", "wrong", "missed", "line", "quiet ones named")


class BadCaseError(Exception):
    """A row that is no case; the text names its file and line."""


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a case got: the verdict, the class ("" for none) and the text of the line that decided."""

    verdict: str
    signature: str = ""
    line: str = ""


@dataclass(slots=True)
class Tally:
    verdicts: Counter[str] = field(default_factory=Counter)
    by_line: int = 0
    with_line: int = 0

    def add(self, case: Case, answer: Answer) -> None:
        self.verdicts[answer.verdict] += 1
        self.with_line += bool(case.lines)
        self.by_line += is_wanted(case.lines, answer.line)

    @property
    def failures(self) -> int:
        return self.verdicts.total() - self.verdicts[QUIET] - self.verdicts[NAMED]

    def columns(self) -> list[str]:
        """The number of failures, shares of it, and how many of the quiet ones were named."""
        verdicts = self.verdicts
        counts = (verdicts[RIGHT], verdicts[RIGHT] + verdicts[USEFUL], verdicts[SILENT], verdicts[WRONG], verdicts[MISSED])
        shares = [f"{count / self.failures:.2f}" if self.failures else "" for count in counts]
        line = f"{self.by_line / self.with_line:.2f}" if self.with_line else ""
        quiet = verdicts[QUIET] + verdicts[NAMED]
        return [str(self.failures), *shares, line, f"{verdicts[NAMED]} of {quiet}" if quiet else ""]


def read_cases(directory: Path) -> Iterator[Case]:
    """Read the cases of every .jsonl file below a directory. Raises BadCaseError for a row that is none."""
    for path in sorted(directory.rglob("*.jsonl")):
        for number, row in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if row.strip():
                try:
                    yield _case(json.loads(row), f"{path.relative_to(directory)}:{number}")
                except (ValueError, TypeError) as error:
                    raise BadCaseError(f"{path}:{number}: {error}") from error


def _case(values: object, name: str) -> Case:
    if not isinstance(values, dict):
        raise TypeError("not a JSON object")
    text = values.get("text")
    if not isinstance(text, str) or not text.strip():
        raise TypeError("`text` is missing or empty")
    return Case(
        id=_word(values, "id") or name,
        text=text,
        accept=_strings(values, "accept"),
        lines=_strings(values, "line"),
        program=_word(values, "program"),
        fault=_word(values, "fault"),
    )


def _word(values: dict[str, object], key: str) -> str:
    value = values.get(key) or ""
    if not isinstance(value, str):
        raise TypeError(f"`{key}` is not a string")
    return value


def _strings(values: dict[str, object], key: str) -> tuple[str, ...]:
    value = values.get(key) or []
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) and one.strip() for one in found):
        raise TypeError(f"`{key}` is neither a string nor a list of strings")
    return tuple(found)


def judge(case: Case, class_: str | None, is_known: bool, line: str) -> str:
    """Judge an answer: its class, whether that is of the catalogue, and the text of its line."""
    if case.is_quiet:
        return QUIET if class_ is None else NAMED
    if class_ is None:
        return SILENT
    if _accepts(case, class_) or (not case.accept and is_wanted(case.lines, line)):
        return RIGHT
    if is_known:
        return WRONG
    return USEFUL if is_wanted(case.lines, line) else MISSED


def _accepts(case: Case, class_: str) -> bool:
    return any(fnmatchcase(class_, accepted) for accepted in case.accept)


def is_wanted(wanted: Iterable[str], line: str) -> bool:
    answered = " ".join(line.split())
    return bool(answered) and any((w := " ".join(text.split())) in answered or answered in w for text in wanted)


def explained(case: Case, catalogue: Catalogue) -> tuple[str, Explanation, str]:
    """The verdict, the answer, and the line that it names."""
    answer = explain(case.text.encode(), catalogue)
    line = case.text.split("\n")[answer.line - 1] if answer.line else ""
    class_ = None if answer.signature is None else class_shown(case, answer.signature.id, catalogue)
    return judge(case, class_, answer.pattern is not None, line), answer, line


def class_shown(case: Case, id_: str, catalogue: Catalogue) -> str:
    """Return the class that an answer gives: of an end that no line explains that whose words it has, where it is accepted."""
    result, _, status = id_.removeprefix("exit:").partition("/")
    words = described(result, status, catalogue) if id_.startswith("exit:") else None
    return words.id if words is not None and _accepts(case, words.id) else id_


def by_explain(case: Case, catalogue: Catalogue) -> Answer:
    verdict, answer, line = explained(case, catalogue)
    return Answer(verdict, answer.signature.id if answer.signature else "", line)


def by_report(case: Case, catalogue: Catalogue) -> Answer | None:
    """Judge the incidents of a journal of the case; null for a text without a service, which is no journal of one."""
    journal = journal_of(case.text, fails=not case.is_quiet)
    if journal is None:
        return None
    with tempfile.TemporaryDirectory(prefix="deciding-") as name:
        exported = Path(name) / "pasted.export"
        exported.write_bytes(journal)
        sources = Sources(files=(exported,))
        query = Query(sources=sources, store=Path(name) / "store", now=AT, pattern_folders=(folder("patterns"),))
        found = investigate(query, whole=True)
    classes = main_classes(found.report)
    answers = [_of_class(case, class_, found.history, catalogue) for class_ in dict.fromkeys(classes)]
    if not answers or case.is_quiet:
        return answers[0] if answers else Answer(judge(case, None, False, ""))
    return min(answers, key=lambda answer: BEST_FIRST.index(answer.verdict))


def main_classes(report: Report) -> list[str]:
    """The main class of each incident, else that of each unit's isolated failures: they are listed with most failures first."""
    of_incidents = [incident.classes[0].signature for incident in report.incidents if incident.classes]
    of_units: dict[str, str] = {}
    for failure in report.isolated:
        of_units.setdefault(failure.unit, failure.signature)
    return of_incidents or list(of_units.values())


def _of_class(case: Case, class_: str, history: History, catalogue: Catalogue) -> Answer:
    labels = history.labelled.labels
    rows = labels.filter("failed", labels["signature"] == class_)["row"]
    line = (history.entries["message"][rows[-1]] or "") if rows.len() else ""
    shown = class_shown(case, class_, catalogue)
    return Answer(judge(case, shown, catalogue.pattern(class_) is not None, line), class_, line)


def tallied(cases: Sequence[Case], ask: Callable[[Case], Answer | None], heard: Callable[[Case, Answer], None]) -> dict[str, Tally]:
    """Tally the answers by program, by fault and over all. heard: called with each answer."""
    table: dict[str, Tally] = {}
    for case in cases:
        answer = ask(case)
        if answer is None:
            continue
        heard(case, answer)
        for group in (case.program and f"program {case.program}", case.fault and f"fault {case.fault}", "all"):
            if group:
                table.setdefault(group, Tally()).add(case, answer)
    return dict(sorted(table.items(), key=lambda row: (row[0] == "all", row[0])))


def show_case(case: Case, answer: Answer) -> None:
    if answer.verdict not in {RIGHT, QUIET}:
        print(f"{answer.verdict:<7} {case.id}: {answer.signature or '-'} by {answer.line.strip()[:150]!r}")
        print(f"        wanted {', '.join(case.accept)} by {case.lines}")


def show_table(table: dict[str, Tally]) -> None:
    print(f"{'':<32} {' '.join(f'{name:>7}' for name in HEAD)}")
    for group, tally in table.items():
        print(f"{group:<32} {' '.join(f'{column:>7}' for column in tally.columns())}")


def show_markdown(table: dict[str, Tally]) -> None:
    """Print one table by program and one by fault, each with the row over all."""
    for kind in ("program", "fault"):
        print(f"| {kind} | {' | '.join(HEAD)} |")
        print("|---" * (len(HEAD) + 1) + "|")
        for group, tally in table.items():
            if group.startswith(f"{kind} "):
                print(f"| {group.removeprefix(f'{kind} ')} | {' | '.join(tally.columns())} |")
        bold = [f"**{cell}**" if cell else "" for cell in ("all", *table["all"].columns())] if "all" in table else []
        print(f"| {' | '.join(bold)} |\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--report", action="store_true", help="ask `report` instead of `explain`")
    parser.add_argument("--verbose", action="store_true", help="show every case that is not right")
    parser.add_argument("--markdown", action="store_true", help="print tables for a document")
    options = parser.parse_args(arguments)
    try:
        cases = list(read_cases(options.folder))
    except (BadCaseError, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return USAGE
    if not cases:
        print(f"{options.folder}: no case in it", file=sys.stderr)
        return USAGE
    ask = partial(by_report if options.report else by_explain, catalogue=load([folder("patterns")]))
    table = tallied(cases, ask, show_case if options.verbose else lambda _case, _answer: None)
    (show_markdown if options.markdown else show_table)(table)
    return OK


if __name__ == "__main__":
    sys.exit(main())
