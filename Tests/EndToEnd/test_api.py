"""The native API over plain HTTP, signed by an independent implementation of AWS Signature Version 4."""
import concurrent.futures
import datetime
import hashlib
import hmac
import http.client
import json
import os
import time

import pytest

from house import wait_until


def key_of(house):
    lines = open(house.data + "/root-credentials").read().splitlines()
    values = dict(line.split(" = ") for line in lines if " = " in line)
    return values["aws_access_key_id"], values["aws_secret_access_key"]


def signature(house, method, path, body=b"", query="", service="varve", at=None, secret=None, region="local"):
    """The headers of a signed request."""
    access, real = key_of(house)
    now = (at or datetime.datetime.now(datetime.timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": f"127.0.0.1:{house.port}", "x-amz-content-sha256": digest, "x-amz-date": now}
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [method, path, query] + [f"{name}:{headers[name]}" for name in sorted(headers)] + ["", names, digest])
    scope = f"{now[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + (secret or real)).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    proof = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={proof}")
    return headers


def ask(house, method, target, body=b"", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
    connection.request(method, target, body=body or None, headers=headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def signed(house, method, path, body=b"", query="", **more):
    target = path + ("?" + query if query else "")
    return ask(house, method, target, body, signature(house, method, path, body, query, **more))


def refusal(status, content, expected):
    assert status == expected, content
    error = json.loads(content)["error"]
    assert error["code"] and error["message"]
    return error["message"]


def test_a_signed_request_is_answered(house):
    status, content = signed(house, "POST", "/api/v1/volumes", b'{"sizeBytes":1048576}')
    assert status == 201, content
    volume = json.loads(content)["id"]
    status, content = signed(house, "GET", f"/api/v1/volumes/{volume}")
    assert status == 200 and json.loads(content)["sizeBytes"] == 1048576
    assert signed(house, "DELETE", f"/api/v1/volumes/{volume}")[0] == 204


def test_an_unsigned_request_is_not(house):
    assert "not signed" in refusal(*ask(house, "GET", "/api/v1/volumes"), 401)


def test_a_wrong_secret_is_not(house):
    assert "does not match" in refusal(*signed(house, "GET", "/api/v1/volumes", secret="wrong"), 401)


def test_wrong_secrets_one_after_another_wait_and_right_ones_do_not(house):
    def wrong():
        return refusal(*signed(house, "GET", "/api/v1/volumes", secret="wrong"), 401)

    # As long as one waits at most; whoever is slow is forgiven some meanwhile, so it may take more than a few to come to it.
    held = 1.9
    assert any(taking(wrong) >= held for _ in range(100)), "no wrong one is held back after many"
    # Each would be, if it counted: a busy machine makes some of them slow, but not every one.
    assert min(taking(lambda: expect(signed(house, "GET", "/api/v1/volumes"), 200)) for _ in range(20)) < held


def test_too_many_wrong_secrets_at_once_are_told_so_at_every_door(house):
    def native(_):
        return signed(house, "GET", "/api/v1/volumes", secret="wrong")

    def ec2(_):
        body = b"Action=DescribeVolumes&Version=2016-11-15"
        return signed(house, "POST", "/", body, service="ec2", region="us-east-1", secret="wrong")

    def ebs(_):
        return signed(
            house, "GET", "/snapshots/snap-0123456789abcdef0/blocks", service="ebs", region="us-east-1", secret="wrong")

    # All wait for two seconds once there were many, and of one sender only some can: until others come while so many do.
    seen = set()
    for _ in range(100):
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            calls = [pool.submit(ask, None) for _ in range(8) for ask in (native, ec2, ebs)]
        for place, call in enumerate(calls):
            status, content = call.result()
            door = ("native", "ec2", "ebs")[place % 3]
            if door == "native" and status == 429:
                assert json.loads(content)["error"]["code"] == "throttled"
            elif door != "native" and status == 503:
                assert b"Request limit exceeded." in content, content
            else:
                assert 400 <= status < 404, (door, status, content)
                continue
            seen.add(door)
        if seen == {"native", "ec2", "ebs"}:
            return
    raise AssertionError(f"only {seen} were told that they ask too often")


def test_a_store_that_is_away_is_five_hundred_and_three(fresh):
    house = fresh.start()
    status, content = signed(house, "POST", "/api/v1/volumes", b'{"sizeBytes":1048576}')
    assert status == 201, content
    volume = json.loads(content)["id"]
    older, newer = (house.varve("snapshot", "create", volume, "--wait").split()[0] for _ in range(2))
    # What was read of it is in memory: a server that starts without its store has nothing.
    house.stop()
    os.rename(house.data + "/store", house.data + "/store-away")
    house.start()
    path = f"/api/v1/snapshots/{newer}/diff/{older}"
    status, content = signed(house, "GET", path)
    assert "store" in refusal(status, content, 503)
    os.rename(house.data + "/store-away", house.data + "/store")
    wait_until(lambda: signed(house, "GET", path)[0] == 200, limit=90)


def taking(call):
    """Seconds that it takes."""
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def expect(answer, status):
    assert answer[0] == status, answer


def test_another_service_is_not(house):
    assert "service ec2" in refusal(*signed(house, "GET", "/api/v1/volumes", service="ec2"), 401)


def test_a_clock_that_is_off_is_not(house):
    late = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=6)
    assert "clock" in refusal(*signed(house, "GET", "/api/v1/volumes", at=late), 401)


def test_a_changed_body_is_not(house):
    headers = signature(house, "POST", "/api/v1/volumes", b'{"sizeBytes":1048576}')
    status, content = ask(house, "POST", "/api/v1/volumes", b'{"sizeBytes":2097152}', headers)
    assert "body" in refusal(status, content, 401)


@pytest.mark.parametrize("body,word", [
    (b"{", "body"), (b"[]", "body"), (b'{"sizeBytes":"8"}', "sizeBytes"), (b'{"size":1}', "size"),
    (b'{"sizeBytes":1.5}', "sizeBytes"), (b"\xff\xfe", "body"), (b'{"sizeBytes":0}', "0"), (b"{}", "size"),
    (b'{"sizeBytes":99999999999999999999999}', "sizeBytes"), (b'{"sizeBytes":-512}', "512")])
def test_a_malformed_document_is_four_hundred(house, body, word):
    assert word in refusal(*signed(house, "POST", "/api/v1/volumes", body), 400)


def test_unknown_places_and_methods(house):
    refusal(*signed(house, "GET", "/api/v1/nothing"), 404)
    refusal(*ask(house, "GET", "/nothing"), 404)
    assert "PATCH" in refusal(*signed(house, "PUT", "/api/v1/volumes/vol-1"), 400)
    refusal(*signed(house, "GET", "/api/v1/volumes/vol-0123456789abcdef0"), 404)
    assert "colour" in refusal(*signed(house, "GET", "/api/v1/volumes", query="colour=red"), 400)


def test_a_body_that_is_too_large_is_refused_unread(house):
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
    connection.putrequest("POST", "/api/v1/volumes", skip_host=True)
    for name, value in signature(house, "POST", "/api/v1/volumes", b"").items():
        connection.putheader(name, value)
    connection.putheader("content-length", str(1 << 40))
    connection.endheaders()
    answer = connection.getresponse()
    refusal(answer.status, answer.read(), 413)


def test_a_stranger_cannot_make_the_server_wait_for_a_large_body(house):
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
    connection.putrequest("PUT", "/api/v1/imports/vol-1/content?offset=0")
    connection.putheader("content-length", str(10 << 20))
    connection.endheaders()
    answer = connection.getresponse()
    refusal(answer.status, answer.read(), 413)


def test_anyone_may_ask_for_health_metrics_and_the_description(house):
    for path in ["/healthz", "/readyz"]:
        assert ask(house, "GET", path)[0] == 200
    status, metrics = ask(house, "GET", "/metrics")
    assert status == 200 and b"varve_http_requests_total" in metrics
    status, content = ask(house, "GET", "/api/v1/openapi.json")
    described = json.loads(content)
    assert status == 200 and "/volumes/{id}" in described["paths"]


def test_garbage_on_the_port_does_no_harm(house):
    import socket
    for garbage in [b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n", b"A" * 100000, b"GET /\xff HTTP/1.1\r\n\r\n"]:
        with socket.create_connection(("127.0.0.1", house.port), timeout=5) as stream:
            try:
                stream.sendall(garbage)
                stream.settimeout(1)
                stream.recv(1000)
            except OSError:
                pass
    assert ask(house, "GET", "/readyz")[0] == 200
