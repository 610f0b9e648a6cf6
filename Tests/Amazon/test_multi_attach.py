"""Multi-Attach through boto3: two instances read and write one disk, each by a socket of its own."""
import os

from test_ec2 import refused
from test_instances import IMAGE, ZONE, nbd


def test_two_instances_have_one_disk(cloud):
    ec2 = cloud.client()
    hosts = [one["InstanceId"] for one in ec2.run_instances(ImageId=IMAGE, MinCount=2, MaxCount=2)["Instances"]]
    assert refused(ec2.create_volume, AvailabilityZone=ZONE, Size=4, VolumeType="gp3", MultiAttachEnabled=True) == (
        "InvalidParameterCombination", "The parameter multi-attach-enabled is not supported for gp3 volumes.", 400)
    made = ec2.create_volume(AvailabilityZone=ZONE, Size=4, VolumeType="io2", Iops=100)
    volume = made["VolumeId"]
    assert made["MultiAttachEnabled"] is False
    ec2.attach_volume(VolumeId=volume, InstanceId=hosts[0], Device="/dev/sdf")
    assert refused(ec2.attach_volume, VolumeId=volume, InstanceId=hosts[1], Device="/dev/sdf")[0] == "VolumeInUse"
    change = ec2.modify_volume(VolumeId=volume, MultiAttachEnabled=True)["VolumeModification"]
    assert (change["OriginalMultiAttachEnabled"], change["TargetMultiAttachEnabled"]) == (False, True)
    ec2.attach_volume(VolumeId=volume, InstanceId=hosts[1], Device="/dev/sdg")
    (shown,) = ec2.describe_volumes(Filters=[
        {"Name": "multi-attach-enabled", "Values": ["true"]}, {"Name": "attachment.instance-id", "Values": [hosts[1]]}])["Volumes"]
    assert shown["MultiAttachEnabled"] and [one["InstanceId"] for one in shown["Attachments"]] == hosts
    sockets = [f"{cloud.house.data}/exports/{hosts[0]}/sdf.sock", f"{cloud.house.data}/exports/{hosts[1]}/sdg.sock"]
    nbd(sockets[0], "h.pwrite(b'x' * 4096, 8192); h.flush(); h.shutdown()")
    assert nbd(sockets[1], "print(h.pread(4096, 8192) == b'x' * 4096)").strip() == "True"
    assert refused(ec2.detach_volume, VolumeId=volume) == (
        "MissingParameter", "The request must contain the parameter instanceId", 400)
    assert refused(ec2.modify_volume, VolumeId=volume, MultiAttachEnabled=False)[0] == "IncorrectState"
    ec2.detach_volume(VolumeId=volume, InstanceId=hosts[0])
    assert not os.path.exists(sockets[0])
    assert nbd(sockets[1], "print(h.pread(4096, 8192) == b'x' * 4096)").strip() == "True"
    ec2.terminate_instances(InstanceIds=hosts)
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
    ec2.delete_volume(VolumeId=volume)
