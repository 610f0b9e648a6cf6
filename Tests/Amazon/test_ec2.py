"""Volumes, snapshots and tags through boto3, and the refusals of each, word for word."""
import datetime
import os
import urllib.error
import urllib.request

import botocore.exceptions
import pytest

from cloud import REGION, Cloud

ZONE = REGION + "a"
GIB = 1 << 30


def refused(call, **parameters):
    """The code, message and status of a call that must be refused."""
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        call(**parameters)
    error, meta = failure.value.response["Error"], failure.value.response["ResponseMetadata"]
    assert meta["RequestId"], "a refusal has a request id"
    return error["Code"], error["Message"], meta["HTTPStatusCode"]


def complete(ec2, snapshot):
    """Waits as boto3's waiter does, which asks every 15 seconds only."""
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def test_a_volume_from_its_making_to_its_end(cloud):
    ec2 = cloud.client()
    made = ec2.create_volume(
        AvailabilityZone=ZONE, Size=2, VolumeType="gp3",
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "db <1> & \"x\""}]}])
    assert made["Size"] == 2 and made["VolumeType"] == "gp3" and made["Iops"] == 3000 and made["Throughput"] == 125
    assert made["SnapshotId"] == "" and made["Encrypted"] is False and made["AvailabilityZone"] == ZONE
    assert isinstance(made["CreateTime"], datetime.datetime)
    volume = made["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
    (shown,) = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert shown["State"] == "available" and shown["Attachments"] == []
    assert shown["Tags"] == [{"Key": "Name", "Value": "db <1> & \"x\""}]
    grown = ec2.modify_volume(VolumeId=volume, Size=3)["VolumeModification"]
    assert (grown["OriginalSize"], grown["TargetSize"], grown["ModificationState"]) == (2, 3, "modifying")
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"] == 3
    ec2.delete_volume(VolumeId=volume)
    ec2.get_waiter("volume_deleted").wait(VolumeIds=[volume])
    assert refused(ec2.delete_volume, VolumeId=volume) == (
        "InvalidVolume.NotFound", f"The volume '{volume}' does not exist.", 400)


def test_a_snapshot_is_the_volume_and_makes_one(cloud):
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    content = os.urandom(1 << 20)
    cloud.house.write(volume, 5 << 20, content)
    made = ec2.create_snapshot(
        VolumeId=volume, Description="before the upgrade",
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "why", "Value": "upgrade"}]}])
    snapshot = made["SnapshotId"]
    assert made["State"] == "pending" and made["Progress"] == "" and made["VolumeSize"] == 1
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot])
    (shown,) = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert shown["State"] == "completed" and shown["Progress"] == "100%" and shown["Description"] == "before the upgrade"
    assert shown["OwnerId"] == "100000000000" and shown["VolumeId"] == volume
    assert shown["Tags"] == [{"Key": "why", "Value": "upgrade"}]
    restored = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)["VolumeId"]
    assert cloud.house.read("volume", restored, 5 << 20, 1 << 20) == content
    resource = cloud.resource().Snapshot(snapshot)
    resource.wait_until_completed()
    assert resource.volume_size == 1
    for one in (volume, restored):
        cloud.house.varve("volume", "detach", one)
        ec2.delete_volume(VolumeId=one)
    assert [one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]] == [snapshot]
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert refused(ec2.describe_snapshots, SnapshotIds=[snapshot]) == (
        "InvalidSnapshot.NotFound", f"The snapshot '{snapshot}' does not exist.", 400)


