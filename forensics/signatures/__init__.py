"""Events → signatures: the catalogue of known failures, stable names for unknown ones, and the failure class of every attempt."""

from forensics.signatures import catalogue
from forensics.signatures.labelling import Labelled, label

__all__ = ["Labelled", "catalogue", "label"]
