"""Disks that the NBD client tests run against.

Three kinds, each used when it is there:
  given   VARVE_NBD_URI names an export of at least 64 MiB whose content may be lost
  varve   VARVE_BINARY names the server; every test gets a volume of its own
  file    the development server NBDFile (VARVE_NBD_FILE, or the newest one under .build) on a file of its own
"""
import contextlib, glob, os, signal, socket, subprocess, tempfile, time, urllib.parse, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZE = 64 << 20


def binary_of_file_server():
    given = os.environ.get("VARVE_NBD_FILE")
    if given:
        return given
    found = [p for pattern in (".build/*/NBDFile", ".build/*/*/NBDFile", ".build/*/*/*/NBDFile")
             for p in glob.glob(os.path.join(ROOT, pattern)) if os.path.isfile(p)]
    return max(found, key=os.path.getmtime, default=None)


def kinds():
    found = []
    if os.environ.get("VARVE_NBD_URI"):
        found.append("given")
    if os.environ.get("VARVE_BINARY") and os.path.exists(os.environ["VARVE_BINARY"]):
        found.append("varve")
    if binary_of_file_server():
        found.append("file")
    return found or ["none"]


class Disk:
    """One export: its URI, its size, and the process that serves it, if it is ours."""

    def __init__(self, uri, size, process=None):
        self.uri, self.size, self.process = uri, size, process
        parts = urllib.parse.urlsplit(uri)
        self.export = urllib.parse.unquote(parts.path.lstrip("/"))
        self.socket_path = urllib.parse.parse_qs(parts.query).get("socket", [None])[0]
        self.address = (parts.hostname, parts.port or 10809)

    def connect(self):
        """A bare socket to the server."""
        if self.socket_path:
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.socket_path)
        else:
            s = socket.create_connection(self.address)
        s.settimeout(20)
        return s


def wait_until(what, condition, limit=20.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"gave up waiting until {what}"
        time.sleep(0.01)


@contextlib.contextmanager
def running(command, **more):
    process = subprocess.Popen(command, **more)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{command[0]} did not end within 20 s of SIGTERM")
        assert code == 0, f"{command[0]} ended with {code}"


@contextlib.contextmanager
def file_disk(size=SIZE, *options, memory=False):
    """A disk of NBDFile, on a new sparse file or in memory."""
    with tempfile.TemporaryDirectory(prefix="nbd-") as folder:
        path, file = folder + "/s", folder + "/disk"
        if memory:
            what = ["--memory", str(size >> 20)]
        else:
            with open(file, "wb") as f:
                f.truncate(size)
            what = [file]
        with running([binary_of_file_server(), "--unix", path, *what, *options]) as process:
            wait_until("the server listens", lambda: os.path.exists(path) and can_connect(path))
            yield Disk(f"nbd+unix:///disk?socket={path}", size, process)


def can_connect(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


class VarveServer:
    """`varve serve` on a data directory of its own."""

    def __init__(self, folder):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self.environment = os.environ | {"VARVE_DATA": folder, "VARVE_ENDPOINT": self.endpoint}
        self.command = [os.environ["VARVE_BINARY"], "serve", "--data", folder, "--listen", f"127.0.0.1:{port}"]

    def is_ready(self):
        try:
            return urllib.request.urlopen(self.endpoint + "/readyz", timeout=5).status == 200
        except OSError:
            return False

    def call(self, *arguments):
        done = subprocess.run([os.environ["VARVE_BINARY"], *arguments], env=self.environment, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, f"varve {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()


@contextlib.contextmanager
def varve_server():
    with tempfile.TemporaryDirectory(prefix="nbd-varve-") as folder:
        server = VarveServer(folder)
        with running(server.command, stderr=subprocess.DEVNULL) as process:
            wait_until("varve is ready", server.is_ready, 60)
            server.process = process
            yield server


@contextlib.contextmanager
def varve_disk(server, size=SIZE):
    volume = server.call("volume", "create", "--size", f"{size >> 20}MiB")
    yield Disk(server.call("volume", "uri", volume), size, server.process)
    server.call("volume", "detach", volume)
    server.call("volume", "delete", volume)
