#!/usr/bin/python3
"""A Ceph RADOS gateway on loopback: a real S3 server that keeps its objects in memory and is gone when stopped.

One monitor, one OSD (memstore) and one gateway, with cephx keys, all in a scratch directory; started in about ten
seconds, stopped by their process ids. Needs the Debian packages ceph-mon, ceph-osd and radosgw; MISSING names those
that are not there.

    rgw.py            starts one, prints its endpoint and keys, and stops it at SIGINT or SIGTERM
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

TOOLS = {"ceph-mon": "ceph-mon", "ceph-osd": "ceph-osd", "radosgw": "radosgw", "radosgw-admin": "radosgw",
         "ceph-authtool": "ceph-common", "monmaptool": "ceph-common", "ceph": "ceph-common"}
MISSING = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})

ACCESS_KEY, SECRET_KEY = "VARVETESTKEY00000001", "varve/test+secret/key0000000000000000001"
READ_ONLY_KEY, READ_ONLY_SECRET = "VARVETESTREADONLY001", "varvereadonlysecret000000000000000000001"
REGION = "us-east-1"

CONF = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon2}/0,v1:127.0.0.1:{mon1}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {root}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 0
mon data avail warn = 0
mon pg warn min per osd = 0
auth allow insecure global id reclaim = false
osd pool default pg autoscale mode = off
run dir = {root}/run
admin socket = {root}/run/$name.asok
log file = {root}/log/$name.log
pid file =
crash dir = {root}/crash
debug ms = 0

[mon]
mon data = {root}/mon
mon initial members = a
mon osd reporter subtree level = osd

[osd]
osd data = {root}/osd
osd objectstore = memstore
memstore device bytes = {capacity}
osd class load list = *
osd class default list = *
osd heartbeat grace = 3600

[client.rgw]
rgw data = {root}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port}{tls}
rgw dns name = {dns}
rgw enable usage log = false
rgw enable ops log = false
rgw crypt require ssl = false
rgw thread pool size = 32
rgw init timeout = 60
rgw gc obj min wait = 1
rgw gc processor period = 2
rgw gc processor max time = 2
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Gateway:
    """Starts in `start`, is gone after `stop`. `endpoint` is where it answers; `dns` the name virtual hosts end in."""

    def __init__(self, capacity=2 << 30):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="varve-rgw-"))
        self.capacity, self.dns = capacity, "localhost"
        self.processes = []

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def tool(self, *words, limit=60, check=True):
        done = subprocess.run(
            [words[0], "-c", str(self.root / "ceph.conf"), *map(str, words[1:])], capture_output=True, text=True,
            timeout=limit, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr[-3000:]}")
        return done.stdout

    def launch(self, name, *words):
        out = open(self.root / "log" / f"{name}.out", "ab")
        process = subprocess.Popen(
            [*map(str, words), "-c", str(self.root / "ceph.conf"), "-f"], stdin=subprocess.DEVNULL, stdout=out,
            stderr=out, start_new_session=True)
        self.processes.append((name, process))
        return process

    def said(self, name):
        found = [self.root / "log" / f"{name}.out", *sorted((self.root / "log").glob(f"*{name}*.log"))]
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in found if path.exists())

    def start(self):
        try:
            self._monitor()
            self._osd()
            self._gateway()
            return self
        except BaseException:
            self.stop()
            raise

    def _monitor(self):
        root = self.root
        for name in ["run", "log", "crash", "mon", "osd", "rgw"]:
            (root / name).mkdir()
        mon2, mon1, self.port = free_ports(3)
        self.fsid = str(uuid.uuid4())
        (root / "ceph.conf").write_text(CONF.format(
            fsid=self.fsid, mon1=mon1, mon2=mon2, root=root, port=self.port, dns=self.dns, tls="",
            capacity=self.capacity))
        keys = root / "keyring"
        caps = {"mon.": ["mon", "allow *"],
                "client.admin": ["mon", "allow *", "osd", "allow *", "mgr", "allow *", "mds", "allow *"],
                "osd.0": ["mon", "allow profile osd", "osd", "allow *"],
                "client.rgw": ["mon", "allow rw", "osd", "allow rwx"]}
        for index, (name, granted) in enumerate(caps.items()):
            pairs = [word for kind, cap in zip(granted[::2], granted[1::2]) for word in ("--cap", kind, cap)]
            made = ["--create-keyring"] if index == 0 else []
            subprocess.run(["ceph-authtool", str(keys), *made, "--gen-key", "-n", name, *pairs], check=True,
                           capture_output=True)
        subprocess.run(["monmaptool", "--create", "--clobber", "--addv", "a",
                        f"[v2:127.0.0.1:{mon2},v1:127.0.0.1:{mon1}]", "--fsid", self.fsid, "--set-min-mon-release",
                        "pacific", str(root / "monmap")], check=True, capture_output=True)
        self.tool("ceph-mon", "--mkfs", "-i", "a", "--monmap", root / "monmap", "--keyring", keys)
        self.launch("mon", "ceph-mon", "-i", "a")

    def _osd(self):
        self.tool("ceph", "osd", "new", str(uuid.uuid4()), "0")
        # The key that `osd new` made is the one that counts.
        key = self.tool("ceph", "auth", "get-key", "osd.0").strip()
        (self.root / "osd" / "keyring").write_text(f"[osd.0]\n\tkey = {key}\n")
        uid = json.loads(self.tool("ceph", "osd", "dump", "-f", "json"))["osds"][0]["uuid"]
        self.tool("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", uid, "--keyring", self.root / "osd" / "keyring")
        self.launch("osd", "ceph-osd", "-i", "0", "--keyring", self.root / "osd" / "keyring")

    def _gateway(self):
        self.tool("ceph", "auth", "import", "-i", self.root / "keyring")
        self._wait("the OSD", lambda: json.loads(self.tool("ceph", "osd", "stat", "-f", "json"))["num_up_osds"] == 1)
        process = self.launch("rgw", "radosgw", "-n", "client.rgw")
        self._wait("the gateway", self._answers, process)
        for user, access, secret, more in [
                ("varve", ACCESS_KEY, SECRET_KEY, []),
                ("reader", READ_ONLY_KEY, READ_ONLY_SECRET, [])]:
            self.tool("radosgw-admin", "-n", "client.rgw", "user", "create", f"--uid={user}", f"--display-name={user}",
                      f"--access-key={access}", f"--secret-key={secret}", *more)

    def _answers(self):
        try:
            urllib.request.urlopen(self.endpoint, timeout=2)
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def _wait(self, what, condition, process=None, limit=60):
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for name, one in self.processes:
                if one.poll() is not None:
                    raise RuntimeError(f"{name} ended:\n{self.said(name)}")
            if condition():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{what} did not come up in {limit} s:\n{self.said('rgw')}\n{self.said('osd')}")

    def stop(self):
        for _, process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
        for _, process in self.processes:
            process.wait(30)
        self.processes = []
        shutil.rmtree(self.root, ignore_errors=True)


if __name__ == "__main__":
    if MISSING:
        sys.exit(f"rgw: missing Debian packages: {' '.join(MISSING)}")
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gateway = Gateway().start()
    try:
        print(f"{gateway.endpoint} region {REGION} key {ACCESS_KEY} secret {SECRET_KEY} "
              f"(ready in {time.monotonic() - begun:.1f} s)", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        gateway.stop()
