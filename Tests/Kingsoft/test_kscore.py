"""ksc-sdk-python: queries, presigned URLs, and its own way to read refusals."""
import urllib.error
import urllib.request

import pytest

from ksyun_cloud import ZONE
from test_scenario import native


def test_volumes_and_snapshots(kscore, house):
    ebs = kscore.client()
    volume = ebs.create_volume(VolumeType="SSD3.0", Size="10", AvailabilityZone=ZONE, VolumeName="ks-1")["VolumeId"]
    house.write(native(house, volume), 0, b"x" * 4096)
    snapshot = ebs.create_snapshot(VolumeId=volume, SnapshotName="ks-first", SnapshotDesc="a b+c")["SnapshotId"]
    shown = ebs.describe_snapshots(SnapshotId=snapshot)["Snapshots"][0]
    assert shown["SnapshotName"] == "ks-first" and shown["SnapshotDesc"] == "a b+c"
    listed = ebs.describe_volumes(**{"VolumeId.1": volume, "MaxResults": "50"})
    assert [v["VolumeId"] for v in listed["Volumes"]] == [volume]
    from kscore.exceptions import ClientError
    with pytest.raises(ClientError) as refusal:
        ebs.create_snapshot(VolumeId="00000000-0000-4000-8000-000000000000")
    assert refusal.value.response["Error"]["Code"] == "VolumeCanNotFoundError"
    assert ebs.delete_snapshot(SnapshotId=snapshot)["Return"] is True


def test_a_presigned_url(kscore, house):
    url = kscore.client().generate_presigned_url("describe_volumes", Params={"MaxResults": "10"})
    headers = {"Accept": "application/json", "X-Action": "DescribeVolumes", "X-Version": "2016-03-04"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        assert answer.status == 200 and b'"Volumes":[' in answer.read()
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(urllib.request.Request(url.replace("MaxResults=10", "MaxResults=11"), headers=headers))
    assert refusal.value.code == 403 and b"SignatureDoesNotMatch" in refusal.value.read()