def test_filters_pages_and_tags(cloud):
    ec2 = cloud.client()
    made = []
    for number in range(12):
        made.append(ec2.create_volume(
            AvailabilityZone=ZONE, Size=1 + number % 2,
            TagSpecifications=[{"ResourceType": "volume", "Tags": [
                {"Key": "set", "Value": "pages"}, {"Key": "n", "Value": f"v{number:02}"}]}])["VolumeId"])
    mine = [{"Name": "tag:set", "Values": ["pages"]}]

    def found(*filters):
        return {one["VolumeId"] for one in ec2.describe_volumes(Filters=[*mine, *filters])["Volumes"]}

    assert found() == set(made)
    assert found({"Name": "size", "Values": ["2"]}) == set(made[1::2])
    assert found({"Name": "tag:n", "Values": ["v0?"]}) == set(made[:10])
    assert found({"Name": "tag:n", "Values": ["*1", "v00"]}) == {made[0], made[1], made[11]}
    assert found({"Name": "tag-key", "Values": ["n"]}, {"Name": "status", "Values": ["available"]}) == set(made)
    assert found({"Name": "volume-id", "Values": made[:2]}) == set(made[:2])
    assert found({"Name": "tag:none", "Values": ["x"]}) == set()
    pages = list(ec2.get_paginator("describe_volumes").paginate(Filters=mine, PaginationConfig={"PageSize": 5}))
    assert [len(page["Volumes"]) for page in pages] == [5, 5, 2]
    assert {one["VolumeId"] for page in pages for one in page["Volumes"]} == set(made)
    ec2.create_tags(Resources=made[:2], Tags=[{"Key": "n", "Value": "new"}, {"Key": "more", "Value": ""}])
    ec2.delete_tags(Resources=made[:2], Tags=[{"Key": "set", "Value": "other"}, {"Key": "more"}])
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": made[:1]}])["Tags"]
    assert {(one["Key"], one["Value"], one["ResourceType"]) for one in tags} == {
        ("set", "pages", "volume"), ("n", "new", "volume")}
    for volume in made:
        ec2.delete_volume(VolumeId=volume)


@pytest.mark.parametrize("parameters, code, message", [
    (dict(AvailabilityZone="mars-1a", Size=1), "InvalidZone.NotFound", "The zone 'mars-1a' does not exist."),
    (dict(AvailabilityZone=ZONE), "MissingParameter", "The request must contain the parameter size/snapshot"),
    (dict(AvailabilityZone=ZONE, Size=1, VolumeType="fast"), "UnknownVolumeType",
     "Unsupported volume type 'fast' for volume creation. "),
    (dict(AvailabilityZone=ZONE, Size=4, VolumeType="io1"), "InvalidParameterCombination",
     "The parameter iops must be specified for io1 volumes."),
    (dict(AvailabilityZone=ZONE, Size=4, VolumeType="gp2", Iops=100), "InvalidParameterCombination",
     "The parameter iops is not supported for gp2 volumes."),
    (dict(AvailabilityZone=ZONE, Size=4, VolumeType="gp2", Throughput=125), "InvalidParameterCombination",
     "The throughput parameter is not supported for gp2 volumes."),
    (dict(AvailabilityZone=ZONE, Size=1, VolumeType="io1", Iops=100), "InvalidParameterValue",
     "The volume size is invalid for io1 volumes: 1 GiB. io1 volumes must be at least 4 GiB in size. Please specify a "
     "volume size above the minimum limit."),
    (dict(AvailabilityZone=ZONE, Size=70000, VolumeType="gp3"), "InvalidParameterValue",
     "Volume of 70000GiB is too large for volume type gp3; maximum is 65536GiB"),
    (dict(AvailabilityZone=ZONE, Size=10, VolumeType="gp3", Iops=6000), "InvalidParameterValue",
     "Iops to volume size ratio of 600.000000 is too high; maximum is 500"),
    (dict(AvailabilityZone=ZONE, Size=10, VolumeType="gp3", Throughput=1000), "InvalidParameterValue",
     "Throughput (MiBps) to iops ratio of 0.333333 is too high; maximum is 0.250000 MiBps per iops"),
    (dict(AvailabilityZone=ZONE, Size=10, VolumeType="gp3", Iops=99), "InvalidParameterValue",
     "Volume iops of 99 is too low; minimum is 100."),
    (dict(AvailabilityZone=ZONE, Size=-1), "InvalidParameterValue",
     "Value (-1) for parameter size is invalid. Value must be a positive integer."),
    (dict(AvailabilityZone=ZONE, SnapshotId="snap-0123456789abcdef0"), "InvalidSnapshot.NotFound",
     "Snapshot does not exist"),
])
def test_what_create_volume_refuses(cloud, parameters, code, message):
    ec2 = cloud.client()
    before = len(ec2.describe_volumes()["Volumes"])
    assert refused(ec2.create_volume, **parameters) == (code, message, 400)
    assert refused(ec2.create_volume, DryRun=True, **parameters)[0] == code
    assert len(ec2.describe_volumes()["Volumes"]) == before


