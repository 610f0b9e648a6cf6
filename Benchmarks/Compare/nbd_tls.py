#!/usr/bin/env python3
"""NBD over TLS on loopback TCP, Varve against `nbdkit --tls=require`, and each against itself without TLS.

nbdcopy copies a whole disk to nowhere (read) or from a file (write). Both disks are in the page cache. Rounds interleaved,
servers in turning order; figures are medians, ratios the medians of the rounds' ratios.
"""
import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import time

from varve_server import Varve, scratch


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise SystemExit(f"nobody listens on port {port}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("BENCH_ROUNDS", "5")))
    parser.add_argument("--mebibytes", type=int, default=512)
    options = parser.parse_args()
    folder = pathlib.Path(scratch("tls"))
    keys = folder / "keys.psk"
    keys.write_text("alice:" + os.urandom(32).hex() + "\n")
    size = options.mebibytes << 20
    source = folder / "source"
    with open(source, "wb") as out:
        for _ in range(options.mebibytes):
            out.write(os.urandom(1 << 20))

    running, uris = [], {}
    for name, words in {"tls": ["--nbd-tls-psk", str(keys)], "plain": []}.items():
        port = free_port()
        varve = Varve("--nbd-listen", f"tcp://127.0.0.1:{port}", *words)
        volume = varve("volume", "create", "--size", str(size))
        varve("volume", "attach", volume)
        running.append(varve.stop)
        uris["varve", name] = f"127.0.0.1:{port}/{volume}"
        port, file = free_port(), folder / f"nbdkit-{name}"
        subprocess.run(["truncate", "-s", str(size), file], check=True)
        words = ["--tls=require", f"--tls-psk={keys}"] if name == "tls" else []
        nbdkit = subprocess.Popen(["nbdkit", "-f", "-i", "127.0.0.1", "-p", str(port), *words, "file", str(file)])
        wait_for(port)
        running.append(lambda nbdkit=nbdkit: (nbdkit.terminate(), nbdkit.wait()))
        uris["nbdkit", name] = f"127.0.0.1:{port}/"
    for (server, name), at in uris.items():
        uris[server, name] = f"nbds://alice@{at}?tls-psk-file={keys}" if name == "tls" else f"nbd://{at}"

    def copy(way, uri):
        words = {"write": [source, uri], "read": [uri, "null:"]}[way]
        begun = time.monotonic()
        subprocess.run(["nbdcopy", "--connections=1", *map(str, words)], check=True)
        return size / (time.monotonic() - begun) / 1e6

    try:
        for uri in uris.values():
            copy("write", uri)
        print(f"NBD over TLS: {options.rounds} rounds of {options.mebibytes} MiB, one connection; MB/s, ratio (lowest-highest)")
        for way in ["read", "write"]:
            rates = {which: [] for which in uris}
            for number in range(options.rounds):
                for which in list(uris) if number % 2 == 0 else list(uris)[::-1]:
                    rates[which].append(copy(way, uris[which]))

            def ratio(a, b):
                each = [x / y for x, y in zip(rates[a], rates[b])]
                return f"{statistics.median(each):.2f} ({min(each):.2f}-{max(each):.2f})"

            print(f"{way:6s}" + "".join(f"  {' '.join(w)} {statistics.median(r):.0f}" for w, r in rates.items()))
            print(f"       varve tls / nbdkit tls {ratio(('varve', 'tls'), ('nbdkit', 'tls'))}"
                  f" | varve tls / plain {ratio(('varve', 'tls'), ('varve', 'plain'))}"
                  f" | nbdkit tls / plain {ratio(('nbdkit', 'tls'), ('nbdkit', 'plain'))}", flush=True)
    finally:
        for stop in running:
            stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
