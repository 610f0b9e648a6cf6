"""A snapshot group is one cut: under a running writer, no disk has the second of two writes without the other having the first."""
import subprocess
import time

import pytest

from cloud import REGION

pytest.importorskip("alibabacloud_ecs20140526", reason="Alibaba's client is not installed: see scripts/setup")
from alibabacloud_ecs20140526 import models as m  # noqa: E402

# Writes ever greater numbers, each to the first disk and, once that is acknowledged, to the second; tells when it has begun.
WRITER = """
import nbd, sys
first, second = nbd.NBD(), nbd.NBD()
first.connect_unix(sys.argv[1])
second.connect_unix(sys.argv[2])
number = 0
while True:
    number += 1
    data = number.to_bytes(8, "big") * 512
    first.pwrite(data, 0)
    second.pwrite(data, 0)
    if number == 100: print("writing", flush=True)
"""
READER = """
import nbd, sys
disk = nbd.NBD()
disk.connect_uri(sys.argv[1])
data = disk.pread(4096, 0)
assert data == data[:8] * 512
print(int.from_bytes(data[:8], "big"))
"""


def number(house, snapshot):
    uri = house.varve("snapshot", "uri", snapshot).strip()
    done = subprocess.run(
        ["/usr/bin/python3", "-c", READER, uri], capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout)


def test_the_order_of_writes_across_disks_is_kept(cloud):
    ecs = cloud.ecs()
    host = ecs.run_instances(m.RunInstancesRequest(
        region_id=REGION, instance_type="ecs.g7.large",
        system_disk=m.RunInstancesRequestSystemDisk(size="40", category="cloud_essd"),
        data_disk=[m.RunInstancesRequestDataDisk(size=20, category="cloud_essd")])).body.instance_id_sets.instance_id_set[0]
    disks = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, instance_id=host)).body.disks.disk
    volumes = {
        volume["attachment"]["socket"]: volume["id"] for volume in cloud.house.volumes() if volume.get("attachment")}
    paths = sorted(volumes)
    assert len(paths) == 2
    writer = subprocess.Popen(["/usr/bin/python3", "-c", WRITER, *paths], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout.readline() == "writing\n"
        for turn in range(5):
            ecs.create_snapshot_group(m.CreateSnapshotGroupRequest(
                region_id=REGION, disk_id=[disk.disk_id for disk in disks], name=f"turn-{turn}"))
            assert writer.poll() is None, "the writer goes on"
            time.sleep(0.2)
    finally:
        writer.kill()
        writer.wait()
    last = 99
    for turn in range(5):
        members = {one["volumeId"]: one["id"] for one in cloud.house.snapshots() if one["name"] == f"turn-{turn}"}
        assert len(members) == 2
        first, second = (number(cloud.house, members[volumes[path]]) for path in paths)
        assert first - 1 <= second <= first and first >= last, (turn, first, second, last)
        last = first
    assert last > 100, "the writer wrote between the cuts"
