"""The EBS direct APIs through boto3: a snapshot read block by block is the disk, byte for byte."""
import base64
import hashlib
import os

import pytest

from cloud import REGION
from test_ec2 import complete, refused

ZONE = REGION + "a"
PIECE = 512 << 10


@pytest.fixture(scope="module")
def chain(cloud):
    """Two snapshots of one disk and what each holds, by piece."""
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    contents, snapshots = {}, []
    for number, pieces in enumerate([(0, 1, 7, 100, 2047), (1, 50)]):
        for piece in pieces:
            contents[piece] = os.urandom(PIECE)
            cloud.house.write(volume, piece * PIECE, contents[piece])
        if number:
            contents[2047] = contents[2047][:4096] + os.urandom(4096) + contents[2047][8192:]
            cloud.house.write(volume, 2047 * PIECE + 4096, contents[2047][4096:8192])
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        complete(ec2, snapshot)
        snapshots.append((snapshot, dict(contents)))
    return volume, snapshots


def test_every_block_is_the_disks(cloud, chain):
    ebs = cloud.client("ebs")
    for snapshot, contents in chain[1]:
        listed = ebs.list_snapshot_blocks(SnapshotId=snapshot)
        assert listed["VolumeSize"] == 1 and listed["BlockSize"] == PIECE
        assert [one["BlockIndex"] for one in listed["Blocks"]] == sorted(contents)
        for one in listed["Blocks"]:
            block = ebs.get_snapshot_block(
                SnapshotId=snapshot, BlockIndex=one["BlockIndex"], BlockToken=one["BlockToken"])
            data = block["BlockData"].read()
            assert data == contents[one["BlockIndex"]] and block["DataLength"] == PIECE
            assert block["Checksum"] == base64.b64encode(hashlib.sha256(data).digest()).decode()


def test_changed_blocks_and_pages(cloud, chain):
    ebs = cloud.client("ebs")
    (first, _), (second, _) = chain[1]
    changed = ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)["ChangedBlocks"]
    assert [(one["BlockIndex"], "FirstBlockToken" in one, "SecondBlockToken" in one) for one in changed] == [
        (1, True, True), (50, False, True), (2047, True, True)]
    assert ebs.list_snapshot_blocks(SnapshotId=second, StartingBlockIndex=2048)["Blocks"] == []
    pages = ebs.list_snapshot_blocks(SnapshotId=second, MaxResults=100)
    assert "NextToken" not in pages


def test_many_blocks_in_pages(cloud):
    ec2, ebs = cloud.client(), cloud.client("ebs")
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    for piece in range(0, 500, 2):
        cloud.house.write(volume, piece * PIECE, b"x" * 4096)
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    complete(ec2, snapshot)
    found, token = [], None
    while True:
        page = ebs.list_snapshot_blocks(SnapshotId=snapshot, MaxResults=100, **({"NextToken": token} if token else {}))
        found += [one["BlockIndex"] for one in page["Blocks"]]
        token = page.get("NextToken")
        if not token:
            break
    assert found == list(range(0, 500, 2))


def test_what_is_refused(cloud, other, chain):
    ebs, eve = cloud.client("ebs"), other.client("ebs")
    (first, _), (second, _) = chain[1]
    listed = ebs.list_snapshot_blocks(SnapshotId=first)["Blocks"]
    nobody = "snap-0123456789abcdef0"
    missing = refused(ebs.list_snapshot_blocks, SnapshotId=nobody)
    assert missing[0] == "ResourceNotFoundException" and missing[2] == 404
    theirs = refused(eve.list_snapshot_blocks, SnapshotId=first)
    assert (theirs[0], theirs[1].replace(first, nobody), theirs[2]) == missing
    token = listed[0]["BlockToken"]
    for parameters in [
        dict(SnapshotId=first, BlockIndex=1, BlockToken=token), dict(SnapshotId=second, BlockIndex=0, BlockToken=token),
        dict(SnapshotId=first, BlockIndex=0, BlockToken="x" * 40),
    ]:
        code, message, status = refused(ebs.get_snapshot_block, **parameters)
        assert (code, status) == ("ValidationException", 400) and "is invalid" in message
    assert refused(eve.get_snapshot_block, SnapshotId=first, BlockIndex=0, BlockToken=token)[0] == "ResourceNotFoundException"
    ec2 = cloud.client()
    other_volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    stranger = ec2.create_snapshot(VolumeId=other_volume)["SnapshotId"]
    complete(ec2, stranger)
    assert refused(ebs.list_changed_blocks, FirstSnapshotId=stranger, SecondSnapshotId=first)[1] == "The snapshots are not related."
    assert refused(ebs.list_snapshot_blocks, SnapshotId=first, NextToken="nonsense")[1] == (
        "The pagination token nonsense is invalid.")
