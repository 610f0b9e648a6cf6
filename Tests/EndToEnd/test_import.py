"""Images in."""
import os
import random
import signal
import subprocess
import time

import pytest

from house import BINARY, MIB, wait_until


@pytest.fixture
def raw(tmp_path):
    """A sparse image of 24 MiB with random content here and there."""
    path, seed = tmp_path / "disk.raw", random.Random(9)
    with open(path, "wb") as out:
        out.truncate(24 * MIB)
        for offset in [0, 5 * MIB + 512, 9 * MIB, 24 * MIB - 4096]:
            out.seek(offset)
            out.write(seed.randbytes(4096))
        out.seek(12 * MIB)
        out.write(seed.randbytes(5 * MIB))
    return path


def same(house, volume, image):
    uri = house.varve("volume", "uri", volume)
    done = subprocess.run(
        ["qemu-img", "compare", "-f", "raw", "-F", "raw", image, uri], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_raw_image_becomes_a_volume(house, raw):
    outcome = house.run("volume", "import", raw, "--name", "imported")
    assert outcome.code == 0 and outcome.err == "", repr(outcome)
    volume = outcome.out.strip()
    shown = house.show("volume", volume)
    assert shown["state"] == "available" and shown["name"] == "imported" and shown["sizeBytes"] == 24 * MIB
    assert shown["allocatedBytes"] < 12 * MIB, "holes take no space"
    same(house, volume, raw)


def test_a_qcow2_image_becomes_a_volume(house, raw, tmp_path):
    image = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, image], check=True)
    volume = house.varve("volume", "import", image)
    assert house.show("volume", volume)["state"] == "available"
    same(house, volume, raw)


def test_an_image_with_random_size_parts(house, tmp_path):
    image, seed = tmp_path / "odd.raw", random.Random(11)
    image.write_bytes(seed.randbytes(7 * MIB + 512 * 3))
    same(house, house.varve("volume", "import", image), image)


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_a_volume_becomes_an_image(house, raw, tmp_path, form):
    volume, image = house.varve("volume", "import", raw), tmp_path / "out.img"
    house.varve("volume", "attach", volume)
    assert "attached" in house.refused("volume", "export", volume, image)
    house.varve("volume", "detach", volume)
    house.varve("volume", "export", volume, image, "--format", form)
    compared = subprocess.run(
        ["qemu-img", "compare", "-f", form, "-F", "raw", image, raw], capture_output=True, text=True)
    assert compared.returncode == 0, compared.stdout
    assert house.show("volume", volume)["state"] == "available"


def bad_images(folder):
    """Name -> how it is made; each must be refused."""
    (folder / "empty").write_bytes(b"")
    (folder / "odd-size").write_bytes(b"hello\n")
    (folder / "broken.qcow2").write_bytes(b"QFI\xfb" + b"\xff" * 1020)
    (folder / "short.qcow2").write_bytes(b"QFI\xfb\x00\x00\x00\x03")
    (folder / "packed.gz").write_bytes(b"\x1f\x8b\x08" + bytes(509))
    (folder / "folder").mkdir()
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "base.qcow2", "1M"], check=True, cwd=folder)
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "overlay.qcow2"], check=True,
        cwd=folder)


@pytest.mark.parametrize(
    "name", ["empty", "odd-size", "broken.qcow2", "short.qcow2", "packed.gz", "folder", "overlay.qcow2", "not-there"])
def test_what_is_no_image_is_refused_and_leaves_nothing(house, tmp_path, name):
    bad_images(tmp_path)
    before = house.volumes()
    error = house.refused("volume", "import", tmp_path / name)
    assert name in error
    assert house.volumes() == before


def test_a_missing_format_is_a_wrong_use(house, raw):
    house.refused("volume", "import", raw, "--format", "vmdk", code=2)
    house.refused("volume", "import", raw, "--format", "qcow2")


def test_without_qemu_img_the_error_says_what_to_install(house, raw, tmp_path):
    image = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, image], check=True)
    outcome = house.run("volume", "import", image, env=dict(house.environment(), PATH="/nowhere"))
    assert outcome.code == 1 and "qemu-utils" in outcome.err


def test_an_interrupted_import_leaves_nothing(house, tmp_path):
    image = tmp_path / "large.raw"
    with open(image, "wb") as out:
        for _ in range(400):
            out.write(os.urandom(MIB))
    before = house.volumes()
    importing = subprocess.Popen([BINARY, "volume", "import", image], env=house.environment(), stderr=subprocess.PIPE)
    wait_until(lambda: len(house.volumes()) > len(before) or importing.poll() is not None)
    importing.send_signal(signal.SIGINT)
    importing.wait(60)
    if importing.returncode == 0:
        pytest.skip("the import was done before it could be interrupted")
    assert importing.returncode == 1
    assert house.volumes() == before


def test_an_import_whose_client_died_is_deleted_at_the_next_start(fresh, tmp_path):
    house = fresh.start()
    image = tmp_path / "large.raw"
    with open(image, "wb") as out:
        for _ in range(200):
            out.write(os.urandom(MIB))
    importing = subprocess.Popen([BINARY, "volume", "import", image], env=house.environment())
    wait_until(lambda: house.volumes() or importing.poll() is not None)
    importing.kill()
    importing.wait()
    if any(volume["state"] == "available" for volume in house.volumes()):
        pytest.skip("the import was done before it could be killed")
    house.stop()
    house.start()
    assert house.volumes() == []
