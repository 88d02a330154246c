"""How the tests are laid out: helpers have modules of their own, and no test measures the machine it is on."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = sorted((ROOT / "tests").rglob("*.py"))
STOPWATCHES = {"perf_counter", "perf_counter_ns", "process_time", "process_time_ns"}


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted name of everything that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def elapsed_times(tree: ast.AST) -> Iterator[int]:
    """Yield the line of every assertion about a difference of two clock readings, and of every stopwatch."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and getattr(node, "id", getattr(node, "attr", "")) in STOPWATCHES:
            yield node.lineno
        if isinstance(node, ast.Assert):
            differences = (part for part in ast.walk(node) if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub))
            yield from (part.lineno for part in differences if "time.monotonic()" in ast.unparse(part))


def test_no_file_imports_from_a_test_module():
    imports = {(path, name) for path in [*TESTS, *ROOT.glob("benchmarks/*.py")] for name in imported(ast.parse(path.read_text()))}
    assert len(imports) > 100
    assert {(str(path), name) for path, name in imports if any(part.startswith("test_") for part in name.split("."))} == set()


def test_no_test_asserts_how_long_something_took():
    """A machine can be slow: how the cost grows is measured in benchmarks/growth.py."""
    assert [f"{path}:{line}" for path in TESTS for line in elapsed_times(ast.parse(path.read_text()))] == []