def test_dry_runs_change_nothing(cloud):
    ec2 = cloud.client()
    dry = ("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    assert refused(ec2.create_volume, AvailabilityZone=ZONE, Size=1, DryRun=True) == dry
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    assert refused(ec2.create_snapshot, VolumeId=volume, DryRun=True) == dry
    assert refused(ec2.delete_volume, VolumeId=volume, DryRun=True) == dry
    assert refused(ec2.describe_volumes, DryRun=True) == dry
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available"
    assert not ec2.describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume]}])["Snapshots"]
    ec2.delete_volume(VolumeId=volume)


def test_another_account_sees_nothing_and_learns_nothing(cloud, other):
    mine, theirs = cloud.client(), other.client()
    volume = mine.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    snapshot = mine.create_snapshot(VolumeId=volume)["SnapshotId"]
    complete(mine, snapshot)
    assert theirs.describe_volumes()["Volumes"] == [] and theirs.describe_snapshots()["Snapshots"] == []
    unknown = "vol-0123456789abcdef0", "snap-0123456789abcdef0"
    for call, name, own, nobodys in [
        (theirs.delete_volume, "VolumeId", volume, unknown[0]), (theirs.create_snapshot, "VolumeId", volume, unknown[0]),
        (theirs.delete_snapshot, "SnapshotId", snapshot, unknown[1]),
    ]:
        first, second = refused(call, **{name: own}), refused(call, **{name: nobodys})
        assert (first[0], first[1].replace(own, "ID"), first[2]) == (second[0], second[1].replace(nobodys, "ID"), second[2])
    assert refused(theirs.describe_volumes, VolumeIds=[volume])[0] == "InvalidVolume.NotFound"
    assert refused(theirs.create_tags, Resources=[volume], Tags=[{"Key": "a", "Value": "b"}])[0] == "InvalidVolume.NotFound"
    assert refused(theirs.create_volume, AvailabilityZone=ZONE, SnapshotId=snapshot)[1] == "Snapshot does not exist"
    token = mine.describe_volumes(MaxResults=5).get("NextToken")
    if token:
        assert refused(theirs.describe_volumes, NextToken=token)[1] == "Unable to parse pagination token"
    assert theirs.describe_tags()["Tags"] == []
    assert mine.describe_volumes(VolumeIds=[volume])["Volumes"]


def test_who_is_asking(cloud, other):
    root = cloud.client("sts").get_caller_identity()
    assert root["Account"] == "100000000000" and root["Arn"] == "arn:aws:iam::100000000000:root"
    eve = other.client("sts").get_caller_identity()
    assert eve["Arn"] == f"arn:aws:iam::{eve['Account']}:user/eve" and eve["UserId"] == other.key[0]
    wrong = Cloud(cloud.house, (cloud.key[0], "x" * 40)).client
    assert refused(wrong().describe_volumes) == (
        "AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    unknown = Cloud(cloud.house, ("AKIAIOSFODNN7EXAMPLE", "x" * 40)).client
    assert refused(unknown().describe_volumes) == refused(wrong().describe_volumes)
    assert refused(wrong("sts").get_caller_identity)[0] == "SignatureDoesNotMatch"
    assert refused(unknown("sts").get_caller_identity)[0] == "InvalidClientTokenId"


def test_regions_and_zones(cloud):
    ec2 = cloud.client()
    assert [one["RegionName"] for one in ec2.describe_regions()["Regions"]] == [REGION]
    (zone,) = ec2.describe_availability_zones()["AvailabilityZones"]
    assert (zone["ZoneName"], zone["ZoneId"], zone["State"]) == (ZONE, "use1-az1", "available")
    assert cloud.client(api_version="2014-09-01").describe_volumes()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_sharing_with_an_account_and_with_everybody(cloud, other):
    mine, theirs = cloud.client(), other.client()
    eve = other.client("sts").get_caller_identity()["Account"]
    volume = mine.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    content = os.urandom(1 << 20)
    cloud.house.write(volume, 1 << 20, content)
    snapshot = mine.create_snapshot(VolumeId=volume)["SnapshotId"]
    complete(mine, snapshot)
    mine.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": eve}]})
    shown = mine.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert shown["SnapshotId"] == snapshot and shown["CreateVolumePermissions"] == [{"UserId": eve}]
    (seen,) = theirs.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert seen["OwnerId"] == "100000000000" and "Tags" not in seen
    assert theirs.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert [one["SnapshotId"] for one in theirs.describe_snapshots(RestorableByUserIds=["self"])["Snapshots"]] == [snapshot]
    copy = theirs.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)
    assert copy["SnapshotId"] == snapshot
    missing = ("InvalidSnapshot.NotFound", f"The snapshot '{snapshot}' does not exist.", 400)
    assert refused(theirs.delete_snapshot, SnapshotId=snapshot) == missing
    assert refused(theirs.modify_snapshot_attribute, SnapshotId=snapshot, Attribute="createVolumePermission",
                   OperationType="add", UserIds=[eve]) == missing
    mine.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="remove", UserIds=[eve])
    assert refused(theirs.describe_snapshots, SnapshotIds=[snapshot]) == missing
    mine.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"])
    assert [one["SnapshotId"] for one in theirs.describe_snapshots(RestorableByUserIds=["all"])["Snapshots"]] == [snapshot]
    assert mine.enable_snapshot_block_public_access(State="block-all-sharing")["State"] == "block-all-sharing"
    assert mine.get_snapshot_block_public_access_state()["State"] == "block-all-sharing"
    assert theirs.describe_snapshots()["Snapshots"] == []
    assert refused(mine.modify_snapshot_attribute, SnapshotId=snapshot, CreateVolumePermission={"Add": [{"Group": "all"}]}) == (
        "OperationNotPermitted", "Public sharing of snapshots is blocked for this account.", 400)
    assert mine.disable_snapshot_block_public_access()["State"] == "unblocked"
    mine.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert mine.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")[
        "CreateVolumePermissions"] == []
    assert theirs.describe_snapshots()["Snapshots"] == []
    # What was made of it stays, with its content.
    assert theirs.describe_volumes(VolumeIds=[copy["VolumeId"]])["Volumes"][0]["SnapshotId"] == snapshot
    assert refused(mine.modify_snapshot_attribute, SnapshotId=snapshot) == (
        "InvalidParameterCombination", "No attributes specified.", 400)
    assert refused(mine.modify_snapshot_attribute, SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": "12"}]}) == (
        "InvalidAMIAttributeItemValue", "UserId 12", 400)
    theirs.delete_volume(VolumeId=copy["VolumeId"])
    cloud.house.varve("volume", "detach", volume)
    mine.delete_volume(VolumeId=volume)
    mine.delete_snapshot(SnapshotId=snapshot)


