#!/usr/bin/env python3
"""P5 and P6: a full snapshot of a real ext4 disk, and the next one after 1 % of its blocks changed, against restic and borg.

One image with a real file system (this machine's /usr) is made once. Each round: a fresh Varve data directory with the
image imported, a fresh restic and borg repository. Full, then the same random 4 KiB incompressible changes to each, then
again. Peers read the image file. Rounds are interleaved in turning order; figures are medians, with the spread.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import time

import nbd

from varve_server import Varve, scratch

BLOCK = 4096


def folder_bytes(path):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(path) for name in names)


def timed(words, **more):
    start = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    return time.monotonic() - start


class VarveSide:
    def __init__(self, image):
        self.server = Varve()
        self.volume = self.server("volume", "import", image)

    def change(self, blocks, bytes_of):
        handle = nbd.NBD()
        handle.connect_uri(self.server("volume", "uri", self.volume))
        for block in blocks:
            handle.pwrite(bytes_of(block), block * BLOCK)
        handle.flush()
        handle.shutdown()

    def snapshot(self):
        start = time.monotonic()
        ident = self.server("snapshot", "create", self.volume, "--wait")
        took = time.monotonic() - start
        return took, self.server.show("snapshot", ident)["storedBytes"]

    def close(self):
        self.server.stop()


class FileSide:
    """A peer that backs a file up into a repository of its own."""

    def __init__(self, image):
        self.folder = scratch(type(self).__name__.lower())
        self.image = image
        self.env = dict(os.environ, RESTIC_PASSWORD="x", BORG_UNENCRYPTED_REPO_ACCESS_IS_OK="yes",
                        BORG_BASE_DIR=self.folder, XDG_CACHE_HOME=self.folder + "/cache")
        self.repository = self.folder + "/repository"
        timed(self.init(), env=self.env)

    def change(self, blocks, bytes_of):
        """The image is shared; whoever owns it has changed it."""

    def snapshot(self):
        before = folder_bytes(self.repository)
        took = timed(self.backup(), env=self.env)
        return took, folder_bytes(self.repository) - before

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Restic(FileSide):
    def init(self):
        return ["restic", "-r", self.repository, "init"]

    def backup(self):
        return ["restic", "-r", self.repository, "backup", self.image]


class Borg(FileSide):
    number = 0

    def init(self):
        return ["borg", "init", "-e", "none", self.repository]

    def backup(self):
        Borg.number += 1
        return ["borg", "create", "-C", "lz4", f"{self.repository}::{Borg.number}", self.image]


def make_image(path, size):
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where mkfs.ext4 is; not on everybody's PATH
    subprocess.run(["truncate", "-s", str(size), path], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-d",
                    os.environ.get("BENCH_FOLDER", "/usr"), path], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("BENCH_ROUNDS", "5")))
    parser.add_argument("--size", default=os.environ.get("BENCH_SIZE", "8GiB"))
    parser.add_argument("--json")
    options = parser.parse_args()
    size = int(options.size.removesuffix("GiB")) << 30
    home = scratch("image")
    image = home + "/disk.img"
    make_image(image, size)
    print(f"P5, P6: {options.rounds} rounds, {options.size} disk, {os.stat(image).st_blocks * 512 / 1e9:.2f} GB written in it")
    results = {side.__name__: {"full": [], "fullBytes": [], "next": [], "nextBytes": []}
               for side in (VarveSide, Restic, Borg)}
    try:
        for number in range(options.rounds):
            one_round(number, image, size, results)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report(results, size)
    if options.json:
        with open(options.json, "w") as out:
            json.dump(results, out, indent=1)


def one_round(number, image, size, results):
    order = [VarveSide, Restic, Borg]
    order = order if number % 2 == 0 else order[::-1]
    sides = [side(image) for side in order]
    try:
        for side in sides:
            took, stored = side.snapshot()
            results[type(side).__name__]["full"].append(took)
            results[type(side).__name__]["fullBytes"].append(stored)
        chance = random.Random(number)
        blocks = chance.sample(range(size // BLOCK), size // BLOCK // 100)
        content = {block: chance.randbytes(BLOCK) for block in blocks}
        with open(image, "r+b") as file:
            for block in blocks:
                os.pwrite(file.fileno(), content[block], block * BLOCK)
            os.fsync(file.fileno())
        for side in sides:
            side.change(blocks, content.__getitem__)
        for side in sides:
            took, stored = side.snapshot()
            results[type(side).__name__]["next"].append(took)
            results[type(side).__name__]["nextBytes"].append(stored)
    finally:
        for side in sides:
            side.close()


def report(results, size):
    ours = results["VarveSide"]
    changed = size // BLOCK // 100 * BLOCK
    for name, figures in results.items():
        line = f"{name:10s}"
        for what in ("full", "next"):
            seconds = statistics.median(figures[what])
            stored = statistics.median(figures[what + "Bytes"])
            line += f"  {what} {seconds:7.2f} s ({min(figures[what]):.2f}-{max(figures[what]):.2f}), {stored / 1e6:9.1f} MB stored"
            if name != "VarveSide":
                ratios = [a / b for a, b in zip(figures[what], ours[what])]
                line += f", varve is {statistics.median(ratios):.1f}x as fast"
            if what == "next":
                line += f", {stored / changed:.3f} stored per changed byte"
        print(line, flush=True)


if __name__ == "__main__":
    main()
