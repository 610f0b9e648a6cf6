#!/usr/bin/env python3
"""P9: deleting any snapshot of a chain of 1000, and what reclaiming then costs, against `restic forget` and `restic prune`.
P10: starting after kill -9 with 100 volumes in use. P11: the server's memory.

restic's chain is shorter (a thousand backups take too long) and its times are per command as ours are.
"""
import json
import os
import random
import signal
import statistics
import subprocess
import time

import nbd

from load import fill, memory, spread
from snapshots import Restic
from varve_server import Varve, scratch

BLOCK = 4096
CHAIN = int(os.environ.get("BENCH_CHAIN", "1000"))


def timed(action, *words):
    start = time.monotonic()
    action(*words)
    return (time.monotonic() - start) * 1000


def connected(uri):
    handle = nbd.NBD()
    handle.connect_uri(uri)
    return handle


def long_chain(results):
    varve = Varve()
    try:
        volume = varve("volume", "create", "--size", "64MiB")
        handle, chance, snapshots = connected(varve("volume", "uri", volume)), random.Random(2), []
        for _ in range(CHAIN):
            for _ in range(20):
                handle.pwrite(chance.randbytes(BLOCK), chance.randrange((64 << 20) // BLOCK) * BLOCK)
            snapshots.append(varve("snapshot", "create", volume, "--wait"))
        handle.shutdown()
        chance.shuffle(snapshots)
        shows = [timed(varve, "snapshot", "show", snapshots[-1]) for _ in range(10)]
        few, many = snapshots[:10], snapshots[10:-10]
        times = [timed(varve, "snapshot", "delete", ident) for ident in few]
        reclaims = [timed(varve, "store", "reclaim", "--grace", "0s")]
        times += [timed(varve, "snapshot", "delete", ident) for ident in many]
        reclaims.append(timed(varve, "store", "reclaim", "--grace", "0s"))
        reclaims.append(timed(varve, "store", "reclaim", "--grace", "0s"))
        results["P9"] = {"delete": times, "reclaim": reclaims}
        print(f"P9: deleting {len(times)} of a chain of {CHAIN}: median {statistics.median(times):.0f}, worst {max(times):.0f} ms a "
              f"command (one that shows: {statistics.median(shows):.0f} ms); reclaim of {len(few)}: {reclaims[0]:.0f} ms, of "
              f"{len(many)}: {reclaims[1]:.0f} ms, of none: {reclaims[2]:.0f} ms", flush=True)
    finally:
        varve.stop()


def restic_chain(results, length=30):
    folder = scratch("chain")
    image = folder + "/disk.img"
    with open(image, "wb") as file:
        file.write(os.urandom(64 << 20))
    restic, chance = Restic(image), random.Random(3)

    def run(*words):
        subprocess.run(["restic", "-r", restic.repository, *words], env=restic.env, check=True, capture_output=True)

    for _ in range(length):
        with open(image, "r+b") as file:
            for _ in range(20):
                os.pwrite(file.fileno(), chance.randbytes(BLOCK), chance.randrange((64 << 20) // BLOCK) * BLOCK)
        restic.snapshot()
    out = subprocess.run(["restic", "-r", restic.repository, "snapshots", "--json"], env=restic.env, check=True,
                         capture_output=True).stdout
    idents = [one["id"] for one in json.loads(out)]
    chance.shuffle(idents)
    forgets = [timed(run, "forget", ident) for ident in idents[:10]]
    prune = timed(run, "prune")
    restic.close()
    results["P9"]["restic"] = {"forget": forgets, "prune": prune}
    print(f"    restic, of a chain of {length}: forget {spread(forgets, 0)} ms each, the prune after ten {prune:.0f} ms", flush=True)


def restart(results, count=100):
    varve = Varve()
    try:
        idle = memory(varve.process.pid)
        volumes = [varve("volume", "create", "--size", "1GiB") for _ in range(count)]
        created = memory(varve.process.pid)
        handles = [connected(varve("volume", "uri", ident)) for ident in volumes]
        for handle in handles:
            for _ in range(50):
                handle.pwrite(os.urandom(BLOCK), random.randrange(1 << 18) * BLOCK)
        busy = memory(varve.process.pid)
        varve.process.send_signal(signal.SIGKILL)
        varve.process.wait()
        took = timed(varve.start)
        first = [timed(lambda v=v: connected(varve("volume", "uri", v)).pread(BLOCK, 0)) for v in volumes]
        results["P10"] = {"ready": took, "first": first}
        print(f"P10: ready {took:.0f} ms after a start that follows kill -9 with {count} volumes in use; then a volume's first "
              f"block after {spread(first, 0)} ms, command and connection included", flush=True)
        mib = [f"{total / 2**20:.0f} ({own / 2**20:.0f})" for total, own in (idle, created, busy)]
        results["P11"] = {"none": idle, "idle": created, "connected": busy}
        print(f"P11: resident MiB (of it not file pages): no volume {mib[0]}, {count} idle volumes {mib[1]}, each with a connection and "
              f"50 writes {mib[2]}", flush=True)
    finally:
        varve.stop()


def large(results):
    varve = Varve()
    try:
        volume = varve("volume", "create", "--size", "1TiB")
        handle = connected(varve("volume", "uri", volume))
        before = memory(varve.process.pid)
        for at in range(0, 1 << 40, 128 << 20):
            handle.pwrite(b"x" * BLOCK, at)
        after = memory(varve.process.pid)
        handle.shutdown()
        other = varve("volume", "create", "--size", "2GiB")
        fill(varve("volume", "uri", other), 2 << 30)
        rest, peak = memory(varve.process.pid), (0, 0)
        ident = varve("snapshot", "create", other)
        while varve.show("snapshot", ident)["state"] == "pending":
            peak = max(peak, memory(varve.process.pid))
        more = [[(b - a) / 2**20 for a, b in zip(*pair)] for pair in ((before, after), (rest, peak))]
        results["P11"].update(large=more[0], upload=more[1])
        print(f"    a 1 TiB volume, a block written in each 128 MiB (so that its map of changes is all in memory): {more[0][0]:.0f} MiB "
              f"more ({more[0][1]:.0f} not file pages); one upload of 2 GiB: {more[1][0]:.0f} more ({more[1][1]:.0f})", flush=True)
    finally:
        varve.stop()


def main():
    results = {}
    long_chain(results)
    restic_chain(results)
    restart(results)
    large(results)
    os.makedirs(".build/bench", exist_ok=True)
    with open(".build/bench/P9-P11.json", "w") as out:
        json.dump(results, out, indent=1)


if __name__ == "__main__":
    main()
