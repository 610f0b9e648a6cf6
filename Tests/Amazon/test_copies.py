"""Two regions of one server, and copies between them, as boto3 sees them."""
import os
import time

import boto3
import botocore.config
import pytest
from cloud import Cloud
from house import House
from test_ec2 import complete, refused

EAST, WEST = "us-east-1", "us-west-2"


@pytest.fixture(scope="module")
def regions():
    house = House(options=("--region", EAST, "--region", WEST))
    try:
        yield Cloud(house.start())
    finally:
        house.remove()


def client(cloud, region, service="ec2"):
    config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=60)
    return boto3.client(
        service, endpoint_url=cloud.house.endpoint, region_name=region, aws_access_key_id=cloud.key[0],
        aws_secret_access_key=cloud.key[1], config=config)


def test_the_signature_chooses_the_region(regions):
    east, west = client(regions, EAST), client(regions, WEST)
    assert [one["RegionName"] for one in west.describe_regions()["Regions"]] == [EAST, WEST]
    assert [one["ZoneName"] for one in west.describe_availability_zones()["AvailabilityZones"]] == ["us-west-2a"]
    volume = west.create_volume(AvailabilityZone="us-west-2a", Size=1)["VolumeId"]
    assert [one["VolumeId"] for one in west.describe_volumes()["Volumes"]] == [volume]
    assert east.describe_volumes()["Volumes"] == []
    assert refused(client(regions, "mars-1").describe_volumes) == (
        "AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    west.delete_volume(VolumeId=volume)


def test_copies_are_whole_and_then_incremental(regions):
    east, west, house = client(regions, EAST), client(regions, WEST), regions.house
    volume = east.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    content = bytearray(os.urandom(4 << 20))
    copies, sources = [], []
    for change in (b"", b"changed"):
        content[:len(change)] = change
        house.write(volume, 0, bytes(content))
        snapshot = east.create_snapshot(VolumeId=volume, Description="secret")["SnapshotId"]
        complete(east, snapshot)
        copy = west.copy_snapshot(
            SourceRegion=EAST, SourceSnapshotId=snapshot, Description="copy",
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "k", "Value": "v"}]}])
        assert copy["Tags"] == [{"Key": "k", "Value": "v"}]
        complete(west, copy["SnapshotId"])
        (shown,) = west.describe_snapshots(SnapshotIds=[copy["SnapshotId"]])["Snapshots"]
        assert (shown["VolumeId"], shown["VolumeSize"], shown["Description"]) == ("vol-ffffffff", 1, "copy")
        copies.append(copy["SnapshotId"])
        sources.append(snapshot)
    blocks = client(regions, WEST, "ebs").list_changed_blocks(FirstSnapshotId=copies[0], SecondSnapshotId=copies[1])
    assert [one["BlockIndex"] for one in blocks["ChangedBlocks"]] == [0]
    listed = client(regions, WEST, "ebs").list_snapshot_blocks(SnapshotId=copies[1])["Blocks"]
    got = client(regions, WEST, "ebs").get_snapshot_block(
        SnapshotId=copies[1], BlockIndex=0, BlockToken=listed[0]["BlockToken"])["BlockData"].read()
    assert got == bytes(content[:512 << 10])
    for source in sources:
        east.delete_snapshot(SnapshotId=source)
    restored = west.create_volume(AvailabilityZone="us-west-2a", SnapshotId=copies[1])["VolumeId"]
    west.get_waiter("volume_available").wait(VolumeIds=[restored], WaiterConfig={"Delay": 1})
    west.delete_volume(VolumeId=restored)


def test_what_is_not_there_fails_and_what_is_wrong_is_refused(regions):
    west = client(regions, WEST)
    copy = west.copy_snapshot(SourceRegion=EAST, SourceSnapshotId="snap-0123456789abcdef0")["SnapshotId"]
    for _ in range(60):
        (shown,) = west.describe_snapshots(SnapshotIds=[copy])["Snapshots"]
        if shown["State"] != "pending":
            break
    assert (shown["State"], shown["StateMessage"]) == ("error", "Source snapshot is not found")
    west.delete_snapshot(SnapshotId=copy)
    assert refused(west.copy_snapshot, SourceRegion="mars-1", SourceSnapshotId="snap-0123456789abcdef0")[:2] == (
        "InvalidRegion", "mars-1 is not a valid region name.")
    assert refused(west.copy_snapshot, SourceRegion=EAST, SourceSnapshotId="snap-x")[:2] == (
        "InvalidParameterValue", "The specified snapshotId is invalid")


def test_a_policy_copies_what_it_takes(regions):
    east, west, dlm = client(regions, EAST), client(regions, WEST), client(regions, EAST, "dlm")
    tags = [{"Key": "copied", "Value": "yes"}]
    volume = east.create_volume(
        AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": tags}])["VolumeId"]
    content = os.urandom(1 << 20)
    regions.house.write(volume, 0, content)
    rule = {"Target": WEST, "Encrypted": False, "CopyTags": True, "RetainRule": {"Interval": 3, "IntervalUnit": "MONTHS"}}
    policy = dlm.create_lifecycle_policy(
        ExecutionRoleArn="arn:aws:iam::123456789012:role/dlm", Description="copies", State="ENABLED",
        PolicyDetails={
            "ResourceTypes": ["VOLUME"], "TargetTags": tags, "Schedules": [{
                "Name": "Daily", "CopyTags": True, "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]},
                "RetainRule": {"Count": 1}, "CrossRegionCopyRules": [rule]}]})["PolicyId"]
    (schedule,) = dlm.get_lifecycle_policy(PolicyId=policy)["Policy"]["PolicyDetails"]["Schedules"]
    assert schedule["CrossRegionCopyRules"] == [rule]
    regions.house.varve("policy", "run", policy)
    wanted = [{"Name": "tag:aws:dlm:lifecycle-policy-id", "Values": [policy]}]
    for _ in range(120):
        copies = west.describe_snapshots(Filters=wanted)["Snapshots"]
        if copies and copies[0]["State"] == "completed":
            break
        time.sleep(0.5)
    (copy,) = copies
    assert {one["Key"]: one["Value"] for one in copy["Tags"]}["copied"] == "yes"
    ebs = client(regions, WEST, "ebs")
    blocks = ebs.list_snapshot_blocks(SnapshotId=copy["SnapshotId"])["Blocks"]
    got = [ebs.get_snapshot_block(
        SnapshotId=copy["SnapshotId"], BlockIndex=one["BlockIndex"], BlockToken=one["BlockToken"])["BlockData"].read()
        for one in blocks]
    assert [one["BlockIndex"] for one in blocks] == [0, 1] and b"".join(got) == content
    dlm.delete_lifecycle_policy(PolicyId=policy)
