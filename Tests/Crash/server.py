"""Starts, kills and asks the real `varve` binary. The tests here know what was acknowledged; the server does not know them."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("VARVE_BINARY", str(ROOT / ".build/release/varve"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Refused(Exception):
    """The command line ended with an error."""


class Server:
    """One data directory, and a server on it that comes and goes."""

    deaths = 0  # of all servers of this run, by kill -9

    def __init__(self):
        self.data = tempfile.mkdtemp(prefix="varve-crash-", dir=os.environ.get("VARVE_CRASH_DIR", "/var/tmp"))
        self.port = free_port()
        self.process = None
        self.kills = 0
        self.key_files = [self.data + ".key1", self.data + ".key2"]
        self.keys = [subprocess.run([BINARY, "key", "new", path], check=True, capture_output=True, text=True).stdout.strip()
                     for path in self.key_files]

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, failpoint=None, limit=20):
        env = dict(os.environ, SWIFT_BACKTRACE="enable=no")
        env.pop("VARVE_FAILPOINT", None)
        if failpoint:
            env["VARVE_FAILPOINT"] = failpoint
        self.log = open(os.path.join(self.data, "server.log"), "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}",
             *[word for path in self.key_files for word in ("--key-file", path)]],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env)
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                with urllib.request.urlopen(self.endpoint + "/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return True
            except OSError:
                time.sleep(0.01)
        raise AssertionError("the server was not ready in time:\n" + self.log_tail())

    def log_tail(self):
        return open(os.path.join(self.data, "server.log"), errors="replace").read()[-4000:]

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process:
            self.process.wait()
            self.kills += 1
            Server.deaths += 1
        self.process = None

    def died(self):
        """Has a failpoint ended the server? (By SIGKILL, nothing else.)"""
        if self.process.poll() is None:
            return False
        assert self.process.returncode == -signal.SIGKILL, \
            f"the server ended with {self.process.returncode}:\n{self.log_tail()}"
        return True

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(timeout=60) == 0, self.log_tail()
        self.process = None

    def remove(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        shutil.rmtree(self.data, ignore_errors=True)
        for path in self.key_files:
            os.remove(path)

    def hide_store(self):
        os.rename(os.path.join(self.data, "store"), os.path.join(self.data, "store-away"))

    def show_store(self):
        """Brings it back, if it is away."""
        if os.path.exists(os.path.join(self.data, "store-away")):
            shutil.rmtree(os.path.join(self.data, "store"), ignore_errors=True)
            os.rename(os.path.join(self.data, "store-away"), os.path.join(self.data, "store"))

    def varve(self, *words, limit=120):
        env = dict(os.environ, VARVE_DATA=self.data, VARVE_ENDPOINT=self.endpoint)
        env.pop("VARVE_FAILPOINT", None)
        done = subprocess.run([BINARY, *words], env=env, capture_output=True, text=True, timeout=limit)
        if done.returncode != 0:
            raise Refused(f"varve {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()

    def show(self, noun, ident):
        return json.loads(self.varve(noun, "show", ident, "--output", "json"))

    def wait_for_snapshot(self, ident, limit=60):
        """Waits until the snapshot is decided. Returns its last record."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            record = self.show("snapshot", ident)
            if record["state"] in ("completed", "error"):
                return record
            time.sleep(0.05)
        raise AssertionError(f"{ident} is still {record}:\n{self.log_tail()}")
