"""Snapshots written through the EBS direct APIs: what is put is what a disk made of it has, byte for byte."""
import base64
import concurrent.futures
import hashlib
import os
import subprocess
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import urllib3

from cloud import REGION
from test_ec2 import complete, refused

ZONE = REGION + "a"
PIECE = 512 << 10
PIECES = 2048


def digest(data):
    return hashlib.sha256(data).digest()


def text(raw):
    return base64.b64encode(raw).decode()


def put(ebs, snapshot, index, data, **more):
    answer = ebs.put_snapshot_block(
        SnapshotId=snapshot, BlockIndex=index, BlockData=data,
        **{"DataLength": PIECE, "Checksum": text(digest(data)), "ChecksumAlgorithm": "SHA256", **more})
    assert answer["Checksum"] == text(digest(data)) and answer["ChecksumAlgorithm"] == "SHA256"


def finish(ebs, ec2, snapshot, pieces):
    """Completes with the checksum of everything that was put, and waits."""
    total = digest(b"".join(digest(pieces[index]) for index in sorted(pieces)))
    answer = ebs.complete_snapshot(
        SnapshotId=snapshot, ChangedBlocksCount=len(pieces), Checksum=text(total), ChecksumAlgorithm="SHA256",
        ChecksumAggregationMethod="LINEAR")
    assert answer["Status"] == "pending"
    complete(ec2, snapshot)


def disk(cloud, snapshot, tmp_path):
    """All bytes of a disk made of a snapshot, over NBD."""
    ec2 = cloud.client()
    volume = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)["VolumeId"]
    path = tmp_path / snapshot
    subprocess.run(["nbdcopy", cloud.house.varve("volume", "uri", volume), str(path)], check=True, timeout=300)
    return path


def same(path, contents):
    """Is the file what was put, and zeros elsewhere?"""
    assert path.stat().st_size == PIECES * PIECE
    zeros = bytes(PIECE)
    with open(path, "rb") as file:
        for index in range(PIECES):
            assert file.read(PIECE) == contents.get(index, zeros), f"block {index}"


def test_parent_and_child(cloud, tmp_path):
    ebs, ec2 = cloud.client("ebs"), cloud.client()
    begun = ebs.start_snapshot(VolumeSize=1, Description="up", Timeout=10, Tags=[{"Key": "k", "Value": "v"}])
    first = begun["SnapshotId"]
    assert begun["Status"] == "pending" and begun["BlockSize"] == PIECE and begun["VolumeSize"] == 1
    shown = ec2.describe_snapshots(SnapshotIds=[first])["Snapshots"][0]
    assert (shown["State"], shown["VolumeId"], shown["Progress"]) == ("pending", "vol-ffffffff", "0%")
    assert shown["Tags"] == [{"Key": "k", "Value": "v"}] and shown["Description"] == "up"
    contents = {index: os.urandom(PIECE) for index in [2047, 0, 5, 6, 7, 1000, 300, 31, 32]}
    contents[77] = bytes(PIECE)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: put(ebs, first, index, os.urandom(PIECE)), [5, 300]))
        list(pool.map(lambda one: put(ebs, first, *one), contents.items()))
    finish(ebs, ec2, first, contents)
    assert ebs.complete_snapshot(SnapshotId=first, ChangedBlocksCount=1)["Status"] == "completed"
    same(disk(cloud, first, tmp_path), contents)
    listed = ebs.list_snapshot_blocks(SnapshotId=first)["Blocks"]
    assert [one["BlockIndex"] for one in listed] == sorted(contents)

    second = ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=first)["SnapshotId"]
    changes = {5: os.urandom(PIECE), 8: os.urandom(PIECE)}
    for index, data in changes.items():
        put(ebs, second, index, data)
    finish(ebs, ec2, second, changes)
    same(disk(cloud, second, tmp_path), {**contents, **changes})
    changed = ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)["ChangedBlocks"]
    assert [(one["BlockIndex"], "FirstBlockToken" in one) for one in changed] == [(5, True), (8, False)]
    for one in changed:
        block = ebs.get_snapshot_block(
            SnapshotId=second, BlockIndex=one["BlockIndex"], BlockToken=one["SecondBlockToken"])
        assert block["BlockData"].read() == changes[one["BlockIndex"]]


def test_a_restart_loses_nothing(cloud, tmp_path):
    ebs, ec2 = cloud.client("ebs"), cloud.client()
    snapshot = ebs.start_snapshot(VolumeSize=1, ClientToken="restart")["SnapshotId"]
    contents = {1: os.urandom(PIECE), 2: os.urandom(PIECE)}
    put(ebs, snapshot, 1, contents[1])
    cloud.house.stop()
    cloud.house.start()
    ebs, ec2 = cloud.client("ebs"), cloud.client()
    assert ebs.start_snapshot(VolumeSize=1, ClientToken="restart")["SnapshotId"] == snapshot
    put(ebs, snapshot, 2, contents[2])
    finish(ebs, ec2, snapshot, contents)
    same(disk(cloud, snapshot, tmp_path), contents)


