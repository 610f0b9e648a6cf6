"""VolumeInitializationRate through boto3: kept, told, and refused where Amazon does."""
from test_ec2 import complete, refused
from test_instances import ZONE


def test_a_rate_is_kept_and_told(cloud):
    ec2 = cloud.client()
    origin = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=origin)["SnapshotId"]
    complete(ec2, snapshot)
    assert refused(ec2.create_volume, AvailabilityZone=ZONE, Size=1, VolumeInitializationRate=100) == (
        "InvalidParameterCombination",
        "You can't specify VolumeInitializationRate for volumes that are not created from a snapshot.", 400)
    for rate in (99, 301):
        assert refused(
            ec2.create_volume, AvailabilityZone=ZONE, SnapshotId=snapshot, VolumeInitializationRate=rate) == (
            "InvalidParameterValue", "The value specified for VolumeInitializationRate is not in the allowed range.", 400)
    made = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot, VolumeInitializationRate=300)
    assert made["VolumeInitializationRate"] == 300
    (shown,) = ec2.describe_volumes(VolumeIds=[made["VolumeId"]])["Volumes"]
    assert shown["VolumeInitializationRate"] == 300
    (status,) = ec2.describe_volume_status(VolumeIds=[made["VolumeId"]])["VolumeStatuses"]
    details = status["InitializationStatusDetails"]
    assert details["InitializationType"] == "provisioned-rate" and details["EstimatedTimeToCompleteInSeconds"] >= 0
    other = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)["VolumeId"]
    (status,) = ec2.describe_volume_status(VolumeIds=[other])["VolumeStatuses"]
    assert status["InitializationStatusDetails"]["InitializationType"] == "default"
