"""Requests signed in their query, as presigned URLs are, by botocore's own signer and sent by urllib."""
import datetime
import re
import urllib.error
import urllib.parse
import urllib.request

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloud import REGION

DESCRIBE = "Action=DescribeVolumes&Version=2016-11-15"


def presigned(cloud, path, service="ec2", expires=60, method="GET", key=None, token=None):
    request = AWSRequest(method=method, url=cloud.house.endpoint + path)
    credentials = Credentials(*(key or cloud.key), token)
    botocore.auth.SigV4QueryAuth(credentials, service, REGION, expires=expires).add_auth(request)
    return request.url


def get(url, method="GET", headers=None, body=None):
    request = urllib.request.Request(url, method=method, headers=headers or {}, data=body)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def code(answer):
    found = re.search("<Code>(.*?)</Code>", answer[1])
    return answer[0], found and found.group(1)


def test_every_service(cloud):
    volume = cloud.client().create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeId"]
    status, body = get(presigned(cloud, f"/?{DESCRIBE}&VolumeId.1={volume}"))
    assert status == 200 and f"<volumeId>{volume}</volumeId>" in body
    status, body = get(presigned(cloud, "/?Action=GetCallerIdentity&Version=2011-06-15", "sts"))
    assert status == 200 and "<Account>100000000000</Account>" in body
    status, body = get(presigned(cloud, "/policies", "dlm"))
    assert status == 200 and "Policies" in body
    status, body = get(presigned(cloud, "/rules/NoSuchRule1", "rbin"))
    assert status == 404
    snapshot = cloud.client().create_snapshot(VolumeId=volume)["SnapshotId"]
    cloud.client().get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1})
    status, body = get(presigned(cloud, f"/snapshots/{snapshot}/blocks", "ebs"))
    assert status == 200 and "BlockSize" in body


def test_a_name_beyond_ascii(cloud):
    query = urllib.parse.urlencode({"Filter.1.Name": "tag:ключ", "Filter.1.Value.1": "值 +~/"})
    status, _ = get(presigned(cloud, f"/?{DESCRIBE}&{query}"))
    assert status == 200


def test_refusals(cloud, monkeypatch):
    url = presigned(cloud, f"/?{DESCRIBE}")
    assert code(get(url)) == (200, None)
    assert code(get(url + "&DryRun=true")) == (401, "AuthFailure")
    assert code(get(url.replace("DescribeVolumes", "DescribeSnapshots"))) == (401, "AuthFailure")
    assert code(get(url, "POST", body=b"Action=DescribeSnapshots")) == (401, "AuthFailure")
    assert code(get(url + "&X-Amz-Date=20150830T123600Z")) == (400, "IncompleteSignature")
    assert code(get(url, headers={"Authorization": "AWS4-HMAC-SHA256 x"})) == (400, "IncompleteSignature")
    assert code(get(presigned(cloud, f"/?{DESCRIBE}", expires=604801))) == (400, "IncompleteSignature")
    assert code(get(presigned(cloud, f"/?{DESCRIBE}", key=("AKNOBODY", "x")))) == (401, "AuthFailure")
    assert code(get(presigned(cloud, f"/?{DESCRIBE}", token="tok"))) == (401, "AuthFailure")
    assert code(get(cloud.house.endpoint + f"/?{DESCRIBE}")) == (403, "MissingAuthenticationToken")


@pytest.mark.parametrize("hours", [-2, 2])
def test_another_time(cloud, monkeypatch, hours):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: now)
    assert code(get(presigned(cloud, f"/?{DESCRIBE}"))) == (400, "RequestExpired")


def test_the_native_api_takes_none(cloud):
    status, _ = get(presigned(cloud, "/api/v1/volumes", "varve"))
    assert status == 401
