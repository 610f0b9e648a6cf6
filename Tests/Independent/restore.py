#!/usr/bin/env python3
"""Restores a Varve snapshot from a store directory: an independent reader, written from docs/formats.md alone.

usage: restore.py STORE-DIRECTORY SNAPSHOT-ID OUTPUT-FILE [PREFIX]

Verifies every hash on the way; stops at the first byte that is not what it should be. Needs only Python and libzstd.
"""
import ctypes
import ctypes.util
import hashlib
import json
import os
import sys

BLOCK = 4096
LEAF_BLOCKS = 2048


class Damaged(Exception):
    pass


def zstd_library():
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    library.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    library.ZSTD_isError.argtypes = [ctypes.c_size_t]
    return library


ZSTD = zstd_library()


def decompress(stored, plain_length):
    plain = ctypes.create_string_buffer(plain_length)
    made = ZSTD.ZSTD_decompress(plain, plain_length, stored, len(stored))
    if ZSTD.ZSTD_isError(made) or made != plain_length:
        raise Damaged("a frame does not decode")
    return plain.raw


class Bytes:
    """Takes the grammar's values off the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Damaged("ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def byte(self):
        return self.take(1)[0]

    def number(self):
        value = 0
        for place in range(9):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value
        raise Damaged("a number is too long")

    def items(self):
        return range(self.number())

    def name(self):
        return self.take(self.number()).decode("ascii")

    def names(self):
        snapshots = [self.name() for _ in self.items()]
        return [(snapshots[self.number()], self.number()) for _ in self.items()]

    def pointer(self, names):
        pack, offset, stored, plain = names[self.number()], self.number(), self.number(), self.number()
        codec = {0: "raw", 1: "zstd"}[self.byte()]
        return pack, offset, stored, plain, codec, self.take(32)

    def expect(self, magic):
        if self.take(len(magic)) != magic:
            raise Damaged("does not begin with %r" % magic)

    def end(self):
        if self.at != len(self.data):
            raise Damaged("has bytes too many")


class Store:
    def __init__(self, directory, prefix=""):
        self.root = os.path.join(directory, prefix)
        record = self.record("repository.json")
        if record["format"] != "varve-repository" or record["version"] != 1 or record["crypto"] != "none":
            raise Damaged("this reader does not know such a repository: %r" % record)

    def record(self, key):
        with open(os.path.join(self.root, key), "rb") as file:
            text, _, seal = file.read().partition(b"\n")
        if seal != b"sha256 " + hashlib.sha256(text).hexdigest().encode() + b"\n":
            raise Damaged("%s does not match its checksum" % key)
        return json.loads(text)

    def frame(self, pointer):
        (snapshot, number), offset, stored, plain, codec, digest = pointer
        with open(os.path.join(self.root, "packs", snapshot, "%08d" % number), "rb") as pack:
            pack.seek(offset)
            data = pack.read(stored)
        if len(data) != stored:
            raise Damaged("pack %s/%d is too short" % (snapshot, number))
        if codec == "zstd":
            data = decompress(data, plain)
        if len(data) != plain or hashlib.sha256(data).digest() != digest:
            raise Damaged("the frame at %d of pack %s/%d does not match its hash" % (offset, snapshot, number))
        return data


def pointer_of(record):
    return ((record["snapshot"], record["pack"]), record["offset"], record["stored"], record["plain"],
            record["codec"], bytes.fromhex(record["sha256"]))


def leaves(store, pointer, level, number):
    """Yields (leaf number, frame pointers, runs) of everything below a node, ascending."""
    data = Bytes(store.frame(pointer))
    if level == 0:
        data.expect(b"VLF1")
        if data.number() != number:
            raise Damaged("a leaf in the wrong place")
        names = data.names()
        frames = [data.pointer(names) for _ in data.items()]
        runs = [(data.number(), data.number(), data.number(), data.number()) for _ in data.items()]
        data.end()
        yield number, frames, runs
        return
    data.expect(b"VIN1")
    if (data.number(), data.number()) != (level, number):
        raise Damaged("a node in the wrong place")
    names = data.names()
    slot, children = -1, []
    for _ in data.items():
        slot += 1 + data.number()
        children.append((slot, data.pointer(names)))
    data.end()
    for slot, child in children:
        yield from leaves(store, child, level - 1, 256 * number + slot)


def restore(store, snapshot, output):
    manifest = store.record("snapshots/" + snapshot)
    if manifest["version"] != 1 or manifest["snapshot"] != snapshot:
        raise Damaged("this is not the manifest of %s" % snapshot)
    with open(output, "wb") as target:
        target.truncate(manifest["size"])
        if manifest.get("root") is None:
            return
        for number, frames, runs in leaves(store, pointer_of(manifest["root"]), 3, 0):
            block = number * LEAF_BLOCKS
            plain = {}
            for gap, count, frame, first in runs:
                block += gap
                if frame not in plain:
                    plain[frame] = store.frame(frames[frame])
                data = plain[frame][first * BLOCK:(first + count) * BLOCK]
                target.seek(block * BLOCK)
                target.write(data[:manifest["size"] - block * BLOCK])
                block += count


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    try:
        restore(Store(sys.argv[1], *sys.argv[4:]), sys.argv[2], sys.argv[3])
    except (Damaged, OSError, KeyError, IndexError, ValueError) as problem:
        sys.exit("restore.py: %s" % problem)
