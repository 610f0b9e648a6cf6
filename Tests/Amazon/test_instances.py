"""Instances and attachments through boto3: a disk that is attached can be written, and is gone where it is detached."""
import os
import subprocess

import pytest

from cloud import REGION
from test_ec2 import complete, refused

ZONE = REGION + "a"
IMAGE = "ami-0123456789abcdef0"


def nbd(socket, *words):
    """Runs nbdsh against the one export of a socket."""
    done = subprocess.run(
        ["/usr/bin/python3", "-c", "import nbd, sys; h = nbd.NBD(); h.connect_unix(sys.argv[1]); exec(sys.argv[2])",
         socket, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def host(cloud):
    ec2 = cloud.client()
    made = ec2.run_instances(
        ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.micro",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "db"}]}])
    (instance,) = made["Instances"]
    assert instance["State"] == {"Code": 0, "Name": "pending"} and instance["Placement"]["AvailabilityZone"] == ZONE
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance["InstanceId"]])
    yield instance["InstanceId"]
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])


def test_a_disk_is_attached_written_snapshotted_and_detached(cloud, host):
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    attached = ec2.attach_volume(VolumeId=volume, InstanceId=host, Device="/dev/sdf")
    assert (attached["State"], attached["Device"], attached["InstanceId"]) == ("attaching", "/dev/sdf", host)
    ec2.get_waiter("volume_in_use").wait(VolumeIds=[volume])
    (shown,) = ec2.describe_volumes(Filters=[
        {"Name": "attachment.instance-id", "Values": [host]}, {"Name": "attachment.device", "Values": ["/dev/sdf"]}])["Volumes"]
    assert shown["VolumeId"] == volume and shown["Attachments"][0]["State"] == "attached"
    socket = f"{cloud.house.data}/exports/{host}/sdf.sock"
    nbd(socket, "h.pwrite(b'x' * 4096, 8192); h.flush(); h.shutdown()")
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    complete(ec2, snapshot)
    cloud.house.stop()
    cloud.house.start()
    ec2 = cloud.client()
    assert nbd(socket, "print(h.pread(4096, 8192) == b'x' * 4096)").strip() == "True"
    assert refused(ec2.delete_volume, VolumeId=volume) == (
        "VolumeInUse", f"Volume {volume} is currently attached to {host}", 400)
    detached = ec2.detach_volume(VolumeId=volume)
    assert (detached["State"], detached["InstanceId"]) == ("detaching", host)
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
    assert not os.path.exists(socket)
    assert refused(ec2.detach_volume, VolumeId=volume) == (
        "IncorrectState", f"Volume '{volume}'is in the 'available' state.", 400)
    ec2.delete_volume(VolumeId=volume)


