"""Snapshots of volumes, step by step as this cloud's documents have it, through its clients."""
import os

import pytest

from house import wait_until
from ksyun_cloud import ZONE

MIB = 1 << 20


def native(house, uuid, noun="volume"):
    """The id that the house has for what this cloud's clients know by a UUID."""
    digits = uuid.replace("-", "")
    number = digits[0:12] + digits[13:16] + digits[17]
    return {"volume": "vol-", "snapshot": "snap-"}[noun] + "0" + number


def available(ksyun, snapshot):
    """Waits as clients do, until a snapshot is stored."""
    def look():
        (shown,) = ksyun.ask("DescribeSnapshots", SnapshotId=snapshot)["Snapshots"]
        assert shown["SnapshotStatus"] in ("creating", "available")
        return shown if shown["SnapshotStatus"] == "available" else None
    return wait_until(look)


@pytest.mark.parametrize("kind", ["EHDD", "SSD3.0"])
def test_a_snapshot_is_made_shown_rolled_back_and_restored(ksyun, house, kind):
    volume = ksyun.ask("CreateVolume", VolumeType=kind, Size=10, AvailabilityZone=ZONE, VolumeName="data-1")["VolumeId"]
    disk = native(house, volume)
    first, second = os.urandom(4 * MIB), os.urandom(MIB)
    house.write(disk, 8 * MIB, first)
    one = ksyun.ask("CreateSnapshot", VolumeId=volume, SnapshotName="first-1", SnapshotDesc="a full one")["SnapshotId"]
    # Written after the call: not in it.
    house.write(disk, 8 * MIB, second)
    shown = available(ksyun, one)
    assert shown["SnapshotName"] == "first-1" and shown["SnapshotDesc"] == "a full one"
    assert shown["VolumeId"] == volume and shown["Size"] == 10 and shown["VolumeType"] == kind
    assert shown["Progress"] == "100%" and shown["SnapshotType"] == "CommonSnapShot"
    two = ksyun.ask("CreateSnapshot", VolumeId=volume, SnapshotName="second-1")["SnapshotId"]
    available(ksyun, two)
    stored = [house.show("snapshot", native(house, s, "snapshot"))["storedBytes"] for s in (one, two)]
    assert stored[0] >= 4 * MIB and MIB <= stored[1] < 2 * MIB, "the first is full, the second is what changed"
    page = ksyun.ask("DescribeSnapshots", VolumeId=volume)
    assert [s["SnapshotId"] for s in page["Snapshots"]] == [two, one] and page["Page"]["hasNext"] is False
    house.varve("volume", "detach", disk)
    assert ksyun.ask("RollbackSnapshot", VolumeId=volume, SnapshotId=one)["Return"] is True
    assert house.read("volume", disk, 8 * MIB, 4 * MIB) == first
    copy = ksyun.ask("CreateVolume", VolumeType="SSD3.0", SnapshotId=two, AvailabilityZone=ZONE)["VolumeId"]
    assert house.read("volume", native(house, copy), 8 * MIB, 4 * MIB) == second + first[MIB:]
    (made,) = ksyun.ask("DescribeVolumes", VolumeId=[copy])["Volumes"]
    assert made["SourceSnapshotId"] == two and made["Size"] == 10
    for one_volume in (volume, copy):
        house.varve("volume", "detach", native(house, one_volume))
        assert ksyun.ask("DeleteVolume", VolumeId=one_volume, ForceDelete=True)["Return"] is True
    for snapshot in (two, one):
        assert ksyun.ask("DeleteSnapshot", SnapshotId=snapshot)["Return"] is True
        assert ksyun.refused("DeleteSnapshot", SnapshotId=snapshot) == "SnapshotCanNotFoundError"
    assert ksyun.ask("DescribeSnapshots", SnapshotId=one)["Snapshots"] == []


