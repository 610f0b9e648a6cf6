"""P12: DescribeSnapshots with many snapshots in the catalog: a volume's, in pages of 1000, as a client asks for them.

The snapshots are written into the catalog of a server that is stopped: what is measured is the asking. Half of them belong to
one volume, the rest to others. Requests are signed by botocore and sent over one connection, and timed around the answer alone.

Usage: catalog.py [COUNT]; BENCH_ROUNDS (5) times 20 requests of each kind.
"""
import http.client
import json
import os
import pathlib
import sqlite3
import statistics
import sys
import time
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from varve_server import Varve

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
VOLUMES = 100


def fill(data):
    """Snapshots like the one that is there, of volumes that are gone; half of them of one."""
    catalog = sqlite3.connect(os.path.join(data, "catalog.sqlite"))
    names = [row[1] for row in catalog.execute("PRAGMA table_info(snapshots)")]
    model = dict(zip(names, catalog.execute("SELECT * FROM snapshots").fetchone()))
    rows = []
    for number in range(COUNT):
        row = dict(model, id=f"snap-0{number:016x}"[:22], parent_id=None)
        row["volume_id"] = f"vol-0{0 if number % 2 else 1 + number % VOLUMES:016x}"[:21]
        rows.append([row[name] for name in names])
    with catalog:
        catalog.executemany(f"INSERT INTO snapshots VALUES ({','.join('?' * len(names))})", rows)
    catalog.close()


def ask(connection, key, host, parameters):
    """The answer's text and the milliseconds it took."""
    body = urllib.parse.urlencode(dict(parameters, Action="DescribeSnapshots", Version="2016-11-15"))
    request = AWSRequest(
        "POST", f"http://{host}/", data=body, headers={"Content-Type": "application/x-www-form-urlencoded", "Host": host})
    SigV4Auth(key, "ec2", "us-east-1").add_auth(request)
    begun = time.perf_counter()
    connection.request("POST", "/", body, dict(request.headers))
    answer = connection.getresponse()
    text = answer.read().decode()
    took = (time.perf_counter() - begun) * 1000
    if answer.status != 200:
        raise SystemExit(f"DescribeSnapshots: {answer.status} {text}")
    return text, took


def main():
    varve = Varve()
    volume = varve("volume", "create", "--size", "1MiB")
    varve("snapshot", "create", volume, "--wait")
    varve.process.terminate()
    varve.process.wait()
    fill(varve.data)
    varve.start()
    values = dict(
        line.split(" = ") for line in pathlib.Path(varve.data, "root-credentials").read_text().splitlines() if " = " in line)
    key = Credentials(values["aws_access_key_id"], values["aws_secret_access_key"])
    host = varve.endpoint[7:]
    connection = http.client.HTTPConnection(host, timeout=60)
    large = f"vol-0{0:016x}"[:21]
    kinds = {
        "a volume's, pages of 1000": {"Filter.1.Name": "volume-id", "Filter.1.Value.1": large, "MaxResults": 1000},
        "a smaller volume's": {"Filter.1.Name": "volume-id", "Filter.1.Value.1": f"vol-0{3:016x}"[:21], "MaxResults": 1000},
        "all, pages of 1000": {"MaxResults": 1000},
        "one by id": {"SnapshotId.1": f"snap-0{COUNT // 2:016x}"[:22]},
    }
    times = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, parameters in kinds.items():
            token = None
            for _ in range(20):
                text, took = ask(connection, key, host, dict(parameters, **({"NextToken": token} if token else {})))
                times[name].append(took)
                token = text.split("<nextToken>")[1].split("<")[0] if "<nextToken>" in text else None
    print(f"DescribeSnapshots with {COUNT} snapshots, milliseconds")
    print(f"{'what':<28} {'median':>8} {'p99':>8} {'worst':>8}")
    result = {}
    for name, found in times.items():
        found.sort()
        row = (statistics.median(found), found[int(len(found) * 0.99) - 1], found[-1])
        result[name] = dict(zip(("median", "p99", "worst"), row))
        print(f"{name:<28} {row[0]:>8.1f} {row[1]:>8.1f} {row[2]:>8.1f}")
    pathlib.Path(".build/bench").mkdir(parents=True, exist_ok=True)
    pathlib.Path(".build/bench/P12.json").write_text(json.dumps(result, indent=1))
    varve.process.terminate()
    varve.process.wait()


main()
