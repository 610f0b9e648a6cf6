"""A writer that stamps every sector with what it wrote last, and remembers what the server acknowledged.

A sector holds (its number, the number of the write) 32 times over, or zeros. The writer owns its part of the disk and
writes one request at a time, so at any instant each sector has the stamp of its last acknowledged write, or of the one
request under way.
"""
import random
import struct
import threading

import nbd

SECTOR = 512


def stamp(sector, sequence):
    return struct.pack("<QQ", sector, sequence) * (SECTOR // 16) if sequence else bytes(SECTOR)


def read_stamp(sector, data):
    """The number of the write whose stamp `data` is; 0 for zeros. Raises on anything else, such as a torn sector."""
    found, sequence = struct.unpack_from("<QQ", data)
    if data == bytes(SECTOR):
        return 0
    assert found == sector and sequence and data == stamp(sector, sequence), \
        f"sector {sector} holds neither one write nor zeros: {data[:48].hex()}"
    return sequence


class Writer:
    def __init__(self, first, count, seed):
        self.first, self.count = first, count
        self.random = random.Random(seed)
        self.acknowledged = [0] * count   # the stamp of each sector, as far as acknowledged
        self.ops = []                     # every request issued: (start, count, sequence or 0)
        self.done = 0                     # how many of them were acknowledged
        self.sequence = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()

    def run(self, uri):
        """Writes until told to stop or the server goes away."""
        try:
            handle = nbd.NBD()
            handle.connect_uri(uri)
            while not self.stopping.is_set():
                self.step(handle)
            handle.shutdown()
        except nbd.Error:
            pass

    def step(self, handle):
        length = self.random.choice([1, 1, 2, 7, 8, 8, 9, 16, 64, 129])
        start = self.random.randrange(self.count - length + 1)
        if self.random.random() < 0.5:
            start = min(start // 8 * 8, self.count - length)
        zeroing = self.random.random() < 0.06
        with self.lock:
            self.sequence += 1
            value = 0 if zeroing else self.sequence
            self.ops.append((start, length, value))
        at = (self.first + start) * SECTOR
        if zeroing:
            handle.zero(length * SECTOR, at)
        else:
            data = b"".join(stamp(self.first + s, value) for s in range(start, start + length))
            handle.pwrite(data, at, nbd.CMD_FLAG_FUA if self.random.random() < 0.03 else 0)
        with self.lock:
            self.acknowledged[start:start + length] = [value] * length
            self.done = len(self.ops)
        if self.random.random() < 0.03:
            handle.flush()

    def mark(self):
        """Where we are: the acknowledged stamps, and how many requests had been acknowledged."""
        with self.lock:
            return list(self.acknowledged), self.done

    def issued(self):
        with self.lock:
            return len(self.ops)

    def settle_after_crash(self, image):
        """The disk after a kill: everything acknowledged must be there; the request under way may be, or not. Takes
        what is there as the truth from now on."""
        for s in range(self.count):
            found = read_stamp(self.first + s, sector_of(image, self.first + s))
            allowed = {self.acknowledged[s]}
            for start, length, value in self.ops[self.done:]:
                if start <= s < start + length:
                    allowed.add(value)
            assert found in allowed, \
                f"sector {self.first + s} has write {found}; acknowledged was {self.acknowledged[s]} (allowed {allowed})"
            self.acknowledged[s] = found
        self.done = len(self.ops)

    def check_snapshot(self, image, mark, last):
        """A snapshot taken after `mark`, before request number `last`: exactly the first k requests for some k."""
        state, done = list(mark[0]), mark[1]
        found = [read_stamp(self.first + s, sector_of(image, self.first + s)) for s in range(self.count)]
        wrong = {s for s in range(self.count) if state[s] != found[s]}
        for start, length, value in self.ops[done:last]:
            if not wrong:
                return
            # A request of zeros may be cut between two of its chunks; nothing else may.
            if value == 0 and all(start <= s < start + length and found[s] == 0 for s in wrong):
                return
            for s in range(start, start + length):
                state[s] = value
                (wrong.discard if found[s] == value else wrong.add)(s)
        assert not wrong, f"no instant has this content: sectors {sorted(wrong)[:5]} of {len(wrong)} differ"


def sector_of(image, sector):
    return image[sector * SECTOR:(sector + 1) * SECTOR]


def read_all(uri):
    handle = nbd.NBD()
    handle.connect_uri(uri)
    size, step = handle.get_size(), 1 << 22
    data = b"".join(handle.pread(min(step, size - at), at) for at in range(0, size, step))
    handle.shutdown()
    return data
