#!/usr/bin/env python3
"""P2: the same load on volumes with 0, 1, 10 and 100 completed snapshots. P4: the load kept while a snapshot uploads.

P2 has a volume for each count, rounds in turning order. P4 runs each load twice a round on one volume, once with nothing
going on and once from the instant after a cut; the share of the run during which the upload went on is printed, since a
run that outlives its upload would flatter.
"""
import json
import os
import random
import statistics
import threading
import time

import nbd

from load import fill, fio, iops, spread
from varve_server import Varve

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
SIZE = 256 << 20
COUNTS = (0, 1, 10, 100)
CELLS = {"randread-4k-qd32": ("randread", "4k", 32), "randwrite-4k-qd32": ("randwrite", "4k", 32),
         "randwrite-4k-qd1": ("randwrite", "4k", 1)}


def with_completed_snapshots(varve):
    uris = {}
    for count in COUNTS:
        volume = varve("volume", "create", "--size", str(SIZE))
        uris[count] = varve("volume", "uri", volume)
        fill(uris[count], SIZE)
        for _ in range(count):
            varve("snapshot", "create", volume, "--wait")
            change(uris[count])
        settled(varve, volume)
    print(f"P2: {ROUNDS} rounds of {SECONDS} s on {SIZE >> 20} MiB; throughput against no snapshots (lowest-highest)")
    table = {}
    for cell, (pattern, size, depth) in CELLS.items():
        rates = {count: [] for count in COUNTS}
        for number in range(ROUNDS):
            for count in COUNTS if number % 2 == 0 else COUNTS[::-1]:
                rates[count].append(iops(fio(uris[count], pattern, size, depth, SECONDS, "--ramp_time=0.3")))
        table[cell] = rates
        ratios = {c: [a / b for a, b in zip(rates[c], rates[0])] for c in COUNTS[1:]}
        print(f"{cell:18s} {statistics.median(rates[0]):8.0f} IOPS |"
              + "".join(f" {c}: {spread(v)}" for c, v in ratios.items()), flush=True)
    return table


def change(uri):
    handle = nbd.NBD()
    handle.connect_uri(uri)
    for _ in range(100):
        handle.pwrite(os.urandom(4096), random.randrange(SIZE // 4096) * 4096)
    handle.shutdown()


def settled(varve, volume):
    while varve.show("volume", volume)["pendingSnapshotIds"]:
        time.sleep(0.05)


def end_of(varve, ident):
    while varve.show("snapshot", ident)["state"] == "pending":
        time.sleep(0.2)
    return time.monotonic()


def while_uploading(varve):
    size = 1 << 30
    volume = varve("volume", "create", "--size", str(size))
    uri = varve("volume", "uri", volume)
    fill(uri, size)
    varve("snapshot", "create", volume, "--wait")
    settled(varve, volume)
    full = statistics.median(iops(fio(uri, "randwrite", "4k", 32, 1)) for _ in range(3))
    loads = {"4 KiB random write, depth 32": ("randwrite", "4k", 32),
             f"the same at half the rate, {full / 2:.0f}/s": ("randwrite", "4k", 32, f"--rate_iops={int(full / 2)}")}
    print(f"P4: {ROUNDS} rounds of {SECONDS} s on 1 GiB; while uploading against idle (lowest-highest)")
    table = {}
    for name, (pattern, block, depth, *more) in loads.items():
        idle, busy, overlap = [], [], []
        for _ in range(ROUNDS):
            fill(uri, size)  # the next snapshot has all of it to upload
            settled(varve, volume)
            idle.append(fio(uri, pattern, block, depth, SECONDS, *more))
            fill(uri, size)
            ident = varve("snapshot", "create", volume)
            ended = []
            watcher = threading.Thread(target=lambda: ended.append(end_of(varve, ident)))
            start = time.monotonic()
            watcher.start()
            busy.append(fio(uri, pattern, block, depth, SECONDS, *more))
            took = time.monotonic() - start
            watcher.join()
            if varve.show("snapshot", ident)["state"] != "completed":
                raise SystemExit(f"the snapshot failed: {varve.show('snapshot', ident)['reason']}")
            overlap.append(min(1, (ended[0] - start) / took))
            settled(varve, volume)
        kept = [iops(b) / iops(a) for a, b in zip(idle, busy)]
        late = [b["write"]["clat_ns"]["percentile"]["99.000000"] / a["write"]["clat_ns"]["percentile"]["99.000000"]
                for a, b in zip(idle, busy)]
        table[name] = {"idle": [iops(a) for a in idle], "uploading": [iops(b) for b in busy], "overlap": overlap}
        print(f"{name}: kept {spread(kept)}, 99 % latency times {spread(late)}; uploading for {spread(overlap)} of the run")
    return table


varve = Varve()
try:
    results = {"P2": with_completed_snapshots(varve), "P4": while_uploading(varve)}
    os.makedirs(".build/bench", exist_ok=True)
    with open(".build/bench/P2-P4.json", "w") as out:
        json.dump(results, out, indent=1)
finally:
    varve.stop()