def test_refusals_and_cancelling(cloud, other):
    ebs, ec2, eve = cloud.client("ebs"), cloud.client(), other.client("ebs")
    snapshot = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    data = b"x" * PIECE
    good = dict(
        SnapshotId=snapshot, BlockIndex=0, BlockData=data, DataLength=PIECE, Checksum=text(digest(data)),
        ChecksumAlgorithm="SHA256")
    code, message, status = refused(ebs.put_snapshot_block, **{**good, "Checksum": text(digest(b"y"))})
    assert (code, status) == ("InvalidSignatureException", 403) and text(digest(data)) in message
    for change, words in [
        ({"DataLength": 1}, "Block data length 1 is not valid, expected 524288"),
        ({"BlockIndex": 2048}, "Block index 2048 is beyond the volume size extent"),
        ({"BlockData": data[:-1]}, "Failed to read block data"),
    ]:
        assert refused(ebs.put_snapshot_block, **{**good, **change}) == ("ValidationException", words, 400)
    nobody = "snap-0123456789abcdef0"
    missing = refused(eve.put_snapshot_block, **{**good, "SnapshotId": nobody})
    theirs = refused(eve.put_snapshot_block, **good)
    assert missing[0] == "ResourceNotFoundException" and missing[2] == 404
    assert (theirs[0], theirs[1].replace(snapshot, nobody), theirs[2]) == missing
    assert refused(eve.complete_snapshot, SnapshotId=snapshot, ChangedBlocksCount=0)[0] == "ResourceNotFoundException"
    assert refused(ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=snapshot)[1] == (
        f"Source snapshot ({snapshot}) is not complete.")
    ebs.start_snapshot(VolumeSize=1, ClientToken="one")
    assert refused(ebs.start_snapshot, VolumeSize=2, ClientToken="one")[0] == "ConflictException"
    put(ebs, snapshot, 0, data)
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert refused(ebs.put_snapshot_block, **good)[0] == "ResourceNotFoundException"
    wrong = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    put(ebs, wrong, 0, data)
    assert ebs.complete_snapshot(SnapshotId=wrong, ChangedBlocksCount=2)["Status"] == "pending"
    for _ in range(600):
        shown = ec2.describe_snapshots(SnapshotIds=[wrong])["Snapshots"][0]
        if shown["State"] != "pending":
            break
        time.sleep(0.05)
    assert (shown["State"], shown["StateMessage"]) == ("error", "Changed blocks count mismatch for snapshot")


def test_a_body_need_not_be_signed_in_a_put_and_there_alone(cloud):
    """As coldsnap's SDK sends blocks: `UNSIGNED-PAYLOAD`, over plain HTTP too."""
    snapshot = cloud.client("ebs").start_snapshot(VolumeSize=1)["SnapshotId"]
    data = os.urandom(PIECE)

    def send(method, path, body, declared, service="ebs", unsigned=None, **headers):
        request = botocore.awsrequest.AWSRequest(
            method, cloud.house.endpoint + path, data=body, headers={"X-Amz-Content-SHA256": declared, **headers})
        botocore.auth.SigV4Auth(botocore.credentials.Credentials(*cloud.key), service, REGION).add_auth(request)
        return urllib3.PoolManager().request(method, request.url, body=body, headers={**request.headers, **(unsigned or {})})

    block = {"x-amz-Data-Length": str(PIECE), "x-amz-Checksum": text(digest(data)), "x-amz-Checksum-Algorithm": "SHA256"}
    path = f"/snapshots/{snapshot}/blocks/9"
    assert send("PUT", path, data, "UNSIGNED-PAYLOAD", **block).status == 201
    # What vouches for the body must be signed, or whoever carries the request could change both.
    assert send("PUT", path, data, "UNSIGNED-PAYLOAD", unsigned=block).status in (400, 403)
    assert send("PUT", path, data, hashlib.sha256(data).hexdigest(), **block).status == 201
    assert send("PUT", path, data, hashlib.sha256(b"y").hexdigest(), **block).status == 403
    # Another body under the same checksum is found out by that.
    assert send("PUT", path, b"y" * PIECE, "UNSIGNED-PAYLOAD", **block).status == 403
    assert send("POST", "/snapshots", b'{"VolumeSize":1}', "UNSIGNED-PAYLOAD").status == 403
    assert send("PUT", path, data + b"more", "UNSIGNED-PAYLOAD", **block).status == 400
