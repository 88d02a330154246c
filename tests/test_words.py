"""The source keeps its words, sizes and places: names, docstrings, lengths, systemd's ids."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parent.parent

# words that stood for many things at once, or for log data that does not speak
GONE = {"told", "says", "runs", "seen", "apart", "tone", "witnesses", "meaning", "material", "falls", "fell", "looks", "whom"}
ALLOWED = {"first_seen", "last_seen"}  # names in alerts and metrics that other programs read
IN_AND_OUT = re.compile(r"\bin(?:[,;]| \().+\bout\b")
ID = re.compile(r"\b[0-9a-f]{32}\b")
MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION = 400, 60
MOST_LINES_OF_THE_MEDIAN_FUNCTION, MOST_LINES_OF_NINE_IN_TEN = 8, 22


@cache
def trees() -> dict[Path, ast.Module]:
    """Parse every file, once one of the tests needs it: each worker imports this module, one runs it."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_text())
        for name in ("forensics", "tests", "benchmarks")
        for path in sorted((ROOT / name).rglob("*.py"))
    }


@cache
def program() -> dict[Path, ast.Module]:
    return {path: tree for path, tree in trees().items() if path.parts[0] == "forensics"}


def names_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every identifier of a file with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.arg | ast.keyword):
            yield node.arg or "", node.lineno
        elif isinstance(node, ast.alias):
            yield from ((name, node.lineno) for name in (node.name, node.asname or ""))


def words_of(name: str) -> set[str]:
    """Split snake_case, CamelCase and dotted names into lower-case words."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def functions_in(tree: ast.AST) -> Iterator[tuple[str, int, int]]:
    """Yield name, line and number of lines of each function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def test_the_files_are_found():
    assert {path.parts[0] for path in trees()} == {"forensics", "tests", "benchmarks"}
    assert len(program()) > 150


@pytest.mark.parametrize(
    ("name", "words"), [("_seen_beside", {"seen", "beside"}), ("ToldLines", {"told", "lines"}), ("MAX_RUNS", {"max", "runs"})]
)
def test_a_name_is_split_into_its_words(name, words):
    assert words_of(name) == words


def test_no_name_of_the_program_has_a_word_that_is_gone():
    named = [(f"{path}:{line}", name) for path, tree in program().items() for name, line in names_in(tree)]
    modules = [(str(path), str(path.with_suffix(""))) for path in program()]
    assert [f"{place}: {name}" for place, name in named + modules if name not in ALLOWED and words_of(name) & GONE] == []


@pytest.mark.parametrize(
    ("text", "described_so"),
    [
        ("Journal files in, entries out.", True),
        ("`watch.toml` in, what `watch` shall do out; all mistakes of the file at once.", True),
        ("The values of a journal file in (offsets of DATA objects), their texts out.", True),
        ("Fit new rows to the parts that are in the store: leave out stored rows.", False),
    ],
)
def test_a_docstring_of_input_and_output_is_recognised(text, described_so):
    assert bool(IN_AND_OUT.search(text)) == described_so


def test_no_module_is_described_by_its_input_and_output():
    first = {path: (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ") for path, tree in program().items()}
    assert [f"{path}: {text}" for path, text in first.items() if IN_AND_OUT.search(text)] == []


def test_every_module_has_a_docstring():
    assert [str(path) for path, tree in trees().items() if tree.body and not ast.get_docstring(tree)] == []


def test_no_package_hides_a_module_behind_a_function_of_its_name():
    hidden = []
    for path, tree in program().items():
        if path.name != "__init__.py":
            continue
        package = ".".join(path.parent.parts)
        modules = {other.stem for other in program() if other.parent == path.parent} | {
            other.parent.name for other in program() if other.parent.parent == path.parent
        }
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module != package:
                hidden += [
                    f"{path}:{node.lineno}: {alias.asname or alias.name}" for alias in node.names if (alias.asname or alias.name) in modules
                ]
            elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in modules:
                hidden.append(f"{path}:{node.lineno}: {node.name}")
    assert hidden == []


def test_no_file_is_too_long():
    lines = {path: (ROOT / path).read_text().count("\n") for path in trees()}
    assert [f"{path}: {count} lines" for path, count in lines.items() if count > MOST_LINES_OF_A_FILE] == []


def test_no_function_is_too_long():
    functions = [(path, *function) for path, tree in trees().items() for function in functions_in(tree)]
    assert [f"{path}:{line}: {name}: {count} lines" for path, name, line, count in functions if count > MOST_LINES_OF_A_FUNCTION] == []


@pytest.mark.parametrize("directory", ["forensics", "tests"])  # a benchmark is a script, from top to bottom
def test_most_functions_are_short(directory):
    lengths = [count for path, tree in trees().items() if path.parts[0] == directory for _, _, count in functions_in(tree)]
    assert median(lengths) <= MOST_LINES_OF_THE_MEDIAN_FUNCTION, directory
    assert quantiles(lengths, n=10)[-1] <= MOST_LINES_OF_NINE_IN_TEN, directory


def test_message_ids_are_in_two_modules():
    ids = {path: ID.findall((ROOT / path).read_text()) for path in program()}
    assert len(ids.pop(Path("forensics/model/systemd.py"))) > 15
    assert len(ids.pop(Path("forensics/model/own_entries.py"))) == 5
    assert [f"{path}: {found}" for path, found in ids.items() if found] == []


def test_the_values_need_no_polars():
    program = "import sys, forensics.model.values; print('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout == "False\n"
