"""Give events their signatures (patterns of the catalogue, stable names for unknown failures) and attempts their failure class."""

from forensics.signatures import catalogue
from forensics.signatures.labelling import Labelled, filled_for, label

__all__ = ["Labelled", "catalogue", "filled_for", "label"]
