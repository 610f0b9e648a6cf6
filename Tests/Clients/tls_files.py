"""Certificates and shared keys for tests, made with the openssl command."""
import os
import subprocess

CONFIGURATION = """
[ca]
default_ca = here
[here]
database = index
serial = serial
new_certs_dir = .
policy = any
default_md = sha256
unique_subject = no
[any]
commonName = supplied
"""


def openssl(folder, *words):
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(words)}: {done.stderr}"


EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    """One authority in a folder: its certificate, and what it signs."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.certificate = self.folder / "ca-cert.pem"
        openssl(self.folder, "req", "-x509", *EC, "-subj", f"/CN={name}", "-days", "30", "-addext",
                "keyUsage=critical,keyCertSign", "-keyout", "ca-key.pem", "-out", "ca-cert.pem")
        for file, text in [("index", ""), ("serial", "01\n"), ("configuration", CONFIGURATION),
                           ("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")]:
            (self.folder / file).write_text(text)

    def sign(self, name, start="20200101000000Z", end="21200101000000Z"):
        """Makes NAME-cert.pem and NAME-key.pem; returns their paths."""
        openssl(self.folder, "req", *EC, "-subj", f"/CN={name}", "-keyout", f"{name}-key.pem", "-out", f"{name}.csr")
        openssl(self.folder, "ca", "-batch", "-config", "configuration", "-cert", "ca-cert.pem", "-keyfile", "ca-key.pem",
                "-in", f"{name}.csr", "-out", f"{name}-cert.pem", "-notext", "-startdate", start, "-enddate", end,
                "-extfile", "names")
        return self.folder / f"{name}-cert.pem", self.folder / f"{name}-key.pem"


def client_folder(folder, authority, pair=None):
    """A directory as NBD clients want it: the authority, and a certificate with its key if there is one."""
    folder.mkdir()
    os.symlink(authority.certificate, folder / "ca-cert.pem")
    if pair:
        os.symlink(pair[0], folder / "client-cert.pem")
        os.symlink(pair[1], folder / "client-key.pem")
    return folder


def shared_key(folder, user="alice", byte="5c"):
    """A directory with keys.psk, which names one user."""
    folder.mkdir()
    (folder / "keys.psk").write_text(f"{user}:{byte * 32}\n")
    return folder
