"""A pasted log in, what failed in it, why the tool says so and what to do out. `explain` is the door."""

from forensics.explain.answer import Explanation, explain

__all__ = ["Explanation", "explain"]
