"""Requests of 2014-02-01, signed with Signature Version 2 by botocore's own signer, as old clients send them."""
import base64
import datetime
import hashlib
import hmac
import re
import time
import urllib.parse

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from test_presigned import code, get

VERSION = "2014-02-01"


def parameters(action, **more):
    return {"Action": action, "Version": VERSION, **{name.replace("__", "."): str(value) for name, value in more.items()}}


def signed(cloud, wanted, method="POST", key=None, token=None):
    """The parameters with botocore's signature over them."""
    request = AWSRequest(method=method, url=cloud.house.endpoint + "/")
    request.data, request.params = (dict(wanted), {}) if method == "POST" else (None, dict(wanted))
    botocore.auth.SigV2Auth(Credentials(*(key or cloud.key), token)).add_auth(request)
    return request.data or request.params


def post(cloud, fields):
    return get(
        cloud.house.endpoint + "/", "POST", {"Content-Type": "application/x-www-form-urlencoded"},
        urllib.parse.urlencode(fields).encode())


def ask(cloud, action, **more):
    status, body = post(cloud, signed(cloud, parameters(action, **more)))
    assert status == 200, body
    assert f'xmlns="http://ec2.amazonaws.com/doc/{VERSION}/"' in body
    return body


def element(body, name):
    return re.search(f"<{name}>(.*?)</{name}>", body).group(1)


def by_hand(cloud, fields, digest, method="GET"):
    """The query with a signature of the documented text, for what botocore's signer does not do."""
    host = urllib.parse.urlsplit(cloud.house.endpoint).netloc
    query = "&".join(
        urllib.parse.quote(name, safe="") + "=" + urllib.parse.quote(fields[name], safe="-_~") for name in sorted(fields))
    text = f"{method}\n{host}\n/\n{query}".encode()
    signature = base64.b64encode(hmac.new(cloud.key[1].encode(), text, digest).digest()).decode()
    return f"{cloud.house.endpoint}/?{query}&Signature={urllib.parse.quote(signature, safe='')}"


def test_a_volume_and_its_snapshot(cloud):
    volume = element(ask(cloud, "CreateVolume", AvailabilityZone="us-east-1a", Size=1), "volumeId")
    snapshot = element(ask(cloud, "CreateSnapshot", VolumeId=volume, Description="old & well +~/"), "snapshotId")
    ask(cloud, "CreateTags", ResourceId__1=snapshot, Tag__1__Key="ключ", Tag__1__Value="a b")
    for _ in range(50):
        body = ask(cloud, "DescribeSnapshots", SnapshotId__1=snapshot)
        if element(body, "status") == "completed":
            break
        time.sleep(0.2)
    assert element(body, "status") == "completed"
    assert "<description>old &amp; well +~/</description>" in body and "<key>ключ</key>" in body
    ask(cloud, "DeleteSnapshot", SnapshotId=snapshot)
    ask(cloud, "DeleteVolume", VolumeId=volume)
    assert all(one["State"] == "deleting" for one in cloud.client().describe_volumes()["Volumes"])


def test_in_a_query(cloud):
    fields = signed(cloud, parameters("DescribeRegions"), "GET")
    status, body = get(cloud.house.endpoint + "/?" + urllib.parse.urlencode(fields))
    assert status == 200 and "<regionName>us-east-1</regionName>" in body


