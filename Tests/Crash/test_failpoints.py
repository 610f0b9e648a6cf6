"""kill -9 at each named step of cut, seal, capture, upload, settle, hydrate, rollback, re-base, delete, reclaim, scrub, heal and key
rotation; half of the stories are about encrypted snapshots."""
import os
import random
import re

import nbd
import pytest

from server import ROOT, Refused
from stamps import SECTOR, read_all, stamp

# Reached only if a deletion overtakes an upload of a few hundred KiB.
RACES = {"cut.givenup", "delete-snapshot.cancelled"}
# Killed at by the unit tests of the control plane, with a clock that is moved by hand or several regions: CopyTests, RegionTests,
# BinCrashSerialTests, ImageCrashSerialTests, FastRestoreCrashSerialTests, PolicyYearSerialTests, UsageCrashSerialTests and
# PolicyDutyCrashSerialTests. Of snapshots written block by block: WritingCrashSerialTests.
# Of root volumes: RootCrashSerialTests.
ELSEWHERE = {
    "account.going", "account.removed", "archive.recorded", "archive.restored",
    "copy.begun", "copy.completed", "copy.looked", "copy.recorded", "copy.uploaded", "delete-snapshot.binned",
    "delete-snapshot.copy.cancelled", "delete-snapshot.write.cancelled", "delete-volume.binned", "policy.copied", "policy.copy.deleted", "policy.let-go",
    "policy.archived", "policy.image.copied", "policy.image.let-go", "policy.image.made", "policy.no-more-fast",
    "policy.restored-fast", "policy.unshared",
    "policy.planned", "write.begun", "write.completed", "write.finished", "write.put", "write.recorded", "write.uploaded",
    "usage.inherited.read", "usage.inherited.written", "usage.metered", "usage.metering", "usage.rolled",
    "fast.begun", "fast.recorded", "fast.removed", "fast.step", "fast.synced", "fast.whole",
    "root.attached", "root.exchanged", "root.failing", "root.made", "root.recorded", "root.withdrawn",
    "instance.disk", "image.available", "image.copied", "image.cut", "image.deregistered", "image.recorded",
}
SIZE = 4 << 20
SECTORS = SIZE // SECTOR


def failpoints():
    """Every name that the sources can die at."""
    names = set()
    for path in (ROOT / "Sources").rglob("*.swift"):
        names.update(re.findall(r'Failpoint\.hit\("([a-z.-]+)"\)', path.read_text()))
    assert ELSEWHERE <= names, ELSEWHERE - names
    return sorted(names - ELSEWHERE)


