"""What is settled about accounts, volumes, instances and snapshots, through boto3."""
import time

import pytest

from cloud import REGION, Cloud
from house import House
from test_ec2 import complete, refused

ZONE = REGION + "a"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """A server that has a key to encrypt with."""
    key = tmp_path_factory.mktemp("keys") / "wrapping.key"
    house = House(options=["--key-file", str(key)])
    try:
        house.varve("key", "new", str(key))
        yield Cloud(house.start())
    finally:
        house.remove()


def test_new_volumes_are_encrypted_while_that_is_the_default(keyed):
    ec2 = keyed.client()
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    assert ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)
    assert volume["Encrypted"] is True
    assert ec2.modify_ebs_default_kms_key_id(KmsKeyId=volume["KmsKeyId"])["KmsKeyId"] == volume["KmsKeyId"]
    assert ec2.reset_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    assert ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert refused(ec2.modify_ebs_default_kms_key_id, KmsKeyId="nonsense")[0] == "InvalidParameterValue"


def test_fast_restores_come_to_be_and_go_with_the_snapshot(cloud):
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    complete(ec2, snapshot)
    nobodys = "snap-0123456789abcdef0"
    made = ec2.enable_fast_snapshot_restores(AvailabilityZones=[ZONE, "mars-1a"], SourceSnapshotIds=[snapshot, nobodys])
    (done,) = made["Successful"]
    assert (done["SnapshotId"], done["State"], done["StateTransitionReason"]) == (snapshot, "enabling", "Client.UserInitiated")
    codes = {
        (one["SnapshotId"], error["AvailabilityZone"]): error["Error"]["Code"]
        for one in made["Unsuccessful"] for error in one["FastSnapshotRestoreStateErrors"]}
    assert codes[snapshot, "mars-1a"] == "InvalidZone.NotFound" and codes[nobodys, ZONE] == "InvalidSnapshot.NotFound"
    filters = [{"Name": "snapshot-id", "Values": [snapshot]}, {"Name": "availability-zone", "Values": [ZONE]}]
    deadline = time.monotonic() + 60
    while True:
        (shown,) = ec2.describe_fast_snapshot_restores(Filters=filters)["FastSnapshotRestores"]
        if shown["State"] == "enabled":
            break
        assert shown["State"] in ("enabling", "optimizing") and time.monotonic() < deadline, shown
        time.sleep(0.05)
    assert shown["EnablingTime"] <= shown["OptimizingTime"] <= shown["EnabledTime"]
    restored = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)["VolumeId"]
    (fast,) = ec2.describe_volumes(VolumeIds=[restored])["Volumes"]
    assert fast["FastRestored"] is True
    ec2.delete_volume(VolumeId=restored)
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert ec2.describe_fast_snapshot_restores(Filters=filters)["FastSnapshotRestores"] == []
    ec2.delete_volume(VolumeId=volume)


def test_a_volumes_status_and_attributes(cloud):
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    (status,) = ec2.describe_volume_status(VolumeIds=[volume])["VolumeStatuses"]
    assert status["VolumeStatus"]["Status"] == "ok"
    assert {one["Name"]: one["Status"] for one in status["VolumeStatus"]["Details"]} == {
        "io-enabled": "passed", "io-performance": "not-applicable"}
    ec2.modify_volume_attribute(VolumeId=volume, AutoEnableIO={"Value": True})
    assert ec2.describe_volume_attribute(VolumeId=volume, Attribute="autoEnableIO")["AutoEnableIO"] == {"Value": True}
    assert refused(ec2.modify_volume_attribute, VolumeId=volume) == (
        "InvalidParameterCombination", "No attributes specified.", 400)
    assert refused(ec2.describe_volume_attribute, VolumeId=volume, Attribute="x") == (
        "InvalidParameterValue", "Value (x) for parameter attribute is invalid. Unknown attribute.", 400)
    assert refused(ec2.enable_volume_io, VolumeId=volume) == (
        "IncorrectState", f"Volume {volume} already has IO enabled.", 400)
    assert refused(ec2.describe_volume_status, VolumeIds=["x"])[1] == 'Invalid id: "x" (expecting "vol-...")'
    ec2.delete_volume(VolumeId=volume)


def test_an_instances_attributes(cloud):
    ec2 = cloud.client()
    made = ec2.run_instances(
        ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, InstanceType="t3.micro", UserData="hi",
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 1}}])
    host = made["Instances"][0]["InstanceId"]

    def shown(attribute):
        return ec2.describe_instance_attribute(InstanceId=host, Attribute=attribute)
    assert shown("userData")["UserData"]["Value"] == "aGk="
    assert shown("instanceInitiatedShutdownBehavior")["InstanceInitiatedShutdownBehavior"]["Value"] == "stop"
    ec2.modify_instance_attribute(InstanceId=host, DisableApiTermination={"Value": True})
    assert refused(ec2.terminate_instances, InstanceIds=[host])[0] == "OperationNotPermitted"
    ec2.modify_instance_attribute(InstanceId=host, DisableApiTermination={"Value": False})
    ec2.modify_instance_attribute(InstanceId=host, Attribute="disableApiStop", Value="true")
    assert refused(ec2.stop_instances, InstanceIds=[host])[0] == "OperationNotPermitted"
    ec2.modify_instance_attribute(
        InstanceId=host, BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"DeleteOnTermination": True}}])
    (disk,) = shown("blockDeviceMapping")["BlockDeviceMappings"]
    assert disk["Ebs"]["DeleteOnTermination"] is True
    (kind,) = ec2.describe_instance_types(InstanceTypes=["t3.micro"])["InstanceTypes"]
    assert kind["BurstablePerformanceSupported"] is True
    (credit,) = ec2.describe_instance_credit_specifications(InstanceIds=[host])["InstanceCreditSpecifications"]
    assert credit["CpuCredits"] == "standard" and ec2.describe_vpcs()["Vpcs"] == []
    assert refused(ec2.get_instance_uefi_data, InstanceId="ami-0123456789abcdef0")[0] == "InvalidInstanceID.NotFound"
    ec2.terminate_instances(InstanceIds=[host])
