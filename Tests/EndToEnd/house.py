"""A data directory and the real `varve` binary on it, as users meet them."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import nbd

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("VARVE_BINARY", str(ROOT / ".build/release/varve"))
MIB = 1 << 20


class Outcome:
    """How a command ended."""

    def __init__(self, words, done):
        self.words, self.code, self.out, self.err = words, done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"varve {' '.join(self.words)}: exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class House:
    """Serves a data directory; `varve` runs a command against it."""

    def __init__(self, data=None, wrap=(), options=()):
        self.data = data or tempfile.mkdtemp(prefix="varve-e2e-", dir=os.environ.get("VARVE_TEST_DIR", "/var/tmp"))
        self.port = free_port()
        self.wrap, self.options = list(wrap), list(options)
        self.process = None
        self.log = self.data + ".log"

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def environment(self):
        return dict(
            os.environ, VARVE_DATA=self.data, VARVE_ENDPOINT=self.endpoint, SWIFT_BACKTRACE="enable=no", TZ="UTC")

    def launch(self):
        out = open(self.log, "ab")
        self.process = subprocess.Popen(
            [*self.wrap, BINARY, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.options],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.environment())

    def start(self, limit=30):
        self.launch()
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the server ended:\n" + self.said()
            try:
                with urllib.request.urlopen(self.endpoint + "/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError("the server was not ready in time:\n" + self.said())

    def said(self):
        return open(self.log, errors="replace").read()[-6000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(timeout=60) == 0, self.said()
        self.process = None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def remove(self):
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)
        if os.path.exists(self.log):
            os.remove(self.log)

    def run(self, *words, limit=120, env=None):
        done = subprocess.run(
            [BINARY, *map(str, words)], env=env or self.environment(), capture_output=True, text=True, timeout=limit,
            stdin=subprocess.DEVNULL)
        return Outcome([str(word) for word in words], done)

    def varve(self, *words, limit=120):
        """Runs a command that must succeed; returns what it printed."""
        outcome = self.run(*words, limit=limit)
        assert outcome.code == 0, repr(outcome) + "\n" + self.said()
        return outcome.out.strip()

    def refused(self, *words, code=1, limit=120):
        """Runs a command that must fail with a clear error; returns the error."""
        outcome = self.run(*words, limit=limit)
        assert outcome.code == code, repr(outcome) + "\n" + self.said()
        assert outcome.out == "", repr(outcome)
        assert outcome.err.strip(), repr(outcome)
        assert "Fatal error" not in outcome.err and "Swift" not in outcome.err, repr(outcome)
        return outcome.err

    def json(self, *words):
        return json.loads(self.varve(*words, "--output", "json"))

    def show(self, noun, identifier):
        return self.json(noun, "show", identifier)

    def volumes(self):
        return self.json("volume", "list")["volumes"]

    def snapshots(self):
        return self.json("snapshot", "list")["snapshots"]

    def volume(self, size="64MiB", *more):
        return self.varve("volume", "create", "--size", size, *more)

    def snapshot(self, volume, *more):
        return self.varve("snapshot", "create", volume, "--wait", *more)

    def open(self, noun, identifier):
        """An NBD connection to a volume or snapshot."""
        handle = nbd.NBD()
        handle.connect_uri(self.varve(noun, "uri", identifier))
        return handle

    def write(self, volume, offset, content):
        handle = self.open("volume", volume)
        handle.pwrite(content, offset)
        handle.flush()
        handle.shutdown()

    def read(self, noun, identifier, offset, count):
        handle = self.open(noun, identifier)
        content = bytes(handle.pread(count, offset))
        handle.shutdown()
        return content


def wait_until(condition, limit=30, message="it did not happen in time"):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(message)
