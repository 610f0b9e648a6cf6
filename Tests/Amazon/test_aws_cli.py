"""The aws command line, as a new user types it."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

from cloud import REGION

# Of the environment that runs the tests, not Debian's older one.
AWS = str(pathlib.Path(sys.executable).with_name("aws"))


@pytest.fixture(scope="module")
def aws(cloud):
    """Runs `aws --endpoint-url ... ec2 ...` and returns what it printed; `fails`: it must be refused."""
    def run(*words, fails=False, key=None):
        key = key or cloud.key
        env = dict(
            os.environ, AWS_ACCESS_KEY_ID=key[0], AWS_SECRET_ACCESS_KEY=key[1], AWS_DEFAULT_REGION=REGION, AWS_PAGER="",
            AWS_MAX_ATTEMPTS="1")
        done = subprocess.run(
            [AWS, "--endpoint-url", cloud.house.endpoint, *words], capture_output=True, text=True, env=env, timeout=120,
            stdin=subprocess.DEVNULL)
        # What a refusal ends with is 255 in version 1 and 254 in version 2.
        assert done.returncode in ((254, 255) if fails else (0,)), f"aws {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        if fails:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None
    return run


def test_a_volume_a_snapshot_and_back(aws, cloud):
    volume = aws(
        "ec2", "create-volume", "--availability-zone", REGION + "a", "--size", "1", "--volume-type", "gp3",
        "--tag-specifications", "ResourceType=volume,Tags=[{Key=Name,Value=db}]")["VolumeId"]
    aws("ec2", "wait", "volume-available", "--volume-ids", volume)
    snapshot = aws("ec2", "create-snapshot", "--volume-id", volume, "--description", "first")["SnapshotId"]
    aws("ec2", "wait", "snapshot-completed", "--snapshot-ids", snapshot)
    shown = aws("ec2", "describe-snapshots", "--owner-ids", "self", "--filters", f"Name=volume-id,Values={volume}")
    assert [one["SnapshotId"] for one in shown["Snapshots"]] == [snapshot]
    restored = aws("ec2", "create-volume", "--availability-zone", REGION + "a", "--snapshot-id", snapshot)["VolumeId"]
    named = aws("ec2", "describe-volumes", "--filters", "Name=tag:Name,Values=d*")["Volumes"]
    assert [one["VolumeId"] for one in named] == [volume]
    page = aws("ec2", "describe-volumes", "--max-items", "1", "--page-size", "5")
    assert len(page["Volumes"]) == 1
    for one in (volume, restored):
        aws("ec2", "delete-volume", "--volume-id", one)
        aws("ec2", "wait", "volume-deleted", "--volume-ids", one)
    aws("ec2", "delete-snapshot", "--snapshot-id", snapshot)
    refused = aws("ec2", "describe-snapshots", "--snapshot-ids", snapshot, fails=True)
    assert f"(InvalidSnapshot.NotFound) when calling the DescribeSnapshots operation: The snapshot '{snapshot}' does not exist." in refused


def test_who_am_i(aws):
    assert aws("sts", "get-caller-identity")["Account"] == "100000000000"
    assert "AuthFailure" in aws("ec2", "describe-volumes", fails=True, key=("AKIAIOSFODNN7EXAMPLE", "x" * 40))