def test_what_a_gp3_volume_has_anyway_and_keys_without_encryption(cloud):
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1, VolumeType="gp3", Iops=1000, Throughput=10)
    assert (volume["Iops"], volume["Throughput"]) == (3000, 125)
    ec2.delete_volume(VolumeId=volume["VolumeId"])
    assert refused(ec2.create_volume, AvailabilityZone=ZONE, Size=1, KmsKeyId="key") == (
        "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.", 400)
    changed = ec2.create_volume(AvailabilityZone=ZONE, Size=100)["VolumeId"]
    faster = ec2.modify_volume(VolumeId=changed, VolumeType="gp3", Iops=4000)["VolumeModification"]
    assert (faster["OriginalVolumeType"], faster["OriginalIops"]) == ("gp2", 300)
    assert (faster["TargetVolumeType"], faster["TargetIops"], faster["TargetThroughput"]) == ("gp3", 4000, 125)
    (done,) = ec2.describe_volumes_modifications(VolumeIds=[changed])["VolumesModifications"]
    assert (done["ModificationState"], done["Progress"], done["TargetIops"]) == ("completed", 100, 4000)
    assert ec2.describe_volumes(VolumeIds=[changed])["Volumes"][0]["Iops"] == 4000
    assert refused(ec2.modify_volume, VolumeId=changed)[1].startswith("Invalid input: Must specify at least one of")
    assert refused(ec2.modify_volume, VolumeId=changed, Size=99)[1] == "New size cannot be smaller than existing size"
    assert refused(ec2.modify_volume, VolumeId=changed, VolumeType="io9")[0] == "UnknownVolumeType"
    grown = ec2.create_volume(AvailabilityZone=ZONE, Size=100)
    assert refused(ec2.describe_volumes_modifications, VolumeIds=[grown["VolumeId"]]) == (
        "InvalidVolumeModification.NotFound", f"Modification for volume '{grown['VolumeId']}' does not exist.", 400)
    ec2.delete_volume(VolumeId=changed)
    assert grown["Iops"] == 300
    assert ec2.modify_volume(VolumeId=grown["VolumeId"], Size=1000)["VolumeModification"]["TargetIops"] == 3000
    assert refused(ec2.modify_volume, VolumeId=grown["VolumeId"], Size=20000)[1] == (
        "Volume of 20000GiB is too large for volume type gp2; maximum is 16384GiB")
    ec2.delete_volume(VolumeId=grown["VolumeId"])


