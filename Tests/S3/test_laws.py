"""The laws of an object store, the same as for a directory, against a real S3 server."""
import os
import subprocess

import pytest
import rgw
from conftest import ROOT


def test_an_s3_store_keeps_every_law_against_a_real_server(gateway, bucket):
    if not (ROOT / ".build/ground").exists():
        pytest.skip("the unit tests are not built")
    environment = dict(
        os.environ, VARVE_WITHOUT_HTTP="1", VARVE_TEST_S3=f"s3://{bucket}?endpoint={gateway.endpoint}",
        VARVE_TEST_S3_NAME=gateway.dns)
    done = subprocess.run(
        ["swift", "test", "--skip-build", "--scratch-path", ".build/ground", "--filter", "RealServerTests"], cwd=ROOT,
        env=environment, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    said = done.stdout[-6000:] + done.stderr[-3000:]
    assert done.returncode == 0, said
    assert "RealServerTests" in done.stdout and "skipped" not in done.stdout, said


def test_the_check_finds_a_real_server_good_and_leaves_nothing(gateway, client, bucket, houses):
    house = houses("unused")
    out = house.varve("store", "check", f"s3://{bucket}/p?endpoint={gateway.endpoint}")
    assert out.count("ok ") == 10 and "FAILED" not in out, out
    assert client.keys(bucket) == [] and client.unfinished(bucket) == []
