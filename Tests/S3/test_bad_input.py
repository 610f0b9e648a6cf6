"""Whatever is wrong with a store, the message names the setting to change."""
import json
import os
import subprocess
import time
from email.utils import formatdate

import pytest
import rgw
from house import free_port
from s3 import Client


def refused(house, limit=60):
    """Starts a server that must end by itself; returns what it said."""
    house.launch()
    code = house.process.wait(limit)
    house.process = None
    said = house.said()
    assert code == 1 and "Fatal error" not in said and "Error(" not in said, said
    return said


def test_nothing_listens_there(bucket, houses):
    begun = time.monotonic()
    said = refused(houses(f"s3://{bucket}?endpoint=http://127.0.0.1:{free_port()}"))
    assert "endpoint=" in said and "nothing listens" in said, said
    assert time.monotonic() - begun < 30


def test_no_s3_server(gateway, bucket, proxy, houses):
    proxy.canned = (200, [("Content-Type", "text/html")], b"<html><body>Welcome</body></html>")
    said = refused(houses(f"s3://{bucket}?endpoint={proxy.endpoint}"))
    assert "store" in said and bucket in said or "endpoint=" in said, said


def test_no_such_bucket(gateway, houses):
    said = refused(houses(f"s3://varve-no-such-bucket?endpoint={gateway.endpoint}"))
    assert "varve-no-such-bucket" in said and "correct the bucket" in said, said


@pytest.mark.parametrize("name, value, word", [
    ("AWS_ACCESS_KEY_ID", "VARVENOSUCHKEY000000", "AWS_ACCESS_KEY_ID"),
    ("AWS_SECRET_ACCESS_KEY", "not-the-secret", "AWS_SECRET_ACCESS_KEY"),
])
def test_a_wrong_key(gateway, bucket, houses, monkeypatch, name, value, word):
    monkeypatch.setenv(name, value)
    said = refused(houses(f"s3://{bucket}?endpoint={gateway.endpoint}"))
    assert word in said and "not-the-secret" not in said, said


def test_no_key_at_all(gateway, bucket, houses, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    said = refused(houses(f"s3://{bucket}?endpoint={gateway.endpoint}"))
    assert "AWS_ACCESS_KEY_ID" in said and "credentials=" in said, said


def test_keys_from_a_file(gateway, bucket, houses, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    keys = tmp_path / "keys"
    keys.write_text(f"[store]\naws_access_key_id = {rgw.ACCESS_KEY}\naws_secret_access_key = {rgw.SECRET_KEY}\n")
    house = houses(f"s3://{bucket}?endpoint={gateway.endpoint}&credentials={keys}&profile=store").start(limit=60)
    assert house.json("store", "status")["isReachable"] is True
    house.stop()


def error(code, more=""):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message>{more}</Error>".encode()


@pytest.mark.parametrize("status, headers, body, words", [
    (400, [], error("AuthorizationHeaderMalformed", "<Region>eu-7</Region>"), ["set region=eu-7"]),
    (400, [], error("ExpiredToken"), ["AWS_SESSION_TOKEN", "expired"]),
    (403, [("Date", formatdate(time.time() + 3600, usegmt=True))], error("RequestTimeTooSkewed"),
     ["set the clock", "behind"]),
    (403, [], error("QuotaExceeded"), ["full", "quota"]),
    (301, [], error("PermanentRedirect", "<Endpoint>b.s3.elsewhere.example</Endpoint>"), ["endpoint=", "elsewhere"]),
])
def test_refusals_that_this_server_never_gives(bucket, proxy, houses, status, headers, body, words):
    proxy.canned = (status, headers, body)
    said = refused(houses(f"s3://{bucket}?endpoint={proxy.endpoint}"))
    assert all(word in said for word in words), said


def test_a_key_that_may_only_read(gateway, client, bucket, houses, monkeypatch):
    client.request("PUT", "/" + bucket, {"policy": ""}, json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/reader"]},
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}).encode())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", rgw.READ_ONLY_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", rgw.READ_ONLY_SECRET)
    said = refused(houses(f"s3://{bucket}?endpoint={gateway.endpoint}"))
    assert rgw.READ_ONLY_KEY in said and "right to read, write" in said, said


def test_a_bucket_that_another_repository_owns(gateway, bucket, houses):
    first = houses(f"s3://{bucket}/one?endpoint={gateway.endpoint}").start(limit=60)
    first.stop()
    second = houses(f"s3://{bucket}/two?endpoint={gateway.endpoint}").start(limit=60)
    second.stop()
    wrong = houses(f"s3://{bucket}/one?endpoint={gateway.endpoint}", data=second.data)
    assert "belongs to" in refused(wrong) and "--store" in wrong.said()


@pytest.mark.parametrize("url", [
    "s3://", "s3://x", "s3://bucket?endpoint=nowhere", "s3://bucket?secret=x", "s3://a:b@bucket", "s3://bucket?style=both",
])
def test_a_url_that_makes_no_sense_is_wrong_use(houses, url):
    house = houses(url)
    house.launch()
    assert house.process.wait(30) == 2, house.said()
    house.process = None
    assert "store's URL" in house.said(), house.said()


@pytest.fixture
def certificate(tmp_path):
    key, file = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", file, "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return str(file), str(key)


def test_tls_with_an_authority_of_ones_own(gateway, bucket, houses, certificate, tmp_path):
    from proxy import Proxy
    secure = Proxy(gateway.endpoint, tls=certificate).start()
    try:
        house = houses(f"s3://{bucket}?endpoint={secure.endpoint}&ca={certificate[0]}").start(limit=60)
        assert house.json("store", "status")["isReachable"] is True
        house.stop()
        said = refused(houses(f"s3://{bucket}?endpoint={secure.endpoint}"))
        assert "ca=" in said and "TLS" in said, said
        empty = tmp_path / "empty.pem"
        empty.write_text("nothing")
        assert str(empty) in refused(houses(f"s3://{bucket}?endpoint={secure.endpoint}&ca={empty}"))
    finally:
        secure.stop()
