#!/usr/bin/env python3
"""What encryption costs: full snapshots of the same disk, in the clear and encrypted, on one server, in turns.

An image with a real file system (this machine's /usr, as much as fits) is imported into a plain and an encrypted volume
anew for each round, and both are snapshotted. Figures are medians; ratios are of the two of a round, with the spread.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import time

from varve_server import BINARY, Varve, scratch


def make_image(path, size):
    with open(path, "wb") as image:
        for at, _, names in sorted(os.walk(os.environ.get("BENCH_FOLDER", "/usr/lib"))):
            for name in sorted(names):
                if image.tell() >= size:
                    image.truncate(size)
                    return
                source = os.path.join(at, name)
                if os.path.isfile(source) and not os.path.islink(source):
                    with open(source, "rb") as file:
                        shutil.copyfileobj(file, image)
        image.truncate(size)


def snapshot(server, image, options):
    volume = server("volume", "import", image, *options)
    start = time.monotonic()
    ident = server("snapshot", "create", volume, "--wait")
    took = time.monotonic() - start
    stored = server.show("snapshot", ident)["storedBytes"]
    server("snapshot", "delete", ident)
    server("volume", "delete", volume)
    server("store", "reclaim", "--grace", "0s")
    return took, stored


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("BENCH_ROUNDS", "5")))
    parser.add_argument("--size", default="1GiB")
    parser.add_argument("--json")
    options = parser.parse_args()
    size = int(options.size.removesuffix("GiB")) << 30
    home = scratch("image")
    subprocess.run([BINARY, "key", "new", home + "/key"], check=True, stdout=subprocess.DEVNULL)
    make_image(home + "/disk.img", size)
    server = Varve("--key-file", home + "/key")
    results = {"plain": [], "encrypted": [], "plainBytes": [], "encryptedBytes": []}
    try:
        for number in range(options.rounds):
            kinds = [("plain", []), ("encrypted", ["--encrypted"])]
            for name, words in kinds if number % 2 == 0 else kinds[::-1]:
                took, stored = snapshot(server, home + "/disk.img", words)
                results[name].append(took)
                results[name + "Bytes"].append(stored)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
    ratios = [a / b for a, b in zip(results["encrypted"], results["plain"])]
    for name in ("plain", "encrypted"):
        print(f"{name:10s} {statistics.median(results[name]):6.2f} s"
              f" ({min(results[name]):.2f}-{max(results[name]):.2f}),"
              f" {statistics.median(results[name + 'Bytes']) / 1e6:.1f} MB stored")
    print(f"encrypted takes {statistics.median(ratios):.3f} of plain ({min(ratios):.3f}-{max(ratios):.3f})"
          f" and stores {results['encryptedBytes'][0] / results['plainBytes'][0]:.5f} of it", flush=True)
    if options.json:
        with open(options.json, "w") as out:
            json.dump(results, out, indent=1)


main()