def test_other_types_have_no_snapshots(ksyun):
    volume = ksyun.ask("CreateVolume", VolumeType="ESSD_PL1", Size=40, AvailabilityZone=ZONE)["VolumeId"]
    assert ksyun.refused("CreateSnapshot", VolumeId=volume) == "VolumeTypeNotSupportSnapshot"
    assert ksyun.ask("DescribeSnapshots", VolumeId=volume)["TotalCount"] == 0
    ksyun.ask("DeleteVolume", VolumeId=volume, ForceDelete=True)


def test_a_volume_is_attached_found_grown_and_tagged(ksyun):
    host = ksyun.ask(
        "RunInstances", "kec", ImageId="linux", InstanceType="host", InstanceName="db-host", MinCount=1, MaxCount=1)
    host = host["InstancesSet"][0]["InstanceId"]
    volume = ksyun.ask(
        "CreateVolume", VolumeType="SSD3.0", Size=10, AvailabilityZone=ZONE, VolumeName="pvc-1",
        Tag=[{"Key": "team", "Value": "数据 a&b=c;d +x%20y~-_.*()"}])["VolumeId"]
    found = ksyun.ask("DescribeVolumes", VolumeExactName="pvc-1", VolumeCategory="data")
    assert [v["VolumeId"] for v in found["Volumes"]] == [volume] and found["TotalCount"] == 1
    assert found["Volumes"][0]["Tags"] == [{"TagKey": "team", "TagValue": "数据 a&b=c;d +x%20y~-_.*()"}]
    assert ksyun.ask("ValidateAttachInstance", VolumeType="SSD3.0", InstanceId=host)["InstanceEnable"] is True
    attached = ksyun.ask("AttachVolume", VolumeId=volume, InstanceId=host)
    assert attached["Return"] is True and attached["MountPoint"] == "/dev/vdb"
    (shown,) = ksyun.ask("DescribeVolumes", VolumeId=[volume])["Volumes"]
    assert shown["VolumeStatus"] == "in-use" and shown["InstanceId"] == host
    assert shown["Attachment"][0]["InstanceId"] == host
    (instance,) = ksyun.ask("DescribeInstances", "kec", InstanceId=[host])["InstancesSet"]
    assert instance["InstanceState"]["Name"] == "active" and instance["DataDisks"][0]["DiskId"] == volume
    assert ksyun.ask("ResizeVolume", VolumeId=volume, Size=20, OnlineResize=True)["Return"] is True
    assert ksyun.ask("DetachVolume", VolumeId=volume, InstanceId=host)["Return"] is True
    assert ksyun.ask("DeleteVolume", VolumeId=volume, ForceDelete=True)["Return"] is True
    assert ksyun.ask("TerminateInstances", "kec", InstanceId=[host])["InstancesSet"][0]["Return"] is True


def test_one_volume_at_every_door(form, house):
    uuid = form.ask("CreateVolume", VolumeType="EHDD", Size=10, AvailabilityZone=ZONE, VolumeName="shared-1")["VolumeId"]
    assert house.show("volume", native(house, uuid))["name"] == "shared-1"
    made = house.volume("2GiB", "--name", "native-1")
    (seen,) = form.ask("DescribeVolumes", VolumeExactName="native-1")["Volumes"]
    assert native(house, seen["VolumeId"]) == made and seen["Size"] == 2
    boto3 = pytest.importorskip("boto3")
    from ksyun_cloud import REGION
    ec2 = boto3.client(
        "ec2", endpoint_url=house.endpoint, region_name=REGION, aws_access_key_id=form.key[0],
        aws_secret_access_key=form.key[1])
    (amazons,) = ec2.describe_volumes(VolumeIds=[native(house, uuid)])["Volumes"]
    assert amazons["VolumeType"] == "EHDD" and amazons["State"] == "available"
    snapshot = form.ask("CreateSnapshot", VolumeId=seen["VolumeId"], SnapshotName="crossing")["SnapshotId"]
    available(form, snapshot)
    restored = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=native(house, snapshot, "snapshot"))["VolumeId"]
    (back,) = form.ask("DescribeVolumes", SourceSnapshotId=snapshot)["Volumes"]
    assert native(house, back["VolumeId"]) == restored
    ec2.modify_volume(VolumeId=native(house, uuid), Size=11)
    assert form.ask("DescribeVolumes", VolumeId=[uuid])["Volumes"][0]["Size"] == 11


