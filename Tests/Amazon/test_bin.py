"""The Recycle Bin through boto3: rules by `rbin`, what is in it by `ec2`."""
import datetime

import pytest

from cloud import REGION
from test_ec2 import complete, refused

ZONE = REGION + "a"
PERIOD = {"RetentionPeriodValue": 14, "RetentionPeriodUnit": "DAYS"}


@pytest.fixture
def rbin(cloud):
    client = cloud.client("rbin")
    yield client
    for kind in ("EBS_SNAPSHOT", "EBS_VOLUME", "EC2_IMAGE"):
        for rule in client.list_rules(ResourceType=kind)["Rules"]:
            if rule["LockState"] == "unlocked":
                client.delete_rule(Identifier=rule["Identifier"])


def test_a_rules_life(cloud, rbin):
    made = rbin.create_rule(
        ResourceType="EBS_SNAPSHOT", RetentionPeriod=PERIOD, Description="keep", Tags=[{"Key": "a", "Value": "b"}],
        ResourceTags=[{"ResourceTagKey": "class", "ResourceTagValue": "gold"}])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    identifier, arn = made["Identifier"], made["RuleArn"]
    assert len(identifier) == 11 and arn.endswith(":rule/" + identifier) and arn.startswith(f"arn:aws:rbin:{REGION}:")
    assert (made["Status"], made["LockState"], made["Tags"]) == ("available", "unlocked", [{"Key": "a", "Value": "b"}])
    shown = rbin.get_rule(Identifier=identifier)
    assert shown["RetentionPeriod"] == PERIOD and shown["ResourceTags"] == made["ResourceTags"]
    changed = rbin.update_rule(Identifier=identifier, RetentionPeriod=dict(PERIOD, RetentionPeriodValue=3), ResourceTags=[])
    assert changed["RetentionPeriod"]["RetentionPeriodValue"] == 3 and changed["ResourceTags"] == []
    assert changed["Description"] == "keep"
    rbin.tag_resource(ResourceArn=arn, Tags=[{"Key": "c d", "Value": "é+/"}])
    assert rbin.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "a", "Value": "b"}, {"Key": "c d", "Value": "é+/"}]
    rbin.untag_resource(ResourceArn=arn, TagKeys=["c d", "a"])
    assert rbin.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
    assert rbin.delete_rule(Identifier=identifier)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(rbin.exceptions.ResourceNotFoundException) as error:
        rbin.get_rule(Identifier=identifier)
    assert error.value.response["Reason"] == "RULE_NOT_FOUND"


def test_pages_and_mistakes(cloud, rbin):
    made = {rbin.create_rule(ResourceType="EC2_IMAGE", RetentionPeriod=PERIOD)["Identifier"] for _ in range(5)}
    pages = rbin.get_paginator("list_rules").paginate(ResourceType="EC2_IMAGE", PaginationConfig={"PageSize": 2})
    sizes, found = [], set()
    for page in pages:
        sizes.append(len(page["Rules"]))
        found |= {rule["Identifier"] for rule in page["Rules"]}
    assert sizes == [2, 2, 1] and found == made
    with pytest.raises(rbin.exceptions.ValidationException) as error:
        rbin.create_rule(ResourceType="EC2_IMAGE", RetentionPeriod=dict(PERIOD, RetentionPeriodValue=3651))
    assert error.value.response["Reason"] == "INVALID_PARAMETER_VALUE"
    with pytest.raises(rbin.exceptions.ValidationException) as error:
        rbin.list_rules(ResourceType="EC2_IMAGE", NextToken="abcd")
    assert error.value.response["Reason"] == "INVALID_PAGE_TOKEN"