@pytest.mark.parametrize("name, digest", [("HmacSHA1", hashlib.sha1), ("HmacSHA256", hashlib.sha256)])
def test_until_it_expires(cloud, name, digest):
    def url(seconds):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        fields = {
            **parameters("DescribeVolumes"), "AWSAccessKeyId": cloud.key[0], "SignatureVersion": "2",
            "SignatureMethod": name, "Expires": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return by_hand(cloud, fields, digest)

    assert get(url(60))[0] == 200
    assert code(get(url(-5))) == (400, "RequestExpired")
    assert code(get(url(9 * 86400))) == (400, "IncompleteSignature")


def test_refusals(cloud):
    fields = signed(cloud, parameters("DescribeVolumes"))
    assert code(post(cloud, fields)) == (200, None)
    assert code(post(cloud, {**fields, "Action": "DescribeSnapshots"})) == (401, "AuthFailure")
    assert code(post(cloud, {**fields, "Signature": "x"})) == (401, "AuthFailure")
    assert code(post(cloud, {**fields, "SignatureVersion": "1"})) == (400, "IncompleteSignature")
    assert code(post(cloud, {**fields, "SignatureMethod": "HmacMD5"})) == (400, "IncompleteSignature")
    without = {name: value for name, value in fields.items() if name != "Timestamp"}
    assert code(post(cloud, without)) == (400, "IncompleteSignature")
    assert code(post(cloud, signed(cloud, parameters("DescribeVolumes"), key=("AKNOBODY", "x")))) == (401, "AuthFailure")
    assert code(post(cloud, signed(cloud, parameters("DescribeVolumes"), token="tok"))) == (401, "AuthFailure")
    # Nobody but EC2 takes it.
    status, body = post(cloud, signed(cloud, {"Action": "GetCallerIdentity", "Version": VERSION}))
    assert code((status, body)) == (400, "InvalidAction")
    query = urllib.parse.urlencode(signed(cloud, parameters("DescribeVolumes"), "GET"))
    assert get(cloud.house.endpoint + "/policies?" + query)[0] == 404
    assert get(cloud.house.endpoint + "/snapshots?" + query, "POST", {}, b"{}")[0] == 404
    assert get(cloud.house.endpoint + "/api/v1/volumes?" + query)[0] == 401
    # A name that is there twice says nothing: in which order they come is not signed.
    assert code(post(cloud, [*fields.items(), ("Action", "DescribeSnapshots")])) == (400, "IncompleteSignature")


def test_a_launch_that_is_sent_again(cloud):
    wanted = parameters(
        "RunInstances", ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, ClientToken="v2-once",
        BlockDeviceMapping__1__DeviceName="/dev/sdf", BlockDeviceMapping__1__Ebs__VolumeSize=1,
        BlockDeviceMapping__1__Ebs__DeleteOnTermination="true")

    def launch(fields):
        status, body = post(cloud, fields)
        assert status == 200, body
        return element(body, "instanceId")

    first = launch(signed(cloud, wanted))
    # Signed at another time.
    time.sleep(1.1)
    assert launch(signed(cloud, wanted)) == first
    again = cloud.client().run_instances(
        ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, ClientToken="v2-once",
        BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1, "DeleteOnTermination": True}}])
    assert [one["InstanceId"] for one in again["Instances"]] == [first]
    cloud.client().terminate_instances(InstanceIds=[first])


@pytest.mark.parametrize("hours", [-2, 2])
def test_another_time(cloud, monkeypatch, hours):
    real = time.time() + hours * 3600
    monkeypatch.setattr(botocore.auth.time, "gmtime", lambda *_: datetime.datetime.fromtimestamp(
        real, datetime.timezone.utc).timetuple())
    assert code(post(cloud, signed(cloud, parameters("DescribeVolumes")))) == (400, "RequestExpired")


def test_another_account_sees_nothing(cloud, other):
    volume = element(ask(cloud, "CreateVolume", AvailabilityZone="us-east-1a", Size=1), "volumeId")
    assert volume not in ask(other, "DescribeVolumes")
    answer = post(other, signed(other, parameters("DeleteVolume", VolumeId=volume)))
    assert code(answer) == (400, "InvalidVolume.NotFound")
    ask(cloud, "DeleteVolume", VolumeId=volume)


def test_it_can_be_turned_off():
    from cloud import Cloud
    from house import House
    house = House(options=["--no-sigv2"])
    try:
        cloud = Cloud(house.start())
        assert code(post(cloud, signed(cloud, parameters("DescribeVolumes")))) == (400, "IncompleteSignature")
        assert cloud.client().describe_volumes()["Volumes"] == []
    finally:
        house.remove()