def test_what_attaching_refuses(cloud, host):
    ec2 = cloud.client()
    first, second = (ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"] for _ in range(2))
    ec2.attach_volume(VolumeId=first, InstanceId=host, Device="/dev/sdf")
    nobody = "i-0123456789abcdef0"
    for parameters, code, message in [
        (dict(VolumeId=first, InstanceId=host, Device="/dev/sdg"), "VolumeInUse", f"{first} is already attached to an instance"),
        (dict(VolumeId=second, InstanceId=host, Device="/dev/xvdf"), "InvalidParameterValue",
         "Invalid value '/dev/xvdf' for unixDevice. Attachment point /dev/xvdf is already in use"),
        (dict(VolumeId=second, InstanceId=host, Device="sd"), "InvalidParameterValue",
         "Value (sd) for parameter device is invalid. sd is not a valid EBS device name."),
        (dict(VolumeId=second, InstanceId=nobody, Device="/dev/sdg"), "InvalidInstanceID.NotFound",
         f"The instance ID '{nobody}' does not exist"),
        (dict(VolumeId=second, InstanceId="host", Device="/dev/sdg"), "InvalidInstanceID.Malformed", 'Invalid id: "host"'),
    ]:
        assert refused(ec2.attach_volume, **parameters) == (code, message, 400)
    assert refused(ec2.detach_volume, VolumeId=first, Device="/dev/sdg")[0] == "InvalidAttachment.NotFound"
    ec2.detach_volume(VolumeId=first, InstanceId=host, Device="/dev/sdf")
    for volume in (first, second):
        ec2.delete_volume(VolumeId=volume)


def test_an_instance_from_its_launch_to_its_end(cloud):
    ec2 = cloud.client()
    made = ec2.run_instances(
        ImageId=IMAGE, MinCount=2, MaxCount=2,
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1, "VolumeType": "gp3"}},
            {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 2, "DeleteOnTermination": False}},
        ],
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "launch"}]}])
    ids = [one["InstanceId"] for one in made["Instances"]]
    shown = ec2.describe_instances(Filters=[{"Name": "reservation-id", "Values": [made["ReservationId"]]}])
    (reservation,) = shown["Reservations"]
    assert sorted(one["InstanceId"] for one in reservation["Instances"]) == sorted(ids)
    assert {one["State"]["Name"] for one in reservation["Instances"]} == {"running"}
    mappings = reservation["Instances"][0]["BlockDeviceMappings"]
    assert [(one["DeviceName"], one["Ebs"]["DeleteOnTermination"]) for one in mappings] == [("/dev/sdf", True), ("/dev/sdg", False)]
    volumes = {one["VolumeId"]: one for one in ec2.describe_volumes(Filters=[{"Name": "tag:of", "Values": ["launch"]}])["Volumes"]}
    assert len(volumes) == 4
    stopped = ec2.stop_instances(InstanceIds=ids[:1])["StoppingInstances"][0]
    assert (stopped["CurrentState"]["Name"], stopped["PreviousState"]["Name"]) == ("stopping", "running")
    ec2.get_waiter("instance_stopped").wait(InstanceIds=ids[:1])
    assert ec2.start_instances(InstanceIds=ids[:1])["StartingInstances"][0]["CurrentState"]["Name"] == "pending"
    ec2.reboot_instances(InstanceIds=ids)
    ended = ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
    assert {one["CurrentState"]["Name"] for one in ended} == {"shutting-down"}
    ec2.get_waiter("instance_terminated").wait(InstanceIds=ids)
    left = ec2.describe_volumes(Filters=[{"Name": "tag:of", "Values": ["launch"]}])["Volumes"]
    assert {one["Size"] for one in left} == {2} and len(left) == 2 and {one["State"] for one in left} == {"available"}
    assert refused(ec2.start_instances, InstanceIds=ids[:1]) == (
        "IncorrectInstanceState", f"This instance '{ids[0]}' is not in a state from which it can be started.", 400)
    for volume in left:
        ec2.delete_volume(VolumeId=volume["VolumeId"])
    kept = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, DisableApiTermination=True)["Instances"][0]["InstanceId"]
    assert refused(ec2.terminate_instances, InstanceIds=[kept])[0] == "OperationNotPermitted"
    assert refused(ec2.run_instances, ImageId=IMAGE, MinCount=2, MaxCount=1)[0] == "InvalidParameterValue"
    assert refused(ec2.run_instances, ImageId="image", MinCount=1, MaxCount=1) == (
        "InvalidAMIID.Malformed", 'Invalid id: "image"', 400)


def test_one_instant_across_an_instances_disks(cloud):
    ec2 = cloud.client()
    made = ec2.run_instances(
        ImageId=IMAGE, MinCount=1, MaxCount=1,
        BlockDeviceMappings=[{"DeviceName": name, "Ebs": {"VolumeSize": 1}} for name in ("/dev/sda1", "/dev/sdf", "/dev/sdg")],
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "group"}]}])
    instance = made["Instances"][0]["InstanceId"]
    disks = {one["DeviceName"]: one["Ebs"]["VolumeId"] for one in ec2.describe_instances(
        InstanceIds=[instance])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]}
    taken = ec2.create_snapshots(
        InstanceSpecification={"InstanceId": instance, "ExcludeBootVolume": True, "ExcludeDataVolumeIds": [disks["/dev/sdg"]]},
        Description="group", CopyTagsFromSource="volume")["Snapshots"]
    assert [(one["VolumeId"], one["State"], one["Tags"]) for one in taken] == [
        (disks["/dev/sdf"], "pending", [{"Key": "of", "Value": "group"}])]
    everything = ec2.create_snapshots(InstanceSpecification={"InstanceId": instance})["Snapshots"]
    assert {one["VolumeId"] for one in everything} == set(disks.values())
    for one in taken + everything:
        complete(ec2, one["SnapshotId"])
        ec2.delete_snapshot(SnapshotId=one["SnapshotId"])
    assert refused(ec2.create_snapshots, InstanceSpecification={"InstanceId": "i-0123456789abcdef0"})[0] == "InvalidInstanceID.NotFound"
    ec2.terminate_instances(InstanceIds=[instance])
