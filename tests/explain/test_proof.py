"""What a text without an end must show before it is called a failure."""

import shutil

import pytest

from forensics import resources
from forensics.explain import explain
from forensics.signatures import catalogue

CALM = ("reading peers", "3 peers", "dns: using the direct mode", "opening the state", "serving peers", "port 41641")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patterns")
    shutil.copytree(resources.folder("patterns") / "network", folder / "network")
    return catalogue.load([folder])


@pytest.mark.parametrize(
    ("lines", "is_failure", "why"),
    [
        (["policy: open /etc/app.conf: no such file or directory", *CALM], False, "everyday lines follow"),
        (["policy: open /etc/app.conf: no such file or directory"], True, "it is the last that is known"),
        (["WARN could not use the snapshotter zfs"], False, "a warning"),
        (["ERROR could not use the snapshotter zfs", *CALM], True, "its logger calls it an error"),
        (["No list found, generating one"], False, "it is dealt with"),
        (["cannot reach the cache: connection refused, ignoring: cached", *CALM], False, "a service that it does without"),
        (["cannot reach the store: connection refused", *CALM], True, "nothing shows that it does without"),
    ],
)
def test_a_text_without_an_end_shows_a_failure(known, lines, is_failure, why):
    assert (explain("\n".join(lines).encode(), known).signature is not None) is is_failure, why
