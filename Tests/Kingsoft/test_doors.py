"""What no well-behaved client sends: requests made by hand, signed wrongly, late, twice over, or in some other form."""
import datetime
import email.utils
import hashlib
import hmac
import http.client
import json

import pytest

from ksyun_cloud import REGION, root_key

VERSION = "Version=2016-03-04"


def sign(key, secret, scope, to_sign):
    out = ("AWS4" + secret).encode()
    for part in scope:
        out = hmac.new(out, part.encode(), hashlib.sha256).digest()
    return hmac.new(out, to_sign.encode(), hashlib.sha256).hexdigest()


class Hand:
    """Signs and sends one request; each part can be other than it should be."""

    def __init__(self, house):
        self.house, self.key = house, root_key(house)

    def ask(self, query, body=b"", method="GET", service="ebs", region=REGION, at=None, host=None, secret=None,
            terminator="aws4_request", signed=("host", "x-amz-date"), accept="application/json", sent=None, more=(),
            key=None, unsigned=False, date=None):
        at = at or datetime.datetime.now(datetime.timezone.utc)
        time = at.strftime("%Y%m%dT%H%M%SZ")
        host = host or f"127.0.0.1:{self.house.port}"
        headers = {"host": host, "x-amz-date": time, "accept": accept, **dict(more)}
        if date is not None:
            headers["date"] = date
            del headers["x-amz-date"]
        scope = [time[:8], region, service, terminator]
        names = sorted(set(signed) | {name for name, _ in more})
        canonical = "\n".join([
            method, "/", "&".join(sorted(query.split("&"))) if query else "",
            "".join(f"{name}:{headers[name]}\n" for name in names), ";".join(names), hashlib.sha256(body).hexdigest()])
        to_sign = "\n".join([
            "AWS4-HMAC-SHA256", time, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
        signature = sign(key, secret or self.key[1], scope, to_sign)
        if not unsigned:
            headers["authorization"] = (
                f"AWS4-HMAC-SHA256 Credential={key or self.key[0]}/{'/'.join(scope)}, SignedHeaders={';'.join(names)}, "
                f"Signature={signature}")
        connection = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=30)
        target = "/" + ("?" + (query if sent is None else sent) if query or sent else "")
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        if body:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def code(self, *args, **more):
        status, text = self.ask(*args, **more)
        error = json.loads(text)["Error"]
        # Clients take these words of a Describe action for the end of an object.
        lower = error["Message"].lower()
        assert not any(word in lower for word in ("invalid", "not found", "notfound", "not_found", "not exist", "not associate"))
        return status, error["Code"]


@pytest.fixture(scope="module")
def hand(house):
    return Hand(house)


LIST = f"Action=DescribeVolumes&{VERSION}"


def test_every_form_of_a_request_is_read(hand):
    assert hand.ask(LIST)[0] == 200
    assert hand.ask("", LIST.encode(), "POST")[0] == 200
    document = json.dumps({"Action": "DescribeVolumes", "Version": "2016-03-04", "VolumeId": ["x"]}).encode()
    assert hand.ask(LIST, document, "POST")[0] == 200
    # A GET with a form as its body, under an empty token that is signed, as the CSI driver sends it.
    status, text = hand.ask(
        f"Action=DescribeInstances&{VERSION}", b"InstanceId.1=x&MaxResults=50", service="kec",
        more=[("x-ksc-security-token", "")])
    assert status == 200 and json.loads(text)["InstancesSet"] == []
    # Without its port, as the Java client has it; and lists as the one for Node has them.
    assert hand.ask(LIST, host="127.0.0.1")[0] == 200
    assert hand.ask("", (LIST + "&VolumeId[0]=x").encode(), "POST")[0] == 200
    # The time in the header that every HTTP client knows, in its form and in that of signatures.
    now = datetime.datetime.now(datetime.timezone.utc)
    for date in (email.utils.format_datetime(now.replace(microsecond=0), usegmt=True), now.strftime("%Y%m%dT%H%M%SZ")):
        assert hand.ask(LIST, at=now, date=date, signed=("host", "date"))[0] == 200
    assert hand.ask(LIST, at=now, date="now", signed=("host", "date"))[0] == 403
    # JSON without a word on what is read; XML for who reads anything.
    assert hand.ask(LIST, document, "POST", accept=None)[1].startswith("{")
    status, text = hand.ask(LIST, accept="*/*")
    assert status == 200 and "<DescribeVolumesResponse><ResponseMetadata><RequestId>" in text


def test_what_is_signed_wrongly_is_refused_with_its_code(hand):
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    assert hand.code(LIST, unsigned=True) == (403, "MissingAuthenticationToken")
    assert hand.code(LIST, secret="x" * 40) == (403, "SignatureDoesNotMatch")
    assert hand.code(LIST, sent=LIST + "&MaxResults=5") == (403, "SignatureDoesNotMatch")
    assert hand.code(LIST, at=now - hour) == (403, "RequestExpired")
    assert hand.code(LIST, at=now + hour) == (403, "RequestExpired")
    assert hand.code(LIST, key="AKNOBODY") == (403, "AccessKeyNotRecognized")
    assert hand.code(LIST, region="cn-mars-1") == (403, "SignatureDoesNotMatch")
    assert hand.code(LIST, terminator="aws5_request") == (403, "SignatureDoesNotMatch")
    assert hand.code(LIST, signed=("x-amz-date",)) == (403, "SignatureDoesNotMatch")
    assert hand.code(LIST, more=[("x-ksc-security-token", "some")]) == (403, "AccessKeyNotRecognized")
    status, text = hand.ask(LIST, region="cn-mars-1")
    assert "Credential should be scoped to a valid region, not:cn-mars-1." in text
    status, text = hand.ask(LIST, host=f"http://127.0.0.1:{hand.house.port}")
    assert status == 400 and "without http://" in text


def test_what_cannot_be_read_is_refused(hand):
    status, text = hand.ask(LIST, b"Action=DeleteVolume", "POST")
    assert status == 400 and "ActionInvalidParameterValue" in text
    status, text = hand.ask("", b"{", "POST")
    assert status == 400 and '"Code":"InvalidParameterValue"' in text
    assert hand.code(f"Action=CreateLocalVolumeSnapshot&{VERSION}", service="kec") == (400, "UnsupportedAction")
    assert hand.code(f"Action=CreateSnapshot&{VERSION}", service="kec") == (400, "UnsupportedAction")
    status, text = hand.ask("Action=DescribeVolumes&Version=2015-01-01")
    assert status == 400 and "VersionInvalidParameterValue" in text


def test_projects_and_tags_have_services_of_their_own(hand):
    status, text = hand.ask("Action=GetAccountAllProjectList&Version=2015-11-01", service="iam")
    assert status == 200 and json.loads(text)["ListProjectResult"]["ProjectList"][0]["ProjectId"] == 0
    query = f"Action=CreateVolume&AvailabilityZone={REGION}a&Size=10&{VERSION}&VolumeType=EHDD"
    volume = json.loads(hand.ask(query)[1])["VolumeId"]
    # As Terraform sends them.
    form = f"ReplaceTags.1.ResourceUuids={volume}&ResourceType=volume&Tag_1_Key=team&Tag_1_Value=db"
    query = "Action=ReplaceResourcesTags&Version=2020-09-01"
    assert hand.ask(query, form.encode(), "POST", service="tagv2")[0] == 200
    shown = json.loads(hand.ask(f"Action=DescribeVolumes&{VERSION}&VolumeId.1={volume}")[1])["Volumes"][0]
    assert shown["Tags"] == [{"TagKey": "team", "TagValue": "db"}]
    query = f"Action=UpdateInstanceProjectId&InstanceId={volume}&ProjectId=4&Version=2015-11-01"
    assert hand.ask(query, service="iam")[0] == 200
    shown = json.loads(hand.ask(f"Action=DescribeVolumes&{VERSION}&VolumeId.1={volume}")[1])["Volumes"][0]
    assert shown["ProjectId"] == 4
