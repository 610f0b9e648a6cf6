"""A server that refuses what comes too fast, as Amazon does, seen through boto3."""
import concurrent.futures
import re

import botocore.exceptions
import pytest

from cloud import REGION, Cloud
from house import House


@pytest.fixture(scope="module")
def rated():
    house = House(options=["--rates", "aws"])
    try:
        yield Cloud(house.start())
    finally:
        house.remove()


def refused(call, **more):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**more)
    return caught.value.response


def test_snapshots_of_a_volume(rated):
    ec2 = rated.client()
    volume = ec2.create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeId"]
    # Two within fifteen seconds, which a busy machine may need for one.
    error = None
    for _ in range(20):
        try:
            ec2.create_snapshot(VolumeId=volume)
        except botocore.exceptions.ClientError as caught:
            error = caught.response["Error"]
            break
    assert error["Code"] == "SnapshotCreationPerVolumeRateExceeded"
    assert error["Message"].startswith("The maximum per volume CreateSnapshot request rate has been exceeded")
    other = ec2.create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeId"]
    ec2.create_snapshot(VolumeId=other)


def test_modifications_of_a_volume(rated):
    ec2 = rated.client()
    volume = ec2.create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeId"]
    for size in range(2, 6):
        ec2.modify_volume(VolumeId=volume, Size=size)
    error = refused(ec2.modify_volume, VolumeId=volume, Size=6)["Error"]
    assert error["Code"] == "VolumeModificationRateExceeded"
    assert re.search(r"Wait until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z before", error["Message"])


def test_direct_requests(rated):
    ebs = rated.client("ebs")

    def start(_):
        try:
            return ebs.start_snapshot(VolumeSize=1)["Status"]
        except botocore.exceptions.ClientError as error:
            assert error.response["Reason"] == "ACCOUNT_THROTTLED"
            return error.response["Error"]["Code"]

    # More than ten in some second: how fast the machine is says how many that takes.
    answers = set()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        for _ in range(30):
            answers.update(pool.map(start, range(20)))
            if len(answers) > 1:
                break
    assert answers == {"pending", "RequestThrottledException"}
