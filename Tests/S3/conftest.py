import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(pathlib.Path(__file__).parent), str(ROOT / "Tests/EndToEnd")]

import rgw  # noqa: E402
from house import BINARY, House  # noqa: E402
from proxy import Proxy  # noqa: E402
from s3 import Client  # noqa: E402


@pytest.fixture(scope="session")
def gateway():
    """A Ceph RADOS gateway, for all tests of the session."""
    if rgw.MISSING:
        pytest.skip(f"no S3 server to test with: install {' '.join(rgw.MISSING)}")
    os.environ.update(AWS_ACCESS_KEY_ID=rgw.ACCESS_KEY, AWS_SECRET_ACCESS_KEY=rgw.SECRET_KEY)
    for name in ["AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
                 "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_SHARED_CREDENTIALS_FILE"]:
        os.environ.pop(name, None)
    one = rgw.Gateway().start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def client(gateway):
    return Client(gateway.endpoint, rgw.ACCESS_KEY, rgw.SECRET_KEY)


@pytest.fixture
def bucket(client):
    """An empty bucket of the test's own."""
    name = f"varve-{os.urandom(6).hex()}"
    client.make_bucket(name)
    return name


@pytest.fixture
def proxy(gateway):
    one = Proxy(gateway.endpoint).start()
    print("proxy seed", one.seed)
    yield one
    one.stop()


@pytest.fixture
def houses():
    """Makes servers whose store is at a URL, and removes them."""
    if not os.path.exists(BINARY):
        pytest.fail(f"{BINARY} is not built: run make build")
    made = []

    def make(store, *options, data=None):
        made.append(House(data=data, options=["--store", store, *options]))
        return made[-1]

    yield make
    for one in made:
        one.remove()
