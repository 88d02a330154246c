"""Explain a pasted log: what failed, why, and what to do; `explain` is the entry point."""

from forensics.explain.answer import Explanation, explain

__all__ = ["Explanation", "explain"]
