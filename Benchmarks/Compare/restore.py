#!/usr/bin/env python3
"""P7: restoring a snapshot of a real ext4 disk: the first byte, and all of it, against `restic restore`.
P8: how soon a clone and a rollback are usable, on that disk and on a sparse one of 64 TiB.

Times are those of whole commands, so the client's start (printed first) is in them, but for P7's first byte: that is what a
guest waits for on a volume just made from the snapshot. The store is a directory and its objects are in the page cache, as
the peer's are. A restore is over when no block is missing any more and all of them are durable; restic leaves that to the
kernel, so its time is shown as it is and with a sync of what it restored.
"""
import json
import os
import random
import shutil
import statistics
import time

import nbd

from load import spread
from snapshots import Restic, make_image, timed as run_timed
from varve_server import Varve, scratch

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
BLOCK = 4096


def timed(varve, *words):
    start = time.monotonic()
    answer = varve(*words)
    return time.monotonic() - start, answer


def connected(uri):
    handle = nbd.NBD()
    handle.connect_uri(uri)
    return handle


def first_byte(varve, volume, blocks):
    handle = connected(varve("volume", "uri", volume))
    start = time.monotonic()
    handle.pread(BLOCK, random.choice(blocks) * BLOCK)
    took = time.monotonic() - start
    handle.shutdown()
    return took


def whole(varve, snapshot):
    start = time.monotonic()
    volume = varve("volume", "create", "--from-snapshot", snapshot, "--wait")
    return time.monotonic() - start, volume


def synced(folder):
    """Seconds until every file below is on the disk."""
    start = time.monotonic()
    for at, _, names in os.walk(folder):
        for name in names:
            fd = os.open(os.path.join(at, name), os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
    return time.monotonic() - start


def gone(varve, volume):
    varve("volume", "detach", volume)
    varve("volume", "delete", volume)


def written_blocks(image):
    """Blocks that are data in the image file, a sample."""
    found, at, fd = [], 0, os.open(image, os.O_RDONLY)
    size = os.fstat(fd).st_size
    while at < size and len(found) < 10000:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        found.append(at // BLOCK)
        at = os.lseek(fd, at, os.SEEK_HOLE)
    os.close(fd)
    return found


def restores(varve, image, results):
    volume = varve("volume", "import", image)
    snapshot = varve("snapshot", "create", volume, "--wait")
    blocks = written_blocks(image)
    restic = Restic(image)
    restic.snapshot()
    results.update(usable=[], first=[], varve=[], restic=[], durable=[])
    for number in range(ROUNDS):
        start = time.monotonic()
        made = varve("volume", "create", "--from-snapshot", snapshot)
        results["first"].append(first_byte(varve, made, blocks))
        results["usable"].append(time.monotonic() - start)
        gone(varve, made)
        for side in ("varve", "restic") if number % 2 == 0 else ("restic", "varve"):
            if side == "varve":
                took, made = whole(varve, snapshot)
                varve("volume", "delete", made)
            else:
                target = scratch("restored")
                took = run_timed(["restic", "-r", restic.repository, "restore", "latest", "--target", target], env=restic.env)
                results["durable"].append(took + synced(target))
                shutil.rmtree(target)
            results[side].append(took)
    restic.close()
    ratio, durably = ([a / b for a, b in zip(results[side], results["varve"])] for side in ("restic", "durable"))
    print(f"P7: first byte {spread([1000 * t for t in results['first']], 1)} ms after connecting, "
          f"{spread([1000 * t for t in results['usable']], 0)} ms after asking (two commands); all of it: varve {spread(results['varve'])} s, "
          f"restic {spread(results['restic'])} s, with a sync {spread(results['durable'])} s; varve is {spread(ratio)}x as fast, "
          f"{spread(durably)}x with the sync", flush=True)
    return volume, snapshot


def usable_at_once(varve, name, volume, snapshot, results):
    """A clone, and a rollback after a change: until a first block was read from it."""
    clones, rollbacks = [], []
    for _ in range(ROUNDS):
        took, clone = timed(varve, "volume", "create", "--from-volume", volume)
        clones.append(took + first_byte(varve, clone, [0]))
        gone(varve, clone)
        handle = connected(varve("volume", "uri", volume))
        for _ in range(200):
            handle.pwrite(os.urandom(BLOCK), random.randrange(handle.get_size() // BLOCK) * BLOCK)
        handle.shutdown()
        varve("volume", "detach", volume)
        took, _ = timed(varve, "volume", "rollback", volume, snapshot)
        rollbacks.append(took + first_byte(varve, volume, [0]))
        varve("volume", "detach", volume)
    results[name] = {"clone": clones, "rollback": rollbacks}
    print(f"P8: {name}: a clone is usable after {spread([1000 * t for t in clones], 0)} ms, a rollback after "
          f"{spread([1000 * t for t in rollbacks], 0)} ms", flush=True)


def main():
    size = int(os.environ.get("BENCH_SIZE", "8GiB").removesuffix("GiB")) << 30
    home, results, varve = scratch("image"), {}, Varve()
    try:
        image = home + "/disk.img"
        make_image(image, size)
        volume, snapshot = restores(varve, image, results)
        start = [timed(varve, "volume", "list")[0] for _ in range(10)]
        print(f"a command that only lists takes {1000 * statistics.median(start):.0f} ms")
        usable_at_once(varve, f"{size >> 30} GiB", volume, snapshot, results)
        huge = varve("volume", "create", "--size", "64TiB")
        handle = connected(varve("volume", "uri", huge))
        handle.pwrite(b"x" * BLOCK, 60 << 40)
        handle.shutdown()
        usable_at_once(varve, "64 TiB, sparse", huge, varve("snapshot", "create", huge, "--wait"), results)
        os.makedirs(".build/bench", exist_ok=True)
        with open(".build/bench/P7-P8.json", "w") as out:
            json.dump(results, out, indent=1)
    finally:
        varve.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
