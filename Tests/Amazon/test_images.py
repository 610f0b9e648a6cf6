"""Images through boto3: made of snapshots and instances, launched, copied between regions, shared and ended."""
import os

import pytest

from cloud import REGION, Cloud
from house import House
from test_copies import EAST, WEST, client
from test_ec2 import complete, refused
from test_instances import nbd

ZONE = REGION + "a"
NOBODYS = "ami-0123456789abcdef0"


def available(ec2, image):
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
    return shown


@pytest.fixture
def snapshot(cloud):
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    cloud.house.write(volume, 1 << 20, b"root" * 1024)
    made = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    complete(ec2, made)
    return made


def register(ec2, snapshot, name, **more):
    return ec2.register_image(
        Name=name, RootDeviceName="/dev/sda1", Architecture="x86_64", VirtualizationType="hvm",
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}], **more)["ImageId"]


def test_an_image_of_a_snapshot_is_launched_and_holds_it(cloud, snapshot):
    ec2 = cloud.client()
    image = register(
        ec2, snapshot, "registered", Description="words", EnaSupport=True, SriovNetSupport="simple",
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "k", "Value": "v"}]}])
    shown = available(ec2, image)
    assert shown["Name"] == "registered" and shown["State"] == "available" and shown["Public"] is False
    assert shown["EnaSupport"] is True and shown["SriovNetSupport"] == "simple" and shown["Description"] == "words"
    assert shown["RootDeviceName"] == "/dev/sda1" and shown["Tags"] == [{"Key": "k", "Value": "v"}]
    assert shown["DeregistrationProtection"] == "disabled" and shown["RootDeviceType"] == "ebs"
    assert shown["BlockDeviceMappings"] == [{"DeviceName": "/dev/sda1", "Ebs": {
        "DeleteOnTermination": True, "SnapshotId": snapshot, "VolumeSize": 1, "VolumeType": "gp2", "Encrypted": False}}]
    assert refused(ec2.delete_snapshot, SnapshotId=snapshot) == (
        "InvalidSnapshot.InUse", f"The snapshot {snapshot} is currently in use by {image}", 400)
    assert refused(register, ec2=ec2, snapshot=snapshot, name="registered") == (
        "InvalidAMIName.Duplicate", "AMI name registered is already in use by another AMI.", 400)

    (instance,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    (disk,) = instance["BlockDeviceMappings"]
    assert disk["DeviceName"] == "/dev/sda1" and disk["Ebs"]["DeleteOnTermination"] is True
    socket = f"{cloud.house.data}/exports/{instance['InstanceId']}/sda1.sock"
    assert nbd(socket, "print(h.pread(4096, 1 << 20) == b'root' * 1024)").strip() == "True"
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])

    ended = ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    assert ended["Return"] is True
    assert ended["DeleteSnapshotResults"] == [{"SnapshotId": snapshot, "ReturnCode": "success"}]
    assert refused(ec2.deregister_image, ImageId=image) == (
        "InvalidAMIID.Unavailable", f"The image '{image}' is no longer available", 400)
    assert refused(ec2.describe_images, ImageIds=[image])[0] == "InvalidAMIID.NotFound"
    assert refused(ec2.describe_images, ImageIds=[NOBODYS]) == (
        "InvalidAMIID.NotFound", f"The image id '[{NOBODYS}]' does not exist", 400)


