"""Snapshots for which the host of an instance comes to rest, with a real file system that is written all the time."""

import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import pytest

needs_devices = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("fusermount3") or not os.path.exists("/dev/loop-control"),
    reason="devices need root, FUSE and loop")


class Writer:
    """Appends to a file, and makes others, as fast as the file system lets it."""

    def __init__(self, folder):
        self.folder, self.count, self.must_stop = pathlib.Path(folder), 0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with open(self.folder / "log", "a") as log:
            while not self.must_stop:
                log.write(f"{self.count}\n")
                log.flush()
                (self.folder / f"file-{self.count % 500}").write_text("x" * (self.count % 9000))
                self.count += 1

    def goes_on(self, seconds=5):
        before, end = self.count, time.monotonic() + seconds
        while time.monotonic() < end:
            if self.count > before + 10:
                return True
            time.sleep(0.02)
        return False

    def stop(self):
        self.must_stop = True
        self.thread.join()


class Host:
    def __init__(self, house, folder):
        self.house, self.folder = house, folder
        self.instance = house.varve("instance", "create")
        self.volume = house.varve("volume", "create", "--size", "128MiB")
        house.varve("instance", "attach", self.instance, self.volume)
        self.processes = []
        connect = self.start("connect", self.instance, "--folder", str(folder / "hosts"))
        self.device = connect.stdout.readline().split()[-1]
        subprocess.run(["mkfs.ext4", "-q", self.device], check=True)
        self.mount = folder / "mnt"
        self.mount.mkdir()
        subprocess.run(["mount", self.device, self.mount], check=True)
        self.writer = Writer(self.mount)

    def start(self, *words):
        process = subprocess.Popen(
            [os.environ["VARVE_BINARY"], "instance", *words], stdout=subprocess.PIPE, text=True,
            env=self.house.environment())
        self.processes.append(process)
        return process

    def quiesce(self, *more):
        agent = self.start("quiesce", self.instance, *more)
        assert agent.stdout.readline() == f"{self.instance} comes to rest when a snapshot asks for it\n"
        return agent

    def program(self, name, text):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def needs_recovery(self, snapshot):
        """Has the file system in the snapshot a journal to be replayed? And is it whole?"""
        image = self.folder / "image"
        self.house.varve("snapshot", "export", snapshot, str(image))
        told = subprocess.run(["dumpe2fs", "-h", image], capture_output=True, text=True, check=True).stdout
        if "needs_recovery" not in told:
            assert subprocess.run(["e2fsck", "-fn", image], capture_output=True).returncode == 0
        image.unlink()
        return "needs_recovery" in told

    def close(self):
        self.writer.stop()
        subprocess.run(["umount", self.mount], check=True)
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=60)


@pytest.fixture
def house(fresh):
    return fresh.start()


@pytest.fixture
def host(house, tmp_path):
    host = Host(house, tmp_path)
    yield host
    host.close()


@needs_devices
def test_the_file_systems_in_the_snapshot_need_no_repair(host):
    agent = host.quiesce("--freeze", str(host.mount))
    assert host.needs_recovery(host.house.snapshot(host.volume)), "the writer was too slow to prove anything"
    snapshot = host.house.varve("snapshot", "create", host.volume, "--wait", "--quiesce", "--at-least", "file-system")
    assert agent.stdout.readline() == "rests: the file systems\n"
    assert agent.stdout.readline() == "goes on\n"
    assert host.writer.goes_on()
    assert not host.needs_recovery(snapshot)
    assert host.house.show("snapshot", snapshot)["consistency"] == "fileSystem"
    assert "the file systems" in host.house.varve("snapshot", "show", snapshot)
    assert "it came to fileSystem" in host.house.refused(
        "snapshot", "create", host.volume, "--quiesce", "--at-least", "application")
    assert host.writer.goes_on()


@needs_devices
def test_programs_run_around_the_cut(host):
    said = host.folder / "said"
    agent = host.quiesce(
        "--before", host.program("before", f"echo before >> {said}"),
        "--after", host.program("after", f"echo after >> {said}"), "--freeze", str(host.mount))
    snapshot = host.house.varve(
        "snapshot", "create", host.volume, "--wait", "--quiesce", "--at-least", "application")
    assert agent.stdout.readline() == "rests: the applications\n"
    assert agent.stdout.readline() == "goes on\n"
    assert said.read_text() == "before\nafter\n"
    assert not host.needs_recovery(snapshot)
    assert host.writer.goes_on()


