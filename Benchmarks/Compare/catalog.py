"""P12: DescribeSnapshots with many snapshots in the catalog: a volume's, in pages of 1000, as a client asks for them.

The snapshots are written into the catalog of a server that is stopped: what is measured is the asking. Half of them belong to
one volume, the rest to others. Requests are signed by botocore and sent over one connection, and timed around the answer alone,
read to its end and not parsed. Beside the time stands the processor time of the server, which other work on the machine moves less.

The peer is moto, if it can be imported, with the same snapshots put into its memory, asked in turn with Varve. It knows no pages, so it
is asked for what comes to about a page: a smaller volume's.

Usage: catalog.py [COUNT]; BENCH_ROUNDS (5) times 20 requests of each kind, 4 of the peer's.
"""
import http.client
import json
import os
import pathlib
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from snapshot_names import snapshot_name, snapshots, volume_name
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
    for snapshot, volume in snapshots(COUNT, VOLUMES):
        row = dict(model, id=snapshot, parent_id=None, volume_id=volume)
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


def processor_time(process):
    """Milliseconds that a process has computed, in all its threads."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def moto():
    """The peer's process and its host, or nothing."""
    if subprocess.run([sys.executable, "-c", "import moto.server"], capture_output=True).returncode:
        return None
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    script = pathlib.Path(__file__).with_name("moto_snapshots.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(port), str(COUNT), str(VOLUMES)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process, f"127.0.0.1:{port}"
        except OSError:
            time.sleep(0.1)
    raise SystemExit("moto was not ready")


def show(result):
    print(f"DescribeSnapshots with {COUNT} snapshots, milliseconds")
    print(f"{'what':<28} {'median':>8} {'p99':>8} {'worst':>8} {'processor':>10}")
    for name, row in result.items():
        print(f"{name:<28} {row['median']:>8.1f} {row['p99']:>8.1f} {row['worst']:>8.1f} {row['processor']:>10.1f}")


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
    peer = moto()
    hosts = {"varve": (varve.process, varve.endpoint[7:])}
    if peer:
        hosts["moto"] = peer
    connections = {name: http.client.HTTPConnection(host, timeout=120) for name, (_, host) in hosts.items()}
    smaller = {"Filter.1.Name": "volume-id", "Filter.1.Value.1": volume_name(3), "MaxResults": 1000}
    kinds = {
        "a volume's, pages of 1000": ("varve", {
            "Filter.1.Name": "volume-id", "Filter.1.Value.1": volume_name(0), "MaxResults": 1000}),
        "a smaller volume's": ("varve", smaller),
        "all, pages of 1000": ("varve", {"MaxResults": 1000}),
        "one by id": ("varve", {"SnapshotId.1": snapshot_name(COUNT // 2)}),
        "moto: a smaller volume's": ("moto", smaller),
    }
    kinds = {name: kind for name, kind in kinds.items() if kind[0] in hosts}
    times = {name: [] for name in kinds}
    busy = dict.fromkeys(kinds, 0)
    items = {}
    for _ in range(ROUNDS):
        for name, (server, parameters) in kinds.items():
            process, host = hosts[server]
            token, before = None, processor_time(process)
            for _ in range(20 if server == "varve" else 4):
                more = {"NextToken": token} if token else {}
                text, took = ask(connections[server], key, host, dict(parameters, **more))
                times[name].append(took)
                token = text.split("<nextToken>")[1].split("<")[0] if "<nextToken>" in text else None
            busy[name] += processor_time(process) - before
            items[name] = text.count("<snapshotId>")
    result = {}
    for name, found in times.items():
        found.sort()
        result[name] = {
            "median": statistics.median(found), "p99": found[max(0, int(len(found) * 0.99) - 1)], "worst": found[-1],
            "processor": busy[name] / len(found), "items": items[name]}
    show(result)
    if peer:
        ratio = result["moto: a smaller volume's"]["median"] / result["a smaller volume's"]["median"]
        print(f"varve answers {ratio:.0f} times as fast as moto ")
        peer[0].terminate()
        peer[0].wait()
    pathlib.Path(".build/bench").mkdir(parents=True, exist_ok=True)
    pathlib.Path(".build/bench/P12.json").write_text(json.dumps(result, indent=1))
    varve.process.terminate()
    varve.process.wait()


main()
