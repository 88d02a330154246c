"""The patterns that ship with the program, loaded once per process."""

from dataclasses import replace
from functools import cache

from forensics.resources import folder
from forensics.signatures import catalogue
from forensics.signatures.pattern import Catalogue


def shipped() -> Catalogue:
    """Return them without what an earlier test made them miss: an expression that often takes too long is left out for good."""
    return replace(_loaded(), timeouts={})


@cache
def _loaded() -> Catalogue:
    return catalogue.load((folder("patterns"),))
