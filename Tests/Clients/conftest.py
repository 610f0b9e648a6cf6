import os, sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nbd_disks


def pytest_generate_tests(metafunc):
    if "disk" in metafunc.fixturenames:
        metafunc.parametrize("disk", nbd_disks.kinds(), indirect=True)


@pytest.fixture(scope="session")
def varve_server():
    with nbd_disks.varve_server() as server:
        yield server


@pytest.fixture
def disk(request):
    """A disk of 64 MiB that reads as zeros (a given one is zeroed first)."""
    kind = request.param
    if kind == "file":
        with nbd_disks.file_disk() as disk:
            yield disk
    elif kind == "varve":
        with nbd_disks.varve_disk(request.getfixturevalue("varve_server")) as disk:
            yield disk
    elif kind == "given":
        import nbd
        h = nbd.NBD()
        h.connect_uri(os.environ["VARVE_NBD_URI"])
        size = h.get_size()
        for at in range(0, size, 32 << 20):
            h.zero(min(32 << 20, size - at), at)
        h.shutdown()
        yield nbd_disks.Disk(os.environ["VARVE_NBD_URI"], size)
    else:
        pytest.fail("no NBD server to test: build NBDFile, or set VARVE_BINARY or VARVE_NBD_URI")
