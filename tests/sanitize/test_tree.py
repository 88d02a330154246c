"""A tree of dataclasses is sanitized as a whole, whatever its classes are."""

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.sanitize import sanitized

KEY = "f3a1c09d5b7e4a2f8c6d1e0b9a7f5c3d"


@dataclass(frozen=True, slots=True)
class Leaf:
    message: str
    signature: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...]
    by_id: Mapping[str, str]


def test_strings_are_sanitized_at_every_depth():
    tree = Tree((Leaf(f"api_key: {KEY}"), Leaf("a\x1b[31mb", number=3)), {"id\u202e": f"401 for {KEY}"})
    assert sanitized(tree, redact=True) == Tree(
        (Leaf("api_key: ⟨token-1⟩"), Leaf("ab", number=3)), {"id⟨U+202E⟩": "401 for ⟨token-1⟩"}
    )  # fmt: skip


def test_fields_that_are_never_copied_from_a_log_are_not_redacted():
    leaf = Leaf("", signature=f"api_key: {KEY}\x00")
    assert sanitized(leaf, redact=True).signature == f"api_key: {KEY}"


def test_what_needs_no_change_stays_the_same_object():
    leaf = Leaf("plain", "torch.abi-mismatch", 1)
    assert sanitized(leaf, redact=True) is leaf
