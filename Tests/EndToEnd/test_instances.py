"""Instances: disks that are attached, devices made of them on their host, and what goes with an instance."""
import os
import re
import shutil
import subprocess
import time

import pytest


@pytest.fixture
def host(fresh):
    house = fresh.start()
    return house, house.varve("instance", "create", "--kind", "database")


def test_a_disk_is_attached_under_a_name_and_a_socket_of_its_own(host):
    house, instance = host
    volume = house.varve("volume", "create", "--size", "1MiB")
    socket = house.varve("instance", "attach", instance, volume, "--device", "/dev/sdf")
    assert socket == f"{house.data}/exports/{instance}/sdf.sock"
    size = subprocess.run(["nbdinfo", "--size", f"nbd+unix:///?socket={socket}"], capture_output=True, text=True, check=True)
    assert size.stdout.strip() == str(1 << 20)
    listed = subprocess.run(["nbdinfo", "--list", f"nbd+unix:///?socket={socket}"], capture_output=True, text=True, check=True)
    assert re.findall(r'export="(.*)":', listed.stdout) == [volume]
    shown = house.varve("instance", "show", instance)
    assert "/dev/sdf" in shown and volume in shown
    other = house.varve("volume", "create", "--size", "1MiB")
    assert "in use" in house.refused("instance", "attach", instance, other, "--device", "xvdf")
    house.varve("instance", "detach", instance, volume)
    assert not os.path.exists(socket)
    house.varve("instance", "attach", instance, other, "--goes-with-instance")
    house.varve("instance", "terminate", instance)
    assert [one["id"] for one in house.volumes()] == [volume]
    assert "terminated" in house.varve("instance", "list")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("fusermount3") or not os.path.exists("/dev/loop-control"),
                    reason="devices need root, FUSE and loop")
def test_its_host_gets_a_device_for_each_disk(host, tmp_path):
    house, instance = host
    volume = house.varve("volume", "create", "--size", "64MiB")
    house.varve("instance", "attach", instance, volume)
    agent = subprocess.Popen(
        [os.environ["VARVE_BINARY"], "instance", "connect", instance, "--folder", str(tmp_path / "hosts")],
        stdout=subprocess.PIPE, text=True, env=house.environment())
    try:
        line = agent.stdout.readline()
        found = re.fullmatch(rf"/dev/sdf \({volume}\) is (/dev/loop\d+)\n", line)
        assert found, line
        device = found.group(1)
        subprocess.run(["mkfs.ext4", "-q", device], check=True)
        mount = tmp_path / "mnt"
        mount.mkdir()
        subprocess.run(["mount", device, mount], check=True)
        (mount / "file").write_bytes(b"kept" * 100_000)
        subprocess.run(["umount", mount], check=True)
        snapshot = house.snapshot(volume)
        house.varve("instance", "detach", instance, volume)
        assert agent.stdout.readline() == f"/dev/sdf is gone from {device}\n"
        restored = house.varve("volume", "create", "--from-snapshot", snapshot)
        house.varve("instance", "attach", instance, restored, "--device", "/dev/sdg")
        device = agent.stdout.readline().split()[-1]
        subprocess.run(["mount", "-o", "ro", device, mount], check=True)
        try:
            assert (mount / "file").read_bytes() == b"kept" * 100_000
        finally:
            subprocess.run(["umount", mount], check=True)
    finally:
        agent.terminate()
        agent.wait(timeout=20)
    assert "gone" in agent.stdout.read()
    time.sleep(0.1)
    assert device not in subprocess.run(["losetup", "-l", "-n", "-O", "NAME"], capture_output=True, text=True).stdout.split()