@needs_devices
def test_a_program_that_fails_leaves_the_file_systems(host):
    agent = host.quiesce("--before", host.program("before", "exit 3"), "--freeze", str(host.mount))
    snapshot = host.house.varve("snapshot", "create", host.volume, "--wait", "--quiesce")
    assert agent.stdout.readline() == "rests: the file systems\n"
    assert not host.needs_recovery(snapshot)
    assert host.writer.goes_on()


@needs_devices
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_the_host_goes_on_whatever_becomes_of_the_agent(host, sign):
    """Ended while its program runs: then the file system is frozen after its end, and must thaw all the same."""
    begun = host.folder / "begun"
    agent = host.quiesce(
        "--before", host.program("before", f"touch {begun}; sleep 1"), "--freeze", str(host.mount))
    taking = subprocess.Popen(
        [os.environ["VARVE_BINARY"], "snapshot", "create", host.volume, "--quiesce", "--quiesce-seconds", "60"],
        env=host.house.environment(), stdout=subprocess.DEVNULL)
    while not begun.exists():
        time.sleep(0.01)
    agent.send_signal(sign)
    agent.wait(timeout=20)
    time.sleep(1.5)
    assert host.writer.goes_on()
    assert subprocess.run(["fsfreeze", "--unfreeze", host.mount], capture_output=True).returncode != 0, "it was frozen"
    taking.kill()
    taking.wait()


@needs_devices
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_promise_is_kept_or_taken_back(host, sign):
    """The host rests already while another one still comes to it: then its agent ends."""
    house = host.house
    other, volume = house.varve("instance", "create"), house.volume("1MiB")
    house.varve("instance", "attach", other, volume)
    agent = host.quiesce("--freeze", str(host.mount))
    slow = host.start("quiesce", other, "--before", host.program("slow", "sleep 4"))
    slow.stdout.readline()
    taking = subprocess.Popen(
        [os.environ["VARVE_BINARY"], "snapshot", "create", host.volume, volume, "--group", "--quiesce",
         "--quiesce-seconds", "8"], env=house.environment(), stdout=subprocess.PIPE, text=True)
    assert agent.stdout.readline() == "rests: the file systems\n"
    time.sleep(0.5)
    agent.send_signal(sign)
    agent.wait(timeout=20)
    if sign == signal.SIGKILL:
        assert not host.writer.goes_on(1), "the server counts on it"
        assert host.writer.goes_on(12)
    else:
        # Long before the eight seconds are over.
        assert host.writer.goes_on(4)
    snapshots = [house.show("snapshot", one) for one in taking.communicate(timeout=60)[0].split()]
    found = {one["volumeId"]: one.get("consistency") for one in snapshots}
    assert found == {host.volume: "fileSystem" if sign == signal.SIGKILL else None, volume: "application"}
    for one in snapshots:
        house.varve("snapshot", "watch", one["id"])
    if sign == signal.SIGKILL:
        assert not host.needs_recovery(next(one["id"] for one in snapshots if one["volumeId"] == host.volume))


def test_an_agent_finds_its_server_again(house):
    instance, volume = house.varve("instance", "create"), house.volume("1MiB")
    house.varve("instance", "attach", instance, volume)
    agent = subprocess.Popen(
        [os.environ["VARVE_BINARY"], "instance", "quiesce", instance, "--before", shutil.which("true")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=house.environment())
    try:
        agent.stdout.readline()
        house.stop()
        assert "asking again" in agent.stderr.readline()
        house.start()
        wanted = ["snapshot", "create", volume, "--quiesce", "--at-least", "application"]
        deadline = time.monotonic() + 30
        while house.run(*wanted).code != 0:
            assert time.monotonic() < deadline, house.run(*wanted)
            time.sleep(0.2)
        assert agent.stdout.readline() == "rests: the applications\n"
        house.varve("instance", "terminate", instance)
        assert agent.wait(timeout=20) == 1 and "was terminated" in agent.stderr.read()
    finally:
        agent.kill()
        agent.wait()


def test_what_cannot_be_is_said_at_once(house):
    instance = house.varve("instance", "create")
    assert "--freeze or --before" in house.refused("instance", "quiesce", instance, code=2)
    assert "/nowhere" in house.refused("instance", "quiesce", instance, "--freeze", "/nowhere")
    assert "/nowhere" in house.refused("instance", "quiesce", instance, "--before", "/nowhere")
    assert "there is no instance" in house.refused("instance", "quiesce", "i-00000000000000000", "--freeze", "/")
    volume = house.volume("1MiB")
    assert "--quiesce" in house.refused("snapshot", "create", volume, "--at-least", "application", code=2)
