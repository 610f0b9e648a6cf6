"""The usual NBD tools over TLS: who gets in, what goes through, and what is said to the others."""
import json
import os
import random
import re
import socket
import subprocess

import nbd_disks
import pytest
import tls_files

pytestmark = pytest.mark.skipif(
    not os.path.exists(os.environ.get("VARVE_BINARY", "")), reason="VARVE_BINARY names no server")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server(nbd_disks.VarveServer):
    """`varve serve` that offers disks over TCP, and what it said."""

    def __init__(self, folder, options):
        super().__init__(str(folder / "data"))
        self.nbd_port = free_port()
        self.log = folder / "log"
        self.command += ["--nbd-listen", f"tcp://127.0.0.1:{self.nbd_port}", *map(str, options)]

    def said(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern, start):
        nbd_disks.wait_until(f"the log says {pattern}", lambda: re.search(pattern, self.said()[start:]))


class Keys:
    """Everything that clients and servers in these tests hold."""

    def __init__(self, folder):
        self.ours, other = tls_files.Authority(folder, "ours"), tls_files.Authority(folder, "other")
        self.server = self.ours.sign("server")
        self.stale_server = self.ours.sign("stale-server", end="20210101000000Z")
        client = tls_files.client_folder
        self.good = client(folder / "good", self.ours, self.ours.sign("client"))
        self.none = client(folder / "none", self.ours)
        self.stale = client(folder / "stale", self.ours, self.ours.sign("stale", end="20210101000000Z"))
        self.stranger = client(folder / "stranger", self.ours, other.sign("stranger"))
        self.distrustful = client(folder / "distrustful", other, self.ours.sign("distrustful"))
        self.psk = tls_files.shared_key(folder / "psk")
        self.wrong_psk = tls_files.shared_key(folder / "wrong-psk", byte="77")
        self.unknown_psk = tls_files.shared_key(folder / "unknown-psk", user="mallory")

    def options(self, kind):
        if kind == "psk":
            return ["--nbd-tls-psk", self.psk / "keys.psk"]
        return ["--nbd-tls-cert", self.server[0], "--nbd-tls-key", self.server[1], "--nbd-tls-client-ca",
                self.ours.certificate]


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


class Door:
    """A volume of a server, by a client's URI or by qemu's options."""

    def __init__(self, server, kind, keys, volume):
        self.server, self.kind, self.keys, self.volume = server, kind, keys, volume

    def uri(self, folder=None, user="alice"):
        at = f"127.0.0.1:{self.server.nbd_port}/{self.volume}"
        if self.kind == "psk":
            return f"nbds://{user}@{at}?tls-psk-file={folder or self.keys.psk}/keys.psk"
        return f"nbds://{at}?tls-certificates={folder or self.keys.good}"

    def qemu(self, folder=None):
        if self.kind == "psk":
            what = f"tls-creds-psk,id=tls0,endpoint=client,username=alice,dir={folder or self.keys.psk}"
        else:
            what = f"tls-creds-x509,id=tls0,endpoint=client,dir={folder or self.keys.good}"
        return ["--object", what, "--image-opts",
                f"driver=nbd,host=127.0.0.1,port={self.server.nbd_port},export={self.volume},tls-creds=tls0"]


@pytest.fixture(scope="module", params=["x509", "psk"])
def door(request, keys, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    server = Server(folder, keys.options(request.param))
    with nbd_disks.running(server.command, stderr=open(server.log, "ab")):
        nbd_disks.wait_until("varve is ready", server.is_ready, 60)
        volume = server.call("volume", "create", "--size", "64MiB")
        server.call("volume", "attach", volume)
        yield Door(server, request.param, keys, volume)


def run(*command, ok=True):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120)
    assert not ok or done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}"
    return done


