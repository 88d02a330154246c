"""Every construct that is evaluated gives what real Prometheus gives, at each step, in the mode of its version."""

import os
import shutil

import numpy as np
import pytest

from forensics.promql import RefusedError, Scraped, evaluate, parse
from tests.promql.excerpt import SCRAPES, SINCE, UNTIL, excerpt
from tests.promql.expressions import EXPRESSIONS, REFUSED
from tests.promql.oracle import backfill, difference, running_prometheus

BINARIES = {2: shutil.which("prometheus"), 3: os.environ.get("TABBY_TEST_PROMETHEUS3")}
ALIGNED = np.arange(SINCE + 600, UNTIL + 400, 15.0)  # evaluated at the very moment of a scrape: where the versions differ
BETWEEN = np.arange(SINCE + 603.7, UNTIL + 400, 20.0)
AT = {"aligned": ALIGNED, "between": BETWEEN}

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(BINARIES[2] is None or shutil.which("promtool") is None, reason="prometheus is not installed"),
]


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocks")
    backfill(excerpt(), SCRAPES, folder)
    return folder / "data"


@pytest.fixture(scope="module", params=[version for version, binary in BINARIES.items() if binary])
def server(request, blocks, tmp_path_factory):
    with running_prometheus(BINARIES[request.param], tmp_path_factory.mktemp("server"), blocks) as running:
        assert running.version == request.param
        yield running


@pytest.fixture(scope="module")
def scraped():
    return Scraped(excerpt(), SCRAPES)


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_has_the_values_that_prometheus_has(server, scraped, expression, at):
    found = difference(server.evaluate(expression, AT[at]), evaluate(parse(expression), scraped, AT[at], version=server.version), AT[at])
    assert (found.missing, found.extra) == (0, 0)
    assert found.error <= 1e-9


def test_most_expressions_have_values_in_the_excerpt(scraped):
    empty = [expression for expression in EXPRESSIONS if not evaluate(parse(expression), scraped, ALIGNED)]
    assert len(EXPRESSIONS) > 60
    assert len(empty) < 12, empty


@pytest.mark.parametrize("expression", REFUSED)
def test_what_prometheus_refuses_on_these_series_is_refused(server, scraped, expression):
    with pytest.raises(OSError, match="HTTP Error 422"):
        server.evaluate(expression, ALIGNED)
    with pytest.raises(RefusedError):
        evaluate(parse(expression), scraped, ALIGNED, version=server.version)
