"""Tags that an account writes on what another shares with it, seen through boto3."""
from cloud import REGION


def test_tags_of_a_snapshot_of_another_account(cloud, other):
    mine, theirs = cloud.client(), other.client()
    account = other.client("sts").get_caller_identity()["Account"]
    volume = mine.create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeId"]
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "who", "Value": "owner"}]}]
    snapshot = mine.create_snapshot(VolumeId=volume, TagSpecifications=tags)["SnapshotId"]
    mine.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1})

    def share(operation):
        mine.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType=operation, UserIds=[account])

    def found(client, value):
        wanted = [{"Name": "tag:who", "Values": [value]}]
        return [one["SnapshotId"] for one in client.describe_snapshots(Filters=wanted)["Snapshots"]]

    share("add")
    theirs.create_tags(Resources=[snapshot], Tags=[{"Key": "who", "Value": "sharee"}])
    assert found(theirs, "sharee") == [snapshot] and found(theirs, "owner") == []
    assert found(mine, "owner") == [snapshot] and found(mine, "sharee") == []
    assert [tag["Value"] for tag in theirs.describe_tags()["Tags"]] == ["sharee"]
    share("remove")
    assert found(theirs, "sharee") == [] and theirs.describe_tags()["Tags"] == []
    share("add")
    assert found(theirs, "sharee") == [snapshot]
    theirs.delete_tags(Resources=[snapshot], Tags=[{"Key": "who"}])
    assert theirs.describe_tags()["Tags"] == []
    assert mine.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Tags"] == [{"Key": "who", "Value": "owner"}]
    mine.delete_snapshot(SnapshotId=snapshot)
    mine.delete_volume(VolumeId=volume)
