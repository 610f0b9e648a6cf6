"""The server as a process: start, stop, restart, what it refuses to start on."""
import os
import json
import pathlib
import random
import shutil
import signal
import stat
import subprocess

import pytest

from house import BINARY, House, MIB, free_port, wait_until


def ends(house, limit=30):
    """Starts a server that must end by itself; returns its exit code and what it said."""
    house.launch()
    code = house.process.wait(limit)
    house.process = None
    return code, house.said()


def test_sigterm_stops_cleanly_and_a_restart_keeps_everything(fresh):
    house = fresh.start()
    content = random.Random(2).randbytes(2 * MIB)
    volume = house.volume("8MiB", "--name", "kept")
    house.write(volume, 4096, content)
    snapshot = house.snapshot(volume)
    house.write(volume, 0, b"\x07" * 4096)
    uri = house.varve("volume", "uri", volume)
    house.stop()
    house.start()
    shown = house.show("volume", volume)
    assert shown["name"] == "kept" and shown["state"] == "in-use" and shown["uri"] == uri
    assert shown["dirtyBytes"] == 4096 and shown["parentSnapshotId"] == snapshot
    assert house.read("volume", volume, 0, 4096 + 2 * MIB) == b"\x07" * 4096 + content
    assert house.read("snapshot", snapshot, 4096, 2 * MIB) == content


def test_sigkill_loses_nothing_that_was_acknowledged(fresh):
    house = fresh.start()
    volume = house.volume("8MiB")
    handle = house.open("volume", volume)
    content = os.urandom(MIB)
    handle.pwrite(content, 4096)
    snapshot = house.varve("snapshot", "create", volume)
    house.kill()
    house.start()
    assert house.read("volume", volume, 4096, MIB) == content
    wait_until(lambda: house.show("snapshot", snapshot)["state"] == "completed")
    assert house.read("snapshot", snapshot, 4096, MIB) == content


def test_a_second_server_on_one_data_directory_is_refused(fresh):
    house = fresh.start()
    volume = house.volume("1MiB")
    house.write(volume, 0, b"\x01" * 4096)
    second = House(data=house.data)
    second.log = house.data + ".second.log"
    try:
        code, said = ends(second)
        assert code == 1 and house.data in said, said
        assert "Fatal error" not in said
        assert house.read("volume", volume, 0, 4096) == b"\x01" * 4096, "the first one is not disturbed"
    finally:
        os.remove(second.log)


def test_a_port_that_is_taken_is_refused_and_the_directory_is_free_again(fresh):
    other = House().start()
    try:
        fresh.port = other.port
        code, said = ends(fresh)
        assert code == 1 and str(other.port) in said, said
    finally:
        other.remove()
    fresh.start()


def test_credentials_are_private(fresh):
    house = fresh.start()
    mode = stat.S_IMODE(os.stat(house.data + "/root-credentials").st_mode)
    assert mode == 0o600
    secret = open(house.data + "/root-credentials").read().split("aws_secret_access_key =")[1].strip()
    house.volume("1MiB")
    assert secret not in house.said()


