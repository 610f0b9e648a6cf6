"""One object through all three clouds' clients: each by its own ids, words and sizes."""
import json
import os
import time

import pytest

from cloud import REGION, ZONE

pytest.importorskip("alibabacloud_ecs20140526", reason="Alibaba's client is not installed: see scripts/setup")
pytest.importorskip("ksyun", reason="Kingsoft's client is not installed: see scripts/setup")
boto3 = pytest.importorskip("boto3")
from alibabacloud_ecs20140526 import models as m  # noqa: E402


@pytest.fixture
def ec2(cloud):
    return boto3.client(
        "ec2", region_name=REGION, endpoint_url=f"http://{cloud.place}",
        aws_access_key_id=cloud.key[0], aws_secret_access_key=cloud.key[1])


@pytest.fixture
def ebs(cloud):
    from ksyun.common.common_client import CommonClient
    from ksyun.common.credential import Credential
    from ksyun.common.profile.client_profile import ClientProfile
    from ksyun.common.profile.http_profile import HttpProfile
    os.environ["NO_PROXY"] = "127.0.0.1"
    client = CommonClient(
        "ebs", "2016-03-04", Credential(*cloud.key), REGION,
        ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=cloud.place)))
    return lambda action, **parameters: json.loads(client.call(action, parameters))


def test_what_one_makes_the_others_see_snapshot_and_restore(cloud, ec2, ebs):
    ecs = cloud.ecs()
    kingsofts = ebs("CreateVolume", VolumeType="SSD3.0", Size=20, AvailabilityZone=ZONE, VolumeName="three")["VolumeId"]
    (volume,) = [one["id"] for one in cloud.house.volumes() if one.get("name") == "three"]
    # The same disk in each cloud's words.
    (disk,) = [one for one in ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION)).body.disks.disk
               if one.disk_name == "three"]
    assert disk.size == 20 and disk.status == "Available" and disk.disk_id.startswith("d-")
    (amazons,) = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert amazons["Size"] == 20 and amazons["State"] == "available"
    # Alibaba's client takes a snapshot, and Amazon's waits for it.
    cloud.use(disk.disk_id)
    taken = ecs.create_snapshot(m.CreateSnapshotRequest(disk_id=disk.disk_id, snapshot_name="shared-view")).body.snapshot_id
    (snapshot,) = ec2.describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume]}])["Snapshots"]
    ec2.get_waiter("snapshot_completed").wait(
        SnapshotIds=[snapshot["SnapshotId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    (seen,) = ebs("DescribeSnapshots", VolumeId=kingsofts)["Snapshots"]
    assert (seen["SnapshotName"], seen["SnapshotStatus"]) == ("shared-view", "available")
    shown = ecs.describe_snapshots(m.DescribeSnapshotsRequest(region_id=REGION, snapshot_ids=f'["{taken}"]')).body
    assert [(one.status, one.progress) for one in shown.snapshots.snapshot] == [("accomplished", "100%")]
    # Kingsoft's and Amazon's make disks of it, which Alibaba's lists.
    ebs("CreateVolume", VolumeType="SSD3.0", Size=20, AvailabilityZone=ZONE, VolumeName="by-kingsoft",
        SnapshotId=seen["SnapshotId"])
    made = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot["SnapshotId"])["VolumeId"]
    of_it = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION)).body.disks.disk
    assert [one.source_snapshot_id for one in of_it].count(taken) == 2
    # Deleted by one, it is gone for all.
    ec2.delete_volume(VolumeId=made)
    ecs.delete_disk(m.DeleteDiskRequest(disk_id=disk.disk_id))
    ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id=taken, force=True))  # disks were made of it
    for _ in range(100):
        if not ebs("DescribeSnapshots")["Snapshots"]:
            break
        time.sleep(0.1)
    assert ebs("DescribeSnapshots")["Snapshots"] == []
    assert [one["VolumeName"] for one in ebs("DescribeVolumes")["Volumes"]] == ["by-kingsoft"]
