#!/usr/bin/env python3
"""What one server does on its own, in figures: bytes stored per changed byte on a 2 GiB volume, deleting snapshots of a
chain of 200, and a sparse volume of 64 TiB. Times are those of whole commands, so the client's start (printed) is in them."""
import os
import random
import statistics
import time

import nbd

from varve_server import Varve

BLOCK = 4096


def timed(varve, *words):
    start = time.monotonic()
    answer = varve(*words)
    return (time.monotonic() - start) * 1000, answer


def changed_bytes(varve):
    size = 2 << 30
    volume = varve("volume", "create", "--size", str(size))
    handle = nbd.NBD()
    handle.connect_uri(varve("volume", "uri", volume))
    chance = random.Random(1)
    for at in range(0, size, 1 << 22):
        handle.pwrite(chance.randbytes(1 << 22), at)
    varve("snapshot", "create", volume, "--wait")
    blocks = chance.sample(range(size // BLOCK), size // BLOCK // 100)
    for block in blocks:
        handle.pwrite(chance.randbytes(BLOCK), block * BLOCK)
    took, ident = timed(varve, "snapshot", "create", volume, "--wait")
    stored = varve.show("snapshot", ident)["storedBytes"]
    handle.shutdown()
    print(f"1 % random 4 KiB incompressible changes on 2 GiB: {stored / (len(blocks) * BLOCK):.4f} stored bytes per "
          f"changed byte, the snapshot took {took:.0f} ms")


def chain(varve, length=200):
    volume = varve("volume", "create", "--size", "64MiB")
    handle = nbd.NBD()
    handle.connect_uri(varve("volume", "uri", volume))
    chance = random.Random(2)
    snapshots = []
    for _ in range(length):
        for _ in range(20):
            handle.pwrite(chance.randbytes(BLOCK), chance.randrange((64 << 20) // BLOCK) * BLOCK)
        snapshots.append(varve("snapshot", "create", volume, "--wait"))
    handle.shutdown()
    idle = [timed(varve, "volume", "show", volume)[0] for _ in range(20)]
    chance.shuffle(snapshots)
    times = [timed(varve, "snapshot", "delete", ident)[0] for ident in snapshots[:-1]]
    print(f"delete in random order from a chain of {length}: median {statistics.median(times):.0f} ms, worst "
          f"{max(times):.0f} ms a command; a command that only shows: {statistics.median(idle):.0f} ms")
    varve("store", "reclaim", "--grace", "0s")
    varve("snapshot", "verify", snapshots[-1])


def huge(varve):
    made, volume = timed(varve, "volume", "create", "--size", "64TiB")
    handle = nbd.NBD()
    handle.connect_uri(varve("volume", "uri", volume))
    handle.pwrite(b"x" * BLOCK, 60 << 40)
    handle.shutdown()
    cut, snapshot = timed(varve, "snapshot", "create", volume, "--wait")
    varve("volume", "detach", volume)
    deleted, _ = timed(varve, "volume", "delete", volume)
    gone, _ = timed(varve, "snapshot", "delete", snapshot)
    print(f"64 TiB, sparse: created in {made:.0f} ms, cut and stored in {cut:.0f} ms, deleted in {deleted:.0f} ms, "
          f"its snapshot in {gone:.0f} ms")


varve = Varve()
try:
    changed_bytes(varve)
    chain(varve)
    huge(varve)
finally:
    varve.stop()