def test_a_volume_that_still_uploads_is_gone_for_its_owner(cloud):
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    for start in range(0, 64 << 20, 16 << 20):
        cloud.house.write(volume, start, os.urandom(16 << 20))
    cloud.house.varve("volume", "detach", volume)
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.delete_volume(VolumeId=volume)
    missing = ("InvalidVolume.NotFound", f"The volume '{volume}' does not exist.", 400)
    assert refused(ec2.delete_volume, VolumeId=volume) == missing
    assert refused(ec2.describe_volumes, VolumeIds=[volume]) == missing
    complete(ec2, snapshot)


@pytest.mark.parametrize("headers, code", [
    ({}, "MissingAuthenticationToken"),
    ({"Authorization": "AWS4-HMAC-SHA256 nonsense"}, "IncompleteSignature"),
])
def test_who_does_not_sign_is_told_so(cloud, headers, code):
    request = urllib.request.Request(
        cloud.house.endpoint + "/", data=b"Action=DescribeVolumes&Version=2016-11-15", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(request, timeout=10)
    body = failure.value.read().decode()
    assert f"<Code>{code}</Code>" in body and "<RequestID>" in body
    assert failure.value.headers["Server"] == "AmazonEC2"


def test_a_locked_snapshot_stays(cloud):
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    locked = ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=3)
    assert (locked["LockState"], locked["LockDuration"]) == ("governance", 3)
    complete(ec2, snapshot)
    code, message, status = refused(ec2.delete_snapshot, SnapshotId=snapshot)
    assert (code, status) == ("OperationNotPermitted", 400) and "is locked" in message
    (shown,) = ec2.describe_locked_snapshots(Filters=[{"Name": "lock-state", "Values": ["governance"]}])["Snapshots"]
    assert shown["SnapshotId"] == snapshot and shown["OwnerId"] == "100000000000"
    until = shown["LockCreatedOn"] + datetime.timedelta(days=30)
    longer = ec2.lock_snapshot(SnapshotId=snapshot, LockMode="compliance", ExpirationDate=until, CoolOffPeriod=2)
    assert longer["LockState"] == "compliance-cooloff" and longer["CoolOffPeriod"] == 2
    assert ec2.unlock_snapshot(SnapshotId=snapshot)["SnapshotId"] == snapshot
    assert ec2.describe_locked_snapshots()["Snapshots"] == []
    for parameters in [dict(LockDuration=1, ExpirationDate=until), dict(), dict(LockDuration=1, CoolOffPeriod=1)]:
        assert refused(ec2.lock_snapshot, SnapshotId=snapshot, LockMode="governance", **parameters)[0] == (
            "InvalidParameterCombination")
    ec2.delete_snapshot(SnapshotId=snapshot)
    ec2.delete_volume(VolumeId=volume)


def test_a_token_makes_one_volume(cloud, other):
    ec2 = cloud.client()
    asks = dict(AvailabilityZone=ZONE, Size=1, VolumeType="gp3", Throughput=125, ClientToken="once")
    first = ec2.create_volume(**asks)["VolumeId"]
    assert ec2.create_volume(**asks)["VolumeId"] == first
    del asks["Throughput"]
    assert ec2.create_volume(**asks)["VolumeId"] == first, "what it has anyway is no difference"
    assert refused(ec2.create_volume, **dict(asks, Size=2)) == (
        "IdempotentParameterMismatch",
        "Parameters on this idempotent request are inconsistent with parameters used in previous request(s).", 400)
    theirs = other.client().create_volume(**asks)["VolumeId"]
    assert theirs != first, "tokens of two accounts have nothing to do with each other"
    other.client().delete_volume(VolumeId=theirs)
    ec2.delete_volume(VolumeId=first)
    assert refused(ec2.create_volume, **asks) == (
        "IdempotentParameterMismatch",
        f"The client token 'once' is associated with resource '{first}' which has already been deleted. Please use a different "
        "client token.", 400)
    assert refused(ec2.create_volume, **dict(asks, ClientToken="x" * 65)) == (
        "InvalidParameterValue", "Client token must be less than or equal to 64 characters.", 400)
    cloud.house.stop()
    cloud.house.start()
    assert refused(cloud.client().create_volume, **asks)[0] == "IdempotentParameterMismatch"
