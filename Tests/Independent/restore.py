#!/usr/bin/env python3
"""Restores a Varve snapshot from a store directory: an independent reader, written from docs/formats.md alone.

usage: restore.py STORE-DIRECTORY SNAPSHOT-ID OUTPUT-FILE [--key-file FILE | --passphrase-file FILE] [PREFIX]

Verifies every hash on the way; stops at the first byte that is not what it should be. Needs only Python, libzstd and, for
encrypted snapshots, libcrypto.
"""
import ctypes
import ctypes.util
import hashlib
import hmac
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


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def derive(key, purpose, context=b""):
    return mac(key, purpose.encode() + b"\0" + context)


def open_gcm(key, nonce, sealed, context):
    """AES-256-GCM; None if the tag, the last 16 bytes, is wrong."""
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    for name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_gcm"):
        getattr(crypto, name).restype = ctypes.c_void_p
    pointer, number = ctypes.c_void_p, ctypes.c_int
    crypto.EVP_DecryptInit_ex.argtypes = [pointer, pointer, pointer, ctypes.c_char_p, ctypes.c_char_p]
    crypto.EVP_DecryptUpdate.argtypes = [pointer, ctypes.c_char_p, ctypes.POINTER(number), ctypes.c_char_p, number]
    crypto.EVP_CIPHER_CTX_ctrl.argtypes = [pointer, number, number, ctypes.c_char_p]
    crypto.EVP_DecryptFinal_ex.argtypes = [pointer, ctypes.c_char_p, ctypes.POINTER(number)]
    crypto.EVP_CIPHER_CTX_free.argtypes = [pointer]
    content, tag = sealed[:-16], sealed[-16:]
    plain, last, made = ctypes.create_string_buffer(len(content) + 16), ctypes.create_string_buffer(16), number()
    context_of = crypto.EVP_CIPHER_CTX_new()
    try:
        crypto.EVP_DecryptInit_ex(context_of, crypto.EVP_aes_256_gcm(), None, key, nonce)
        if context:
            crypto.EVP_DecryptUpdate(context_of, None, ctypes.byref(made), context, len(context))
        crypto.EVP_DecryptUpdate(context_of, plain, ctypes.byref(made), content, len(content))
        crypto.EVP_CIPHER_CTX_ctrl(context_of, 0x11, 16, tag)
        good = crypto.EVP_DecryptFinal_ex(context_of, last, ctypes.byref(made)) == 1
    finally:
        crypto.EVP_CIPHER_CTX_free(context_of)
    return plain.raw[:len(content)] if good else None


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
        codec = {0: "raw", 1: "zstd", 2: "sealed-raw", 3: "sealed-zstd"}[self.byte()]
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
        self.data_key = None
        record = self.record("repository.json")
        if record["format"] != "varve-repository" or record["version"] != 1 or record["crypto"] != "none":
            raise Damaged("this reader does not know such a repository: %r" % record)

    def lines(self, key):
        with open(os.path.join(self.root, key), "rb") as file:
            text, _, rest = file.read().partition(b"\n")
        line = b"sha256 " + hashlib.sha256(text).hexdigest().encode() + b"\n"
        if not rest.startswith(line):
            raise Damaged("%s does not match its checksum" % key)
        return text, rest[len(line):]

    def record(self, key):
        text, rest = self.lines(key)
        if rest:
            raise Damaged("%s has bytes too many" % key)
        return json.loads(text)

    def manifest(self, snapshot, wrapping):
        """The manifest, authenticated if the snapshot is encrypted; sets the data key."""
        text, rest = self.lines("snapshots/" + snapshot)
        manifest = json.loads(text)
        if manifest["version"] not in (1, 2) or manifest["snapshot"] != snapshot:
            raise Damaged("this is not the manifest of %s" % snapshot)
        if manifest["version"] == 2:
            self.data_key = self.unwrap(manifest["dataKey"], wrapping)
            seal = mac(derive(self.data_key, "varve manifest"), hashlib.sha256(text).digest())
            if rest != b"hmac " + seal.hex().encode() + b"\n":
                raise Damaged("the manifest of %s was changed by someone without its key" % snapshot)
        elif rest:
            raise Damaged("the manifest of %s has bytes too many" % snapshot)
        return manifest

    def unwrap(self, name, wrapping):
        """A data key, by the wrapping key that `wrapping` makes of the name of one."""
        for wrap in self.record("keys/data/" + name)["wraps"]:
            key = wrapping(self, wrap["keyId"])
            if key is None or key_id(key) != wrap["keyId"]:
                continue
            opened = open_gcm(
                derive(key, "varve wrap"), bytes.fromhex(wrap["nonce"]), bytes.fromhex(wrap["wrapped"]), name.encode())
            if opened is None:
                raise Damaged("the data key %s does not match its wrapping key" % name)
            return opened
        raise Damaged("none of the keys given opens the data key %s" % name)

    def opened(self, pointer, data):
        (snapshot, number), offset, _, plain, codec, _ = pointer
        key = derive(self.data_key, "varve pack", data[:16] + ("%s/%d" % (snapshot, number)).encode())
        context = bytes([{"sealed-raw": 2, "sealed-zstd": 3}[codec]]) + plain.to_bytes(8, "big")
        found = open_gcm(key, offset.to_bytes(12, "big"), data[16:], context)
        if found is None:
            raise Damaged("the frame at %d of pack %s/%d does not match its seal" % (offset, snapshot, number))
        return found

    def frame(self, pointer):
        (snapshot, number), offset, stored, plain, codec, digest = pointer
        if codec.startswith("sealed-") != (self.data_key is not None):
            raise Damaged("the frame at %d of pack %s/%d is encrypted and is not" % (offset, snapshot, number))
        with open(os.path.join(self.root, "packs", snapshot, "%08d" % number), "rb") as pack:
            pack.seek(offset)
            data = pack.read(stored)
        if len(data) != stored:
            raise Damaged("pack %s/%d is too short" % (snapshot, number))
        if self.data_key is not None:
            data = self.opened(pointer, data)
        if codec.endswith("zstd"):
            data = decompress(data, plain)
        found = mac(derive(self.data_key, "varve digest"), data) if self.data_key else hashlib.sha256(data).digest()
        if len(data) != plain or found != digest:
            raise Damaged("the frame at %d of pack %s/%d does not match its hash" % (offset, snapshot, number))
        return data


