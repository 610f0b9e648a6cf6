"""Encrypted snapshots from the command line: keys, refusals, rotation, and a restore with nothing but the store and the key."""
import os
import pathlib
import random
import subprocess
import sys

import pytest

from house import BINARY, House, MIB, ROOT, wait_until

CONTENT = random.Random(13).randbytes(2 * MIB) + (b"nobody may read this " * 40_000)[:200 * 4096]


@pytest.fixture
def keys(tmp_path):
    """Two key files and a passphrase file, and the keys' ids."""
    def new(name):
        path = tmp_path / name
        done = subprocess.run([BINARY, "key", "new", str(path)], capture_output=True, text=True, check=True)
        assert path.stat().st_mode & 0o777 == 0o600
        return str(path), done.stdout.strip()
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery\n")
    phrase.chmod(0o600)
    return new("one"), new("two"), str(phrase)


def served(house, *files):
    """Starts it again with these key files."""
    house.stop()
    house.options = list(files)
    return house.start()


def everything(house):
    store = pathlib.Path(house.data) / "store"
    return b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())


def test_the_whole_story(fresh, keys, tmp_path):
    (one, one_id), (two, two_id), phrase = keys
    house = fresh
    house.options = ["--key-file", one]
    house.start()
    volume = house.volume("16MiB", "--encrypted")
    plain = house.volume("16MiB")
    house.write(volume, 0, CONTENT)
    house.write(plain, 0, b"p" * MIB)
    first = house.snapshot(volume)
    shown = house.show("snapshot", first)
    assert shown["encrypted"] is True and shown["keyId"] == one_id
    assert one_id in house.varve("volume", "show", volume) and one_id in house.varve("key", "list")
    assert house.show("volume", plain)["encrypted"] is False
    assert b"nobody may read this" not in everything(house)
    assert one_id in house.json("key", "list")["keys"][0]["id"]
    secret = pathlib.Path(one).read_text().strip()

    # Without the key, and with another: the disk serves, its snapshot waits and says why, others are completed.
    for files in ([], ["--key-file", two]):
        served(house, *files)
        assert house.read("volume", volume, 0, len(CONTENT)) == CONTENT
        waiting = house.varve("snapshot", "create", volume)
        wait_until(lambda: one_id in house.show("snapshot", waiting).get("reason", ""))
        house.snapshot(plain)
        assert one_id in house.refused("volume", "create", "--from-snapshot", first)
        assert "encrypted with a key that is not here" in house.run("store", "verify").err
        house.varve("snapshot", "delete", waiting)

    # A new key, beside the old one and then alone.
    served(house, "--key-file", one, "--key-file", two)
    assert two_id in house.run("key", "rotate", "--to", two_id, "--from", one_id).err
    served(house, "--key-file", two)
    copy = house.volume("16MiB", "--from-snapshot", first)
    assert house.read("volume", copy, 0, len(CONTENT)) == CONTENT
    assert house.show("volume", copy)["keyId"] == two_id

    # A passphrase instead.
    served(house, "--key-file", two, "--passphrase-file", phrase)
    house.varve("key", "rotate", "--to", "new-passphrase")
    served(house, "--passphrase-file", phrase)
    second = house.snapshot(volume)
    assert house.varve("store", "verify") == ""
    assert secret not in house.said() and "correct horse" not in house.said()
    house.stop()

    # The store and the passphrase alone: by varve, and by a reader that only knows the documents.
    again = House(data=str(tmp_path / "again"), options=["--passphrase-file", phrase])
    done = again.run("store", "recover", "--data", again.data, "--store", house.data + "/store")
    assert done.code == 0, done
    again.start()
    restored = again.volume("16MiB", "--from-snapshot", second)
    assert again.read("volume", restored, 0, len(CONTENT)) == CONTENT
    again.stop()
    again.remove()
    target = tmp_path / "image"
    reader = [sys.executable, str(ROOT / "Tests/Independent/restore.py"), house.data + "/store", second, str(target)]
    subprocess.run([*reader, "--passphrase-file", phrase], check=True)
    assert target.read_bytes()[:len(CONTENT)] == CONTENT
    assert subprocess.run([*reader, "--key-file", one], capture_output=True).returncode == 1


def test_slips_are_told(fresh, keys):
    (one, one_id), _, phrase = keys
    house = fresh.start()
    assert "--key-file" in house.refused("volume", "create", "--size", "16MiB", "--encrypted")
    assert one_id in house.refused("volume", "create", "--size", "16MiB", "--key", one_id)
    assert "no key id" in house.refused("volume", "create", "--size", "16MiB", "--key", "mine")
    assert one_id in house.refused("key", "rotate", "--to", one_id)
    assert "exists already" in house.refused("key", "new", one)
    house.stop()
    for path in (one, phrase):
        os.chmod(path, 0o644)
        option = "--key-file" if path == one else "--passphrase-file"
        said = house.refused("serve", "--data", house.data, "--listen", f"127.0.0.1:{house.port}", option, path)
        assert path in said and "0644" in said and "chmod 600" in said