class Story:
    """What a careful user does, with a model of every disk. Each step can be repeated after the server died in it."""

    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.disks = {}       # volume -> list of stamps by sector, acknowledged
        self.snapshots = {}   # snapshot -> list of stamps
        self.sequence = 0
        self.wounded = None   # a snapshot whose pack was damaged, until a scrub has healed it

    def write(self, volume, count):
        handle = nbd.NBD()
        handle.connect_uri(self.server.varve("volume", "uri", volume))
        disk = self.disks[volume]
        for _ in range(count):
            length = self.random.choice([1, 3, 8, 16, 100])
            start = self.random.randrange(SECTORS - length)
            self.sequence += 1
            # Until it is acknowledged a write may be there or not: both stamps are right.
            before = disk[start:start + length]
            for s in range(start, start + length):
                disk[s] = disk[s] | {self.sequence}
            handle.pwrite(b"".join(stamp(s, self.sequence) for s in range(start, start + length)), start * SECTOR)
            disk[start:start + length] = [{self.sequence}] * length
            del before
        handle.flush()
        handle.shutdown()

    def check(self, uri, disk, what):
        image = read_all(uri)
        assert len(image) == SIZE
        for s in range(SECTORS):
            data = image[s * SECTOR:(s + 1) * SECTOR]
            assert any(data == stamp(s, value) for value in disk[s]), \
                f"{what}: sector {s} is none of writes {disk[s]}: {data[:16].hex()}"

    def check_all(self):
        for volume, disk in self.disks.items():
            self.check(self.server.varve("volume", "uri", volume), disk, volume)
        for snapshot, disk in list(self.snapshots.items()):
            record = self.server.wait_for_snapshot(snapshot)
            assert record["state"] == "completed", record
            self.check(self.server.varve("snapshot", "uri", snapshot), disk, snapshot)

    def snapshot(self, volume):
        ident = self.server.varve("snapshot", "create", volume)
        self.snapshots[ident] = list(self.disks[volume])
        return ident

    def run(self):
        server = self.server
        encrypted = ["--encrypted"] if self.random.random() < 0.5 else []
        one = server.varve("volume", "create", "--size", str(SIZE), *encrypted)
        self.disks[one] = [{0}] * SECTORS
        self.write(one, 40)
        first = self.snapshot(one)
        self.write(one, 40)
        second = self.snapshot(one)
        self.write(one, 40)
        server.wait_for_snapshot(first)
        server.wait_for_snapshot(second)
        clone = server.varve("volume", "create", "--size", str(SIZE), "--from-snapshot", second)
        self.disks[clone] = list(self.snapshots[second])
        self.write(clone, 20)
        third = self.snapshot(one)
        self.write(one, 20)
        server.wait_for_snapshot(third)
        server.varve("volume", "detach", one)
        before = self.disks[one]
        # While the rollback is under way the disk is one or the other.
        self.disks[one] = [a | b for a, b in zip(before, self.snapshots[first])]
        server.varve("volume", "rollback", one, first)
        self.disks[one] = list(self.snapshots[first])
        self.write(one, 20)
        del self.snapshots[first]
        server.varve("snapshot", "delete", first)
        del self.snapshots[third]
        server.varve("snapshot", "delete", third)
        newest = self.snapshot(one)
        server.varve("store", "reclaim", "--grace", "0s")
        self.more(one, newest)
        self.check_all()

    def more(self, one, newest):
        """A pending snapshot cancelled, a parent deleted, a clone of a volume, an import, a deletion, a larger disk."""
        server = self.server
        self.write(one, 20)
        cancelled = server.varve("snapshot", "create", one)
        self.write(one, 20)
        server.varve("snapshot", "delete", cancelled)
        server.wait_for_snapshot(newest)
        del self.snapshots[newest]
        server.varve("snapshot", "delete", newest)
        copy = server.varve("volume", "create", "--size", str(SIZE), "--from-volume", one)
        self.disks[copy] = list(self.disks[one])
        image = os.path.join(server.data, "image.raw")
        with open(image, "wb") as file:
            file.write(b"".join(stamp(s, 7) for s in range(SECTORS)))
        imported = server.varve("volume", "import", image)
        self.disks[imported] = [{7}] * SECTORS
        self.write(imported, 5)
        server.varve("volume", "detach", copy)
        del self.disks[copy]
        server.varve("volume", "delete", copy)
        grown = self.disks.pop(one)
        server.varve("volume", "resize", one, "--size", str(2 * SIZE))
        uri = server.varve("volume", "uri", one)
        handle = nbd.NBD()
        handle.connect_uri(uri)
        assert handle.get_size() == 2 * SIZE
        assert handle.pread(SIZE, SIZE) == bytes(SIZE)
        for s in range(0, SECTORS, 97):
            assert handle.pread(SECTOR, s * SECTOR) in [stamp(s, value) for value in grown[s]]
        handle.shutdown()
        self.look_after()
        self.roll_back_aside(imported)
        self.attach_to_hosts(imported)
        self.rotate()

    def attach_to_hosts(self, volume):
        """A disk on an instance, twice, that ends with it attached; and a policy that is run by hand."""
        server = self.server
        instance = server.varve("instance", "create")
        server.varve("volume", "detach", volume)
        server.varve("instance", "attach", instance, volume)
        server.varve("instance", "detach", instance, volume)
        server.varve("instance", "attach", instance, volume)
        self.write(volume, 5)
        server.varve("instance", "terminate", instance)
        policy = server.varve("policy", "create", "--name", "hourly", "--volume", volume, "--every", "1", "--keep", "1")
        server.varve("policy", "run", policy)
        server.varve("policy", "delete", policy)

    def rotate(self):
        """Two encrypted lineages get the other key, under a write."""
        server = self.server
        for _ in range(2):
            volume = server.varve("volume", "create", "--size", str(SIZE), "--key", server.keys[0])
            self.disks[volume] = [{0}] * SECTORS
            self.write(volume, 10)
            self.snapshot(volume)
        server.varve("key", "rotate", "--to", server.keys[1])
        self.write(volume, 10)
        self.snapshot(volume)
        server.varve("key", "rotate", "--to", server.keys[0], "--from", server.keys[1])

    def look_after(self):
        """A pack is damaged while the volume still holds the same; a scrub heals it."""
        volume = self.server.varve("volume", "create", "--size", str(SIZE))
        self.disks[volume] = [{0}] * SECTORS
        self.write(volume, 20)
        content = list(self.disks[volume])
        ident = self.server.varve("snapshot", "create", volume, "--wait")
        folder = os.path.join(self.server.data, "store/packs", ident)
        with open(os.path.join(folder, sorted(os.listdir(folder))[0]), "r+b") as pack:
            pack.seek(20)
            byte = pack.read(1)[0]
            pack.seek(20)
            pack.write(bytes([byte ^ 0x40]))
        self.wounded = ident
        self.scrub()
        self.snapshots[ident] = content

    def scrub(self):
        try:
            self.server.varve("store", "scrub", "--now")
        except Refused as refusal:
            if "degraded" not in str(refusal):
                raise
        assert "damage" not in self.server.show("snapshot", self.wounded)
        self.wounded = None

    def roll_back_aside(self, volume):
        """With the store away a snapshot stays pending, and the volume is rolled back to it."""
        server = self.server
        server.hide_store()
        pending = self.snapshot(volume)
        self.write(volume, 20)
        server.varve("volume", "detach", volume)
        before = self.disks[volume]
        self.disks[volume] = [a | b for a, b in zip(before, self.snapshots[pending])]
        server.varve("volume", "rollback", volume, pending)
        self.disks[volume] = list(self.snapshots[pending])
        self.write(volume, 20)
        server.show_store()


@pytest.mark.parametrize("name", failpoints())
def test_a_kill_at(server, name):
    deaths = 0
    for hit in (1, 2, 3):
        story = Story(server, f"{name}:{hit}")
        assert server.start(failpoint=f"{name}:{hit}") or server.died()
        if server.process.poll() is None:
            try:
                story.run()
            except (Refused, nbd.Error) as refusal:
                assert server.process.wait(timeout=30) is not None, refusal
        if not server.died():
            server.stop()
            break
        deaths += 1
        server.kill()
        server.show_store()
        assert server.start(), server.log_tail()
        if story.wounded:
            story.scrub()
        story.check_all()
        server.varve("store", "verify")
        # What the crash interrupted can be done again from the start, on the same data.
        server.stop()
    print(f"{name}: {deaths} deaths")
    assert deaths or name in RACES, f"the story never came to {name}: nothing was tested"
