"""A Varve server of its own for one measurement, in a fresh data directory on the disk that is measured."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("VARVE_BINARY", str(ROOT / ".build/release/varve"))
SCRATCH = os.environ.get("BENCH_DIR", "/var/tmp")


def scratch(name):
    return tempfile.mkdtemp(prefix=f"varve-bench-{name}-", dir=SCRATCH)


class Varve:
    def __init__(self, *options):
        self.data = scratch("data")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.endpoint = f"http://127.0.0.1:{s.getsockname()[1]}"
        self.options = options
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", self.data, "--listen", self.endpoint[7:], *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.data, "server.log"), "ab"))
        for _ in range(2000):
            try:
                if urllib.request.urlopen(self.endpoint + "/readyz", timeout=1).status == 200:
                    return
            except OSError:
                time.sleep(0.01)
        raise SystemExit("varve serve was not ready")

    def __call__(self, *words):
        env = dict(os.environ, VARVE_DATA=self.data, VARVE_ENDPOINT=self.endpoint)
        done = subprocess.run([BINARY, *words], env=env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"varve {' '.join(words)}: {done.stderr}")
        return done.stdout.strip()

    def show(self, noun, ident):
        return json.loads(self(noun, "show", ident, "--output", "json"))

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.data, ignore_errors=True)