def test_an_image_of_an_instance_is_one_instant_also_over_a_restart(cloud):
    ec2 = cloud.client()
    (host,) = ec2.run_instances(
        ImageId=NOBODYS, MinCount=1, MaxCount=1,
        BlockDeviceMappings=[{"DeviceName": name, "Ebs": {"VolumeSize": 1}} for name in ("/dev/sda1", "/dev/sdf")],
    )["Instances"]
    for disk in host["BlockDeviceMappings"]:
        cloud.house.write(disk["Ebs"]["VolumeId"], 0, disk["DeviceName"].ljust(4096).encode())
    image = ec2.create_image(InstanceId=host["InstanceId"], Name="of an instance", NoReboot=True)["ImageId"]
    cloud.house.stop()
    cloud.house.start()
    ec2 = cloud.client()
    shown = available(ec2, image)
    assert shown["SourceInstanceId"] == host["InstanceId"]
    snapshots = [disk["Ebs"]["SnapshotId"] for disk in shown["BlockDeviceMappings"]]
    assert len(snapshots) == 2
    (copy,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    for name in ("sda1", "sdf"):
        socket = f"{cloud.house.data}/exports/{copy['InstanceId']}/{name}.sock"
        wanted = f"/dev/{name}".ljust(4096)
        assert nbd(socket, f"print(h.pread(4096, 0) == {wanted.encode()!r})").strip() == "True"


def test_an_image_is_shared_disabled_protected_and_deprecated(cloud, other, snapshot):
    ec2, eve = cloud.client(), other.client()
    image = register(ec2, snapshot, "shared")
    account = other.client("sts").get_caller_identity()["Account"]
    assert refused(eve.describe_images, ImageIds=[image])[0] == "InvalidAMIID.NotFound"
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": account}]})
    assert ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"] == [
        {"UserId": account}]
    assert [one["ImageId"] for one in eve.describe_images(ExecutableUsers=["self"])["Images"]] == [image]
    assert refused(eve.deregister_image, ImageId=image)[:2] == ("AuthFailure", f"Not authorized for image {image}")
    assert refused(eve.copy_image, Name="x" * 3, SourceImageId=image, SourceRegion=REGION)[0] == "InvalidRequest"
    (launched,) = eve.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    assert len(launched["BlockDeviceMappings"]) == 1
    ec2.disable_image(ImageId=image)
    assert eve.describe_images()["Images"] == []
    assert ec2.describe_images(ImageIds=[image])["Images"] == []
    (shown,) = ec2.describe_images(ImageIds=[image], IncludeDisabled=True)["Images"]
    assert shown["State"] == "disabled"
    ec2.enable_image(ImageId=image)
    assert ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"] == []
    ec2.modify_image_attribute(ImageId=image, Description={"Value": "other words"})
    ec2.enable_image_deprecation(ImageId=image, DeprecateAt="2035-01-01T00:00:00Z")
    ec2.enable_image_deregistration_protection(ImageId=image)
    (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert shown["Description"] == "other words" and shown["DeprecationTime"] == "2035-01-01T00:00:00.000Z"
    assert shown["DeregistrationProtection"] == "enabled-without-cooldown"
    assert refused(ec2.deregister_image, ImageId=image)[0] == "OperationNotPermitted"
    ec2.disable_image_deregistration_protection(ImageId=image)
    assert ec2.enable_image_block_public_access(
        ImageBlockPublicAccessState="block-new-sharing")["ImageBlockPublicAccessState"] == "block-new-sharing"
    assert refused(
        ec2.modify_image_attribute, ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]}
    )[0] == "OperationNotPermitted"
    assert ec2.disable_image_block_public_access()["ImageBlockPublicAccessState"] == "unblocked"
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["Public"] is True
    ec2.deregister_image(ImageId=image)


def test_an_image_is_copied_to_another_region():
    house = House(options=("--region", EAST, "--region", WEST))
    try:
        cloud = Cloud(house.start())
        east, west = client(cloud, EAST), client(cloud, WEST)
        volume = east.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        content = os.urandom(1 << 20)
        house.write(volume, 0, content)
        snapshot = east.create_snapshot(VolumeId=volume)["SnapshotId"]
        complete(east, snapshot)
        image = register(east, snapshot, "source", TagSpecifications=[
            {"ResourceType": "image", "Tags": [{"Key": "k", "Value": "v"}]}])
        asked = dict(Name="copy", SourceImageId=image, SourceRegion="us-east-1", ClientToken="once", CopyImageTags=True)
        copy = west.copy_image(**asked)["ImageId"]
        assert west.copy_image(**asked)["ImageId"] == copy
        shown = available(west, copy)
        assert (shown["SourceImageId"], shown["SourceImageRegion"]) == (image, "us-east-1")
        assert shown["Tags"] == [{"Key": "k", "Value": "v"}]
        (disk,) = shown["BlockDeviceMappings"]
        assert refused(west.delete_snapshot, SnapshotId=disk["Ebs"]["SnapshotId"])[0] == "InvalidSnapshot.InUse"
        (instance,) = west.run_instances(ImageId=copy, MinCount=1, MaxCount=1)["Instances"]
        assert len(instance["BlockDeviceMappings"]) == 1
    finally:
        house.remove()
