"""Alibaba's own clients, and libcloud, against a server."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))
from cloud import Cloud  # noqa: E402
from house import House  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def built():
    from house import BINARY
    if not pathlib.Path(BINARY).exists():
        pytest.exit(f"{BINARY} is not built", returncode=3)


@pytest.fixture(scope="module")
def cloud():
    house = House()
    try:
        yield Cloud(house.start())
    finally:
        house.remove()