def refused(*command):
    done = run(*command, ok=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def test_nbdinfo_sees_an_encrypted_disk(door):
    info = json.loads(run("nbdinfo", "--json", door.uri()).stdout)
    assert info["TLS"] is True and info["structured"]
    assert info["exports"][0]["export-size"] == 64 << 20


@pytest.mark.parametrize("options", [[], ["--connections=1", "--requests=1"], ["--synchronous"]])
def test_nbdcopy_both_ways(door, tmp_path, options):
    image, back = tmp_path / "image", tmp_path / "back"
    image.write_bytes(random.Random(len(options)).randbytes(64 << 20))
    run("nbdcopy", *options, image, door.uri())
    run("nbdcopy", *options, door.uri(), back)
    assert image.read_bytes() == back.read_bytes()


def test_qemu_reads_and_writes(door, tmp_path):
    object_, options = door.qemu()[:2], door.qemu()[3]
    run("qemu-io", *object_, "--image-opts", options, "-c", "write -P 7 1M 3M", "-c", "read -P 7 1M 3M", "-c", "flush")
    image = tmp_path / "image"
    run("qemu-img", "convert", *object_, "--image-opts", options, "-O", "raw", image)
    content = image.read_bytes()
    assert len(content) == 64 << 20 and content[1 << 20:4 << 20] == b"\x07" * (3 << 20)
    assert "64 MiB" in run("qemu-img", "info", *door.qemu()).stdout


def test_a_plain_client_is_refused_with_a_reason(door):
    plain = f"nbd://127.0.0.1:{door.server.nbd_port}/{door.volume}"
    assert refused("nbdinfo", plain)
    assert refused("nbdsh", "-u", plain, "-c", "print(h.get_size())")
    assert "TLS" in refused("qemu-img", "info", plain)
    assert refused("nbdinfo", "--list", f"nbd://127.0.0.1:{door.server.nbd_port}")
    run("nbdinfo", door.uri())


def test_strangers_are_refused_and_the_log_says_why(door):
    # GnuTLS sends no certificate rather than one of an authority that the server did not name.
    cases = {
        "x509": [("none", "sent no certificate"), ("stale", "has expired"), ("stranger", "sent no certificate"),
                 ("distrustful", "not accept our certificate")],
        "psk": [("wrong_psk", "shared key is not the one"), ("unknown_psk", "the user 'mallory' is not in")],
    }
    for name, reason in cases[door.kind]:
        user, start = "mallory" if name == "unknown_psk" else "alice", len(door.server.said())
        refused("nbdinfo", door.uri(getattr(door.keys, name), user))
        door.server.wait_for(f"127.0.0.1:[0-9]+: the TLS handshake failed: .*{reason}", start)
    run("nbdinfo", door.uri())


def test_the_uri_for_other_hosts_and_for_this_one(door):
    uri = door.server.call("volume", "uri", "--network", door.volume)
    assert uri == f"nbds://127.0.0.1:{door.server.nbd_port}/{door.volume}"
    assert door.server.call("volume", "uri", door.volume).startswith("nbd+unix://")


def serve(tmp_path, *options, address="127.0.0.1:0"):
    """Runs a server that must refuse to start; returns its exit code and what it said."""
    done = run(os.environ["VARVE_BINARY"], "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0",
               *(["--nbd-listen", f"tcp://{address}"] if address else []), *options, ok=False)
    return done.returncode, done.stderr


def test_settings_that_do_not_fit_are_explained(keys, tmp_path):
    certificate, key = keys.server
    pair = ["--nbd-tls-cert", certificate, "--nbd-tls-key", key]
    psk = ["--nbd-tls-psk", keys.psk / "keys.psk"]
    for options, address, code, says in [
        (["--nbd-tls-cert", certificate], "127.0.0.1:0", 2, "--nbd-tls-key FILE"),
        (["--nbd-tls-key", key], "127.0.0.1:0", 2, "--nbd-tls-cert FILE"),
        (["--nbd-tls-client-ca", certificate], "127.0.0.1:0", 2, "--nbd-tls-cert FILE"),
        (["--nbd-tls", "require"], "127.0.0.1:0", 2, "--nbd-tls-psk FILE"),
        (pair + psk, "127.0.0.1:0", 2, "--nbd-tls-client-ca FILE"),
        (psk, None, 2, "--nbd-listen"),
        (pair, "0.0.0.0:0", 2, "--nbd-tls-client-ca FILE"),
        ([], "0.0.0.0:0", 2, "--insecure"),
        (psk + ["--nbd-tls", "allow"], "0.0.0.0:0", 2, "--insecure"),
        (["--nbd-tls-cert", certificate, "--nbd-tls-key", keys.stale_server[1]], "127.0.0.1:0", 1,
         f"--nbd-tls-key: {keys.stale_server[1]} does not belong to the certificate {certificate}"),
        (["--nbd-tls-cert", "/nowhere/c.pem", "--nbd-tls-key", key], "127.0.0.1:0", 1,
         "--nbd-tls-cert: /nowhere/c.pem does not exist"),
        (pair + ["--nbd-tls-client-ca", key], "127.0.0.1:0", 1, f"--nbd-tls-client-ca: {key} holds no certificate"),
        (["--nbd-tls-psk", key], "127.0.0.1:0", 1, f"--nbd-tls-psk: {key} is wrong in line 1"),
    ]:
        found, said = serve(tmp_path, *options, address=address)
        assert found == code and says in said, (options, said)


def test_an_expired_certificate_is_a_warning_at_start_and_open_doors_too(keys, tmp_path):
    certificate, key = keys.stale_server
    server = Server(tmp_path, ["--nbd-tls-cert", certificate, "--nbd-tls-key", key])
    with nbd_disks.running(server.command, stderr=open(server.log, "ab")):
        nbd_disks.wait_until("varve is ready", server.is_ready, 60)
        assert f"warning: {certificate}: the certificate has expired" in server.said()
        assert "open to whoever reaches" in server.said()
