#!/usr/bin/env python3
"""P1: one disk over NBD, Varve against `nbdkit file` and `qemu-nbd` (threads and io_uring).

Each server has a file of its own of the same size on the same file system, written once, in the page cache. Cells run
interleaved, peers in turning order; a cell's figure is the median of its rounds, a ratio the median of the rounds' ratios.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import time

from load import fill, fio, iops, processor_seconds
from varve_server import Varve, scratch

CELLS = {
    "randread-4k-qd1": ("randread", "4k", 1), "randread-4k-qd32": ("randread", "4k", 32),
    "randwrite-4k-qd1": ("randwrite", "4k", 1), "randwrite-4k-qd32": ("randwrite", "4k", 32),
    "read-128k-qd8": ("read", "128k", 8), "write-128k-qd8": ("write", "128k", 8),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("BENCH_ROUNDS", "5")))
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("BENCH_SECONDS", "3")))
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--json")
    options = parser.parse_args()

    folder = scratch("nbd")
    varve = Varve()
    size = options.mebibytes << 20
    volume = varve("volume", "create", "--size", str(size))
    servers = {"varve": (varve("volume", "uri", volume), varve.process)}
    peers = {
        "nbdkit": ["nbdkit", "-f", "-U", "{socket}", "file", "{file}"],
        "qemu-threads": ["qemu-nbd", "-t", "-f", "raw", "--aio=threads", "-k", "{socket}", "{file}", "-e", "8"],
        "qemu-io_uring": ["qemu-nbd", "-t", "-f", "raw", "--aio=io_uring", "-k", "{socket}", "{file}", "-e", "8"],
    }
    for name, words in peers.items():
        socket, file = f"{folder}/{name}.sock", f"{folder}/{name}.img"
        subprocess.run(["truncate", "-s", str(size), file], check=True)
        process = subprocess.Popen([w.format(socket=socket, file=file) for w in words])
        while not os.path.exists(socket):
            time.sleep(0.02)
        servers[name] = (f"nbd+unix:///?socket={socket}", process)
    try:
        for uri, _ in servers.values():
            fill(uri, size)
        measure(servers, options)
    finally:
        for _, process in list(servers.values())[1:]:
            process.terminate()
            process.wait()
        varve.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure(servers, options):
    table, others = {}, [name for name in servers if name != "varve"]
    print(f"P1: {options.rounds} rounds of {options.seconds} s, {options.mebibytes} MiB, median IOPS; ratio (lowest-highest)")
    for cell, (pattern, size, depth) in CELLS.items():
        rates, costs = {n: [] for n in servers}, {n: [] for n in servers}
        for number in range(options.rounds):
            for name in list(servers) if number % 2 == 0 else list(servers)[::-1]:
                uri, process = servers[name]
                before = processor_seconds(process.pid)
                rate = iops(fio(uri, pattern, size, depth, options.seconds, "--ramp_time=0.5"))
                rates[name].append(rate)
                costs[name].append((processor_seconds(process.pid) - before) / (rate * (options.seconds + 0.5)) * 1e6)
        ratios = {o: [a / b for a, b in zip(rates["varve"], rates[o])] for o in others}
        table[cell] = {"iops": rates, "cpu_us_per_request": costs, "ratio": ratios}
        line = f"{cell:18s}" + "".join(f"  {n} {statistics.median(v):8.0f}" for n, v in rates.items()) + " |"
        for other, values in ratios.items():
            line += f" {other} {statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"
        line += " | cpu us/request" + "".join(f" {n} {statistics.median(v):.1f}" for n, v in costs.items())
        print(line, flush=True)
    if options.json:
        with open(options.json, "w") as out:
            json.dump(table, out, indent=1)


if __name__ == "__main__":
    main()
