"""Automatic snapshot policies through this cloud's clients: made, put on volumes, run, taken away."""
import re

import pytest

from ksyun_cloud import ZONE
from test_scenario import available


def native_policy(uuid):
    """The id that the house has for what this cloud's clients know by a UUID."""
    digits = uuid.replace("-", "")
    return "policy-0" + digits[0:12] + digits[13:16] + digits[17]


@pytest.mark.parametrize("kind", ["CommonSnapshot", "LocalSnapshot"])
def test_a_policy_from_its_making_to_its_end(ksyun, house, kind):
    policy = ksyun.ask(
        "CreateAutoSnapshotPolicy", "kec", AutoSnapshotPolicyName="每天-db@1", AutoSnapshotTime=[3, 22],
        AutoSnapshotDate=[1, 7], RetentionTime=30, SnapshotType=kind)["AutoSnapshotPolicyId"]
    volume = ksyun.ask("CreateVolume", VolumeType="SSD3.0", Size=10, AvailabilityZone=ZONE)["VolumeId"]
    applied = ksyun.ask(
        "ApplyAutoSnapshotPolicy", "kec", AutoSnapshotPolicyId=policy, AttachVolumeId=[volume])["ReturnSet"]
    assert applied == {"AutoSnapshotPolicyId": policy, "AttachVolumeIdSuccess": [volume]}
    (shown,) = ksyun.ask("DescribeAutoSnapshotPolicy", "kec", AutoSnapshotPolicyId=[policy])["AutoSnapshotPolicySet"]
    assert shown["AutoSnapshotPolicyName"] == "每天-db@1" and shown["SnapshotType"] == kind
    assert shown["AutoSnapshotTime"] == ["3", "22"] and shown["AutoSnapshotDate"] == ["1", "7"]
    assert shown["AttachEBSVolumeNum"] == 1 and shown["RetentionTime"] == 30
    (disk,) = ksyun.ask("DescribeVolumes", VolumeId=[volume])["Volumes"]
    assert disk["AutoSnapshotPolicyId"] == policy
    # Nobody waits for Sunday.
    house.varve("policy", "run", native_policy(policy))
    (made,) = ksyun.ask("DescribeSnapshots", VolumeId=volume)["Snapshots"]
    assert made["AutoSnapshot"] is True and made["SnapshotType"].lower() == kind.lower()
    assert re.fullmatch(r"auto-db1-20\d{10}", made["SnapshotName"]), made["SnapshotName"]
    if kind == "LocalSnapshot":
        assert made["SnapshotStatus"] == "available"
    available(ksyun, made["SnapshotId"])
    assert ksyun.ask("ModifyAutoSnapshotPolicy", "kec", AutoSnapshotPolicyId=policy, AutoSnapshotTime=[5])["Return"] is True
    cancelled = ksyun.ask(
        "CancelAutoSnapshotPolicy", "kec", AutoSnapshotPolicyId=policy, AttachVolumeId=[volume])["ReturnSet"]
    assert cancelled["AttachVolumeIdSuccess"] == [volume]
    (disk,) = ksyun.ask("DescribeVolumes", VolumeId=[volume])["Volumes"]
    assert "AutoSnapshotPolicyId" not in disk
    deleted = ksyun.ask("DeleteAutoSnapshotPolicy", "kec", AutoSnapshotPolicyId=[policy])
    assert deleted["AutoSnapshotPolicySet"] == [policy]
    assert ksyun.ask("DescribeAutoSnapshotPolicy", "kec", AutoSnapshotPolicyId=[policy])["AutoSnapshotPolicySet"] == []
    assert ksyun.refused(
        "DeleteAutoSnapshotPolicy", "kec", AutoSnapshotPolicyId=[policy]) == "AutoSnapshotPolicyCanNotFoundError"
    # What it took stays.
    assert ksyun.ask("DeleteSnapshot", SnapshotId=made["SnapshotId"])["Return"] is True
    ksyun.ask("DeleteVolume", VolumeId=volume, ForceDelete=True)


def test_the_other_client(kscore, house):
    kec, ebs = kscore.client("kec"), kscore.client()
    policy = kec.create_auto_snapshot_policy(**{
        "AutoSnapshotPolicyName": "weekly", "AutoSnapshotTime": "3", "AutoSnapshotDate.1": "1"})["AutoSnapshotPolicyId"]
    volume = ebs.create_volume(VolumeType="EHDD", Size="10", AvailabilityZone=ZONE)["VolumeId"]
    kec.apply_auto_snapshot_policy(**{"AutoSnapshotPolicyId": policy, "AttachVolumeId.1": volume})
    house.varve("policy", "run", native_policy(policy))
    (made,) = ebs.describe_snapshots(VolumeId=volume)["Snapshots"]
    assert made["AutoSnapshot"] is True and made["SnapshotName"].startswith("auto-weekly-")
    (shown,) = kec.describe_auto_snapshot_policy(**{"AutoSnapshotPolicyId.0": policy})["AutoSnapshotPolicySet"]
    assert shown["RetentionTime"] == 0 and shown["AutoSnapshotTime"] == ["3"]
    kec.cancel_auto_snapshot_policy(**{"AutoSnapshotPolicyId": policy, "AttachVolumeId.1": volume})
    assert kec.delete_auto_snapshot_policy(**{"AutoSnapshotPolicyId.1": policy})["AutoSnapshotPolicySet"] == [policy]
