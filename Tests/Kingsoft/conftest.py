"""Kingsoft's own clients against a server: kingsoftcloud-sdk-python and ksc-sdk-python."""
import importlib.util
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))
from house import House  # noqa: E402
from ksyun_cloud import REGION, Kscore, Ksyun  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def built():
    from house import BINARY
    if not pathlib.Path(BINARY).exists():
        pytest.exit(f"{BINARY} is not built", returncode=3)


@pytest.fixture(scope="module")
def house():
    house = House(options=["--region", REGION])
    try:
        yield house.start()
    finally:
        house.remove()


def need(module, client):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{client} could not be installed")


@pytest.fixture(scope="module", params=["POST", "GET", "JSON"])
def ksyun(house, request):
    """kingsoftcloud-sdk-python, in each of its ways."""
    need("ksyun", "kingsoftcloud-sdk-python")
    return Ksyun(house, request.param)


@pytest.fixture(scope="module")
def form(house):
    """kingsoftcloud-sdk-python as it is by default."""
    need("ksyun", "kingsoftcloud-sdk-python")
    return Ksyun(house)


@pytest.fixture(scope="module")
def kscore(house, tmp_path_factory):
    """ksc-sdk-python."""
    need("kscore", "ksc-sdk-python")
    return Kscore(house, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def stranger(house):
    """A second account on the same server."""
    need("ksyun", "kingsoftcloud-sdk-python")
    account = house.varve("account", "create", "other")
    text = house.varve("access-key", "create", "eve", "--account", account)
    values = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
    return Ksyun(house, key=(values["aws_access_key_id"], values["aws_secret_access_key"]))
