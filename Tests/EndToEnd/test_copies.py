"""Two regions of one server by the command line: copies between them, and a restart that names none."""
import json

import nbd
import pytest
from house import House

WEST = "us-west-2"


@pytest.fixture
def regions():
    house = House(options=("--region", "us-east-1", "--region", WEST))
    try:
        yield house.start()
        house.stop()
    finally:
        house.remove()


def test_a_snapshot_is_copied_and_restored_in_the_other_region(regions):
    house = regions
    volume = house.varve("volume", "create", "--size", "8MiB")
    house.write(volume, 0, b"x" * (1 << 20))
    first = house.varve("snapshot", "create", volume, "--wait")
    copy = house.varve("snapshot", "copy", first, "--to-region", WEST, "--name", "away", "--wait").splitlines()[0]
    house.write(volume, 4096, b"y" * 4096)
    second = house.varve("snapshot", "create", volume, "--wait")
    later = house.varve("snapshot", "copy", second, "--to-region", WEST, "--wait").splitlines()[0]
    shown = json.loads(house.varve("snapshot", "show", later, "--region", WEST, "--output", "json"))
    assert shown["changedBytes"] == 4096 and shown["parentId"] == copy
    assert shown["copyOf"] == {"region": "us-east-1", "snapshotId": second}
    assert "there is no snapshot" in house.refused("snapshot", "show", later)
    assert "region" in house.refused("snapshot", "list", "--region", "mars-1")
    house.stop()
    house.options = []
    house.start()
    restored = house.varve("volume", "create", "--from-snapshot", later, "--region", WEST)
    handle = nbd.NBD()
    handle.connect_uri(house.varve("volume", "uri", restored, "--region", WEST))
    assert bytes(handle.pread(12288, 0)) == b"x" * 4096 + b"y" * 4096 + b"x" * 4096
    handle.shutdown()
    here = house.varve("snapshot", "copy", second, "--wait").splitlines()[0]
    same = json.loads(house.varve("snapshot", "show", here, "--output", "json"))
    assert same["storedBytes"] == 0
