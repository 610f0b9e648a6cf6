"""The older client, and requests of its kind that were changed on their way."""
import re

import pytest
import urllib.error
import urllib.request

from cloud import REGION, ZONE

pytest.importorskip("aliyunsdkecs", reason="Alibaba's older client is not installed: see scripts/setup")


def test_disks_and_snapshots(cloud):
    disk = cloud.older("CreateDisk", ZoneId=ZONE, Size=20, DiskName="older")["DiskId"]
    cloud.use(disk)
    made = cloud.older("CreateSnapshot", DiskId=disk, SnapshotName="by-the-older")["SnapshotId"]
    found = cloud.older("DescribeSnapshots", SnapshotIds=f'["{made}"]')["Snapshots"]["Snapshot"]
    assert [(one["SnapshotName"], one["SourceDiskSize"]) for one in found] == [("by-the-older", "20")]
    assert cloud.older("DescribeDisks", DiskIds="[]")["Disks"] == {"Disk": []}
    cloud.older("DeleteSnapshot", SnapshotId=made)


def test_errors_are_read_by_the_client(cloud):
    from aliyunsdkcore.acs_exception.exceptions import ServerException
    with pytest.raises(ServerException) as caught:
        cloud.older("DeleteDisk", DiskId="d-nothing")
    assert caught.value.get_error_code() == "InvalidDiskId.NotFound" and caught.value.get_http_status() == 404
    assert re.fullmatch("[0-9A-F-]{36}", caught.value.get_request_id())
    with pytest.raises(ServerException) as caught:
        cloud.older("DescribeRegions", secret="wrong")
    # It knows by the text after the colon that the secret is wrong.
    assert caught.value.get_error_code() in ("InvalidAccessKeySecret", "SignatureDoesNotMatch")


def signed(cloud, **values):
    """A request in the older way, by a signer of our own."""
    import base64
    import datetime
    import hashlib
    import hmac
    import urllib.parse
    import uuid
    now = datetime.datetime.now(datetime.timezone.utc)
    fields = {
        "AccessKeyId": cloud.key[0], "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "Version": "2014-05-26",
        "SignatureNonce": str(uuid.uuid4()), "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "Action": "DescribeRegions",
        "Format": "JSON", **values}
    quote = lambda text: urllib.parse.quote(text, safe="-_.~")  # noqa: E731
    canonical = "&".join(f"{quote(name)}={quote(fields[name])}" for name in sorted(fields))
    text = f"POST&%2F&{quote(canonical)}"
    key = f"{cloud.key[1]}&".encode()
    fields["Signature"] = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest()).decode()
    return fields


def post(cloud, fields):
    import json
    import urllib.parse
    request = urllib.request.Request(cloud.house.endpoint + "/", urllib.parse.urlencode(fields).encode())
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_forms_are_read_and_replays_and_changes_are_refused(cloud):
    fields = signed(cloud)
    status, answer = post(cloud, fields)
    assert status == 200 and answer["Regions"]["Region"][0]["RegionId"] == REGION
    status, answer = post(cloud, fields)
    assert (status, answer["Code"]) == (400, "SignatureNonceUsed") and answer["HostId"] == cloud.place
    fields = signed(cloud)
    fields["Extra"] = "1"
    assert post(cloud, fields)[1]["Code"] == "SignatureDoesNotMatch"
    assert post(cloud, signed(cloud, Timestamp="2020-01-01T00:00:00Z"))[1]["Code"] == "InvalidTimeStamp.Expired"
    assert post(cloud, signed(cloud, Timestamp="now"))[1]["Code"] == "InvalidTimeStamp.Format"
    assert post(cloud, signed(cloud, SignatureMethod="HMAC-MD5"))[1]["Code"] == "IncompleteSignature"
    assert post(cloud, signed(cloud, SecurityToken="t"))[1]["Code"] == "InvalidSecurityToken.Malformed"
    assert post(cloud, signed(cloud, Version="2010-01-01"))[1]["Code"] == "InvalidVersion"
    status, answer = post(cloud, signed(cloud, Action="NoSuchThing"))
    assert (status, answer["Code"]) == (404, "InvalidAction.NotFound")
    fields = signed(cloud)
    del fields["Timestamp"]
    assert post(cloud, fields)[1]["Code"] == "MissingTimestamp"