def test_another_account_sees_nothing(form, stranger):
    uuid = form.ask("CreateVolume", VolumeType="EHDD", Size=10, AvailabilityZone=ZONE)["VolumeId"]
    assert stranger.ask("DescribeVolumes", VolumeId=[uuid])["Volumes"] == []
    assert stranger.refused("CreateSnapshot", VolumeId=uuid) == "VolumeCanNotFoundError"


def test_a_local_snapshot_is_used_at_once(ksyun, house):
    volume = ksyun.ask("CreateVolume", VolumeType="SSD3.0", Size=10, AvailabilityZone=ZONE)["VolumeId"]
    disk, content = native(house, volume), os.urandom(32 * MIB)
    house.write(disk, 0, content)
    local = ksyun.ask("CreateSnapshot", VolumeId=volume, SnapshotType="LocalSnapShot")["SnapshotId"]
    (shown,) = ksyun.ask("DescribeSnapshots", SnapshotId=local)["Snapshots"]
    assert shown["SnapshotStatus"] == "available" and shown["SnapshotType"] == "LocalSnapShot"
    copy = ksyun.ask("CreateVolume", VolumeType="SSD3.0", SnapshotId=local, AvailabilityZone=ZONE)["VolumeId"]
    house.write(disk, 0, os.urandom(MIB))
    house.varve("volume", "detach", disk)
    assert ksyun.ask("RollbackSnapshot", VolumeId=volume, SnapshotId=local)["Return"] is True
    for one in (volume, copy):
        assert house.read("volume", native(house, one), 0, 32 * MIB) == content
        house.varve("volume", "detach", native(house, one))
    wait_until(lambda: house.show("snapshot", native(house, local, "snapshot"))["state"] == "completed")
    assert ksyun.ask("ModifySnapshotType", SnapshotIds=[local])["Result"] is True
    (shown,) = ksyun.ask("DescribeSnapshots", SnapshotId=local)["Snapshots"]
    assert shown["SnapshotType"] == "CommonSnapShot"
    for one in (volume, copy):
        ksyun.ask("DeleteVolume", VolumeId=one, ForceDelete=True)
    ksyun.ask("DeleteSnapshot", SnapshotId=local)


def test_what_is_said_of_a_volume_is_told_again(ksyun):
    volume = ksyun.ask(
        "CreateVolume", VolumeType="SSD3.0", Size=10, AvailabilityZone=ZONE, VolumeDesc="数据库", ChargeType="Monthly",
        PurchaseTime=1, ProjectId=7)["VolumeId"]
    (shown,) = ksyun.ask("DescribeVolumes", ProjectId=[7], VolumeId=[volume])["Volumes"]
    assert shown["VolumeDesc"] == "数据库" and shown["ChargeType"] == "Monthly" and shown["ProjectId"] == 7
    assert shown["ExpireTime"] > shown["CreateTime"]
    assert ksyun.ask("RenewVolume", VolumeId=volume, PurchaseTime=1)["PaidMoney"] == 0
    assert ksyun.ask("ModifyDiskChargeType", VolumeId=[volume], BillType=5)["Return"] is True
    (shown,) = ksyun.ask("DescribeVolumes", VolumeId=[volume])["Volumes"]
    assert shown["ChargeType"] == "Daily" and "ExpireTime" not in shown
    price = ksyun.ask("DescribeCreateVolumePrice", VolumeType="SSD3.0", Size=10)["VolumePrice"]
    assert price["TradePrice"] == 0
    ksyun.ask("DeleteVolume", VolumeId=volume, ForceDelete=True)
