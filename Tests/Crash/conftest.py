import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from server import BINARY, Server  # noqa: E402


@pytest.fixture
def server():
    if not os.path.exists(BINARY):
        pytest.fail(f"{BINARY} is not built: run make build")
    one = Server()
    yield one
    one.remove()
