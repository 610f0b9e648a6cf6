"""Amazon's own clients against a server: boto3 and the aws command line."""
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


@pytest.fixture(scope="module")
def other(cloud):
    """A second account on the same server."""
    account = cloud.house.varve("account", "create", "other")
    text = cloud.house.varve("access-key", "create", "eve", "--account", account)
    values = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
    return Cloud(cloud.house, (values["aws_access_key_id"], values["aws_secret_access_key"]))