def test_a_data_directory_that_is_a_file(fresh, tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    house = House(data=str(path))
    code, said = ends(house)
    assert code == 1 and str(path) in said, said


def test_a_corrupt_volume_is_quarantined_and_the_others_serve(fresh):
    house = fresh.start()
    good, bad = house.volume("1MiB"), house.volume("1MiB")
    house.write(good, 0, b"\x05" * 4096)
    house.stop()
    record = next(pathlib.Path(house.data, "volumes", bad).glob("volume.json"))
    record.write_text('{"format":')
    house.start()
    shown = house.show("volume", bad)
    assert shown["state"] == "quarantined" and shown["reason"], shown
    house.refused("volume", "uri", bad)
    house.refused("snapshot", "create", bad)
    assert house.read("volume", good, 0, 4096) == b"\x05" * 4096


def crc32c(content):
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def test_a_volume_from_a_newer_version_is_quarantined(fresh):
    """The record of docs/formats.md: JSON, a line end, and the JSON's checksum."""
    house = fresh.start()
    volume = house.volume("1MiB")
    house.stop()
    path = pathlib.Path(house.data, "volumes", volume, "volume.json")
    content, mark = path.read_bytes()[:-17], path.read_bytes()[-17:]
    assert mark == b"\ncrc32c %08x\n" % crc32c(content)
    newer = json.dumps(dict(json.loads(content), format=999)).encode()
    path.write_bytes(newer + b"\ncrc32c %08x\n" % crc32c(newer))
    house.start()
    shown = house.show("volume", volume)
    assert shown["state"] == "quarantined" and "999" in shown["reason"], shown


@pytest.mark.parametrize("name", ["volume.json", "home.img", "maps"])
def test_a_volume_that_lost_a_file_is_quarantined(fresh, name):
    house = fresh.start()
    volume, other = house.volume("1MiB"), house.volume("1MiB")
    house.write(volume, 0, b"\x01" * 4096)
    house.write(other, 0, b"\x02" * 4096)
    house.stop()
    path = pathlib.Path(house.data, "volumes", volume, name)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    house.start()
    shown = house.show("volume", volume)
    assert shown["state"] == "quarantined" and shown["reason"], shown
    assert house.read("volume", other, 0, 4096) == b"\x02" * 4096


@pytest.mark.parametrize("name", ["catalog.sqlite", "root-credentials"])
def test_a_broken_file_of_the_house_is_named(fresh, name):
    house = fresh.start()
    house.stop()
    path = pathlib.Path(house.data, name)
    path.write_bytes(b"\x00garbage" * 1000)
    for beside in pathlib.Path(house.data).glob(name + "-*"):
        beside.unlink()
    code, said = ends(house)
    assert code == 1 and name.split(".")[0] in said, said


def test_a_store_elsewhere(fresh, tmp_path):
    fresh.options = ["--store", f"dir://{tmp_path}/elsewhere"]
    house = fresh.start()
    snapshot = house.snapshot(house.volume("1MiB"))
    assert any((tmp_path / "elsewhere").rglob("*"))
    house.stop()
    house.options = []
    house.start()
    assert house.show("snapshot", snapshot)["state"] == "completed"
    assert str(tmp_path) in house.json("store", "status")["location"]


def test_tcp_beyond_this_machine_needs_a_word(fresh):
    fresh.options = ["--nbd-listen", "tcp://0.0.0.0:0"]
    code, said = ends(fresh)
    assert code == 2 and "--insecure" in said, said


def test_disks_over_tcp(fresh):
    port = free_port()
    fresh.options = ["--nbd-listen", f"tcp://127.0.0.1:{port}"]
    house = fresh.start()
    volume = house.volume("1MiB")
    house.varve("volume", "attach", volume)
    size = subprocess.run(
        ["nbdinfo", "--size", f"nbd://127.0.0.1:{port}/{volume}"], capture_output=True, text=True).stdout
    assert size.strip() == str(MIB)


def test_a_long_data_directory_gets_a_short_socket(tmp_path):
    house = House(data=str(tmp_path / ("long" * 40)))
    try:
        house.start()
        volume = house.volume("1MiB")
        house.write(volume, 0, b"\x09" * 512)
        uri = house.varve("volume", "uri", volume)
        assert "longer than" in house.said()
        house.stop()
        house.start()
        assert house.varve("volume", "uri", volume) == uri
        shutil.rmtree(pathlib.Path(uri.split("socket=")[1]).parent)
    finally:
        house.remove()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to become somebody else")
def test_a_read_only_store(fresh, tmp_path):
    """Snapshots wait and say why; disks go on; once the store can be written the snapshot completes."""
    store = pathlib.Path(fresh.data) / "elsewhere"
    store.mkdir()
    os.chmod(fresh.data, 0o755)
    for path in [pathlib.Path(fresh.data), store]:
        os.chown(path, 65534, 65534)
    fresh.wrap = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    fresh.options = ["--store", f"dir://{store}"]
    house = fresh.start()
    volume = house.volume("1MiB")
    house.snapshot(volume)
    folders = [store, *[path for path in store.rglob("*") if path.is_dir()]]
    for folder in folders:
        os.chown(folder, 0, 0)
        os.chmod(folder, 0o555)
    house.write(volume, 0, os.urandom(4096))
    snapshot = house.varve("snapshot", "create", volume)
    shown = wait_until(
        lambda: (lambda one: one if one.get("reason") else None)(house.show("snapshot", snapshot)),
        message="no reason was shown")
    assert shown["state"] in ("pending", "error")
    house.write(volume, 8192, os.urandom(4096))
    for folder in folders:
        os.chown(folder, 65534, 65534)
        os.chmod(folder, 0o755)
    if shown["state"] == "pending":
        wait_until(lambda: house.show("snapshot", snapshot)["state"] == "completed", limit=90)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MiB, and how to make it larger."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place, lambda: subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_store(fresh, small_disk):
    """Snapshots wait and say why; disks go on; once there is room the snapshot completes, and nothing else was lost."""
    place, enlarge = small_disk
    fresh.options = ["--store", f"dir://{place}/store"]
    house = fresh.start()
    volume = house.volume("32MiB")
    house.write(volume, 0, os.urandom(MIB))
    first = house.snapshot(volume)
    content = os.urandom(20 * MIB)
    house.write(volume, 0, content)
    snapshot = house.varve("snapshot", "create", volume)
    shown = wait_until(
        lambda: (lambda one: one if one.get("reason") else None)(house.show("snapshot", snapshot)),
        message="no reason was shown")
    assert shown["state"] == "pending" and "is full" in shown["reason"], shown
    house.write(volume, 0, b"later" * 1000 + bytes(72))
    house.varve("store", "verify")
    enlarge()
    wait_until(lambda: house.show("snapshot", snapshot)["state"] == "completed", limit=90)
    assert house.read("snapshot", snapshot, 0, 20 * MIB) == content
    house.varve("snapshot", "verify", first)
    house.stop()