def test_a_locked_rule_stays(cloud, rbin):
    delay = {"UnlockDelay": {"UnlockDelayValue": 7, "UnlockDelayUnit": "DAYS"}}
    rule = rbin.create_rule(ResourceType="EC2_IMAGE", RetentionPeriod=PERIOD, LockConfiguration=delay)
    assert rule["LockState"] == "locked" and rule["LockConfiguration"] == delay
    identifier = rule["Identifier"]
    for refuse in (lambda: rbin.delete_rule(Identifier=identifier), lambda: rbin.update_rule(Identifier=identifier)):
        with pytest.raises(rbin.exceptions.ConflictException) as error:
            refuse()
        assert error.value.response["Reason"] == "INVALID_RULE_STATE"
    unlocking = rbin.unlock_rule(Identifier=identifier)
    left = unlocking["LockEndTime"] - datetime.datetime.now(datetime.timezone.utc)
    assert unlocking["LockState"] == "pending_unlock" and abs(left - datetime.timedelta(days=7)).total_seconds() < 60
    assert rbin.lock_rule(Identifier=identifier, LockConfiguration=delay)["LockState"] == "locked"


def test_a_snapshot_comes_back(cloud, other, rbin):
    ec2, theirs = cloud.client(), other.client()
    rbin.create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=PERIOD)
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    cloud.house.write(volume, 0, b"varve" * 1000)
    snapshot = ec2.create_snapshot(VolumeId=volume, Description="d")["SnapshotId"]
    complete(ec2, snapshot)
    account = other.client("sts").get_caller_identity()["Account"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[account])
    ec2.delete_snapshot(SnapshotId=snapshot)
    for client in (ec2, theirs):
        assert refused(lambda: client.describe_snapshots(SnapshotIds=[snapshot]))[0] == "InvalidSnapshot.NotFound"
    binned = ec2.list_snapshots_in_recycle_bin(SnapshotIds=[snapshot])["Snapshots"]
    assert [(one["SnapshotId"], one["VolumeId"], one["Description"]) for one in binned] == [(snapshot, volume, "d")]
    assert binned[0]["RecycleBinExitTime"] - binned[0]["RecycleBinEnterTime"] == datetime.timedelta(days=14)
    assert theirs.list_snapshots_in_recycle_bin()["Snapshots"] == []
    assert refused(
        lambda: theirs.restore_snapshot_from_recycle_bin(SnapshotId=snapshot))[0] == "InvalidSnapshot.NotFound"
    assert refused(lambda: ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot))[0] == "InvalidSnapshot.NotFound"
    ec2.create_tags(Resources=[snapshot], Tags=[{"Key": "k", "Value": "v"}])
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [snapshot]}])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"aws:recycle-bin:resource-in-bin": "true", "k": "v"}
    restored = ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)
    assert restored["State"] == "completed" and restored["VolumeSize"] == 1
    assert theirs.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["SnapshotId"] == snapshot
    assert refused(lambda: ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot))[0] == "InvalidSnapshot.NotFound"


def test_a_volume_comes_back(cloud, rbin):
    ec2 = cloud.client()
    rbin.create_rule(
        ResourceType="EBS_VOLUME", RetentionPeriod=PERIOD, ExcludeResourceTags=[{"ResourceTagKey": "scratch"}])
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=2, VolumeType="gp3")["VolumeId"]
    scratch = ec2.create_volume(
        AvailabilityZone=ZONE, Size=1,
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "scratch", "Value": "1"}]}])["VolumeId"]
    for one in (volume, scratch):
        ec2.delete_volume(VolumeId=one)
    binned = ec2.list_volumes_in_recycle_bin()["Volumes"]
    assert [(one["VolumeId"], one["Size"], one["VolumeType"], one["AvailabilityZone"]) for one in binned] == [
        (volume, 2, "gp3", ZONE)]
    assert refused(lambda: ec2.describe_volumes(VolumeIds=[volume]))[0] == "InvalidVolume.NotFound"
    assert ec2.restore_volume_from_recycle_bin(VolumeId=volume)["Return"] is True
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available"
    assert refused(lambda: ec2.restore_volume_from_recycle_bin(VolumeId=scratch))[0] == "InvalidVolume.NotFound"