def pointer_of(record):
    return ((record["snapshot"], record["pack"]), record["offset"], record["stored"], record["plain"],
            record["codec"], bytes.fromhex(record["hmac" if record["codec"].startswith("sealed-") else "sha256"]))


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


def key_id(key):
    name = derive(key, "varve key id").hex()
    return "arn:aws:kms:local:000000000000:key/" + "-".join(
        [name[:8], name[8:12], name[12:16], name[16:20], name[20:32]])


def wrapping_key(option, path):
    """What finds the wrapping key of a name: in a key file, or from a passphrase and the store's record of that name."""
    text = open(path, "rb").read() if path else b""
    if option == "--key-file":
        return lambda store, name: bytes.fromhex(text.decode())
    if option == "--passphrase-file":
        phrase = text.removesuffix(b"\n")

        def derived(store, name):
            try:
                record = store.record("keys/passphrase/" + name.rpartition("/")[2])
            except FileNotFoundError:
                return None
            return hashlib.scrypt(
                phrase, salt=bytes.fromhex(record["salt"]), n=record["n"], r=record["r"], p=record["p"], dklen=32,
                maxmem=1 << 30)
        return derived
    return lambda store, name: None


def restore(store, snapshot, output, wrapping):
    manifest = store.manifest(snapshot, wrapping)
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
    words = sys.argv[1:]
    option, path = None, None
    if len(words) > 4 and words[3].startswith("--"):
        option, path = words[3:5]
        del words[3:5]
    if len(words) not in (3, 4):
        sys.exit(__doc__)
    try:
        restore(Store(words[0], *words[3:]), words[1], words[2], wrapping_key(option, path))
    except (Damaged, OSError, KeyError, IndexError, ValueError) as problem:
        sys.exit("restore.py: %s" % problem)
