import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from house import BINARY, House  # noqa: E402


def built():
    if not os.path.exists(BINARY):
        pytest.fail(f"{BINARY} is not built: run make build")


@pytest.fixture(scope="module")
def house():
    """One server for all tests of a file."""
    built()
    one = House()
    try:
        yield one.start()
        one.stop()
    finally:
        one.remove()


@pytest.fixture
def fresh():
    """A data directory of the test's own, not served yet."""
    built()
    one = House()
    yield one
    one.remove()
