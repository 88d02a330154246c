"""One investigated day for all tests of generated files."""

import pytest

from forensics.generate.basis import basis_of
from forensics.generate.runbook import deciding_texts
from forensics.resources import folder
from tests.generate.history import day, investigated


@pytest.fixture(scope="session")
def found(tmp_path_factory):
    """The investigation of the day."""
    return investigated(tmp_path_factory.mktemp("day"), day(), patterns=(folder("patterns"),))


@pytest.fixture(scope="session")
def basis(found):
    return basis_of(found, deciding_texts(found))
