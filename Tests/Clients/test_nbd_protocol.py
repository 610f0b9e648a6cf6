"""The NBD protocol's edges, through libnbd with its own checks switched off, and through a bare socket."""
import errno, random, struct

import nbd
import pytest

MAX = 32 << 20


def connect(disk, structured=True, contexts=(), strict=False):
    h = nbd.NBD()
    h.set_request_structured_replies(structured)
    for context in contexts:
        h.add_meta_context(context)
    h.connect_uri(disk.uri)
    if not strict:
        h.set_strict_mode(0)
    return h


def errno_of(call):
    with pytest.raises(nbd.Error) as caught:
        call()
    return caught.value.errnum


@pytest.mark.parametrize("structured", [True, False])
class TestReadsAndWrites:
    def test_unaligned(self, disk, structured):
        h = connect(disk, structured)
        rng = random.Random(1)
        model = bytearray(1 << 20)
        for _ in range(300):
            at = rng.randrange(len(model) - 1)
            data = rng.randbytes(min(rng.choice([1, 2, 511, 512, 513, 4095, 4096, 4097, 40_000]), len(model) - at))
            h.pwrite(data, at)
            model[at:at + len(data)] = data
            start = rng.randrange(len(model))
            assert h.pread(min(5000, len(model) - start), start) == model[start:start + 5000]
        assert h.pread(len(model), 0) == model
        h.shutdown()

    def test_zero_length(self, disk, structured):
        h = connect(disk, structured)
        for at in (0, 1, disk.size):
            assert h.pread(0, at) == b""
            h.pwrite(b"", at)
            h.trim(0, at)
            h.zero(0, at)
            h.cache(0, at)
        h.shutdown()

    def test_the_last_byte(self, disk, structured):
        h = connect(disk, structured)
        h.pwrite(b"z", disk.size - 1)
        assert h.pread(1, disk.size - 1) == b"z"
        h.shutdown()

    def test_out_of_range(self, disk, structured):
        h = connect(disk, structured)
        for at, count in [(disk.size, 1), (disk.size - 1, 2), (disk.size + 4096, 512), (2**63 - 512, 512)]:
            assert errno_of(lambda: h.pread(count, at)) == errno.EINVAL
            assert errno_of(lambda: h.pwrite(b"x" * count, at)) == errno.ENOSPC
            assert errno_of(lambda: h.zero(count, at)) == errno.ENOSPC
            assert errno_of(lambda: h.trim(count, at)) == errno.EINVAL
            assert errno_of(lambda: h.cache(count, at)) == errno.EINVAL
        assert h.pread(4, 0) == bytes(4)
        h.shutdown()

    def test_the_largest(self, disk, structured):
        h = connect(disk, structured)
        data = random.Random(2).randbytes(MAX)
        h.pwrite(data, 12_345)
        assert h.pread(MAX, 12_345) == data
        h.zero(disk.size, 0)
        h.trim(disk.size, 0)
        assert h.pread(MAX, 12_345) == bytes(MAX)
        h.shutdown()

    def test_unknown_command_flags(self, disk, structured):
        h = connect(disk, structured)
        for bit in range(5, 16):
            if bit == 5:
                continue  # libnbd keeps PAYLOAD_LEN to itself
            assert errno_of(lambda: h.pread(512, 0, 1 << bit)) == errno.EINVAL
            assert errno_of(lambda: h.pwrite(b"x" * 512, 0, 1 << bit)) == errno.EINVAL
            assert errno_of(lambda: h.flush(1 << bit)) == errno.EINVAL
        assert errno_of(lambda: h.pwrite(b"x" * 512, 0, nbd.CMD_FLAG_NO_HOLE)) == errno.EINVAL
        assert errno_of(lambda: h.trim(512, 0, nbd.CMD_FLAG_FAST_ZERO)) == errno.EINVAL
        assert h.pread(512, 0) == bytes(512)
        h.shutdown()

    def test_fua_is_taken_everywhere(self, disk, structured):
        h = connect(disk, structured)
        h.pwrite(b"abc", 5, nbd.CMD_FLAG_FUA)
        h.zero(4096, 8192, nbd.CMD_FLAG_FUA | nbd.CMD_FLAG_NO_HOLE)
        h.trim(4096, 16384, nbd.CMD_FLAG_FUA)
        assert h.pread(3, 5, nbd.CMD_FLAG_FUA) == b"abc"
        h.flush(nbd.CMD_FLAG_FUA)
        h.cache(4096, 0, nbd.CMD_FLAG_FUA)
        h.shutdown()

    def test_fast_zero(self, disk, structured):
        h = connect(disk, structured)
        h.pwrite(b"x" * 65536, 0)
        h.zero(65536, 0, nbd.CMD_FLAG_FAST_ZERO)
        assert h.pread(65536, 0) == bytes(65536)
        h.shutdown()


def test_an_oversize_read_overflows(disk):
    with Bare(disk) as b:
        b.go(disk.export)
        if disk.size > MAX:
            b.request(0, length=MAX + 1)
            assert b.simple_reply()[0] == errno.EOVERFLOW
        b.request(0, length=512)
        assert b.simple_reply(512)[0] == 0


def test_an_oversize_write_is_read_past_and_refused(disk):
    with Bare(disk) as b:
        b.go(disk.export)
        b.request(1, length=MAX + 512, payload=bytes(MAX + 512))
        assert b.simple_reply()[0] == errno.EINVAL
        b.request(0, length=512)
        assert b.simple_reply(512)[0] == 0


def test_dont_fragment(disk):
    h = connect(disk)
    data = random.Random(3).randbytes(1 << 20)
    h.pwrite(data, 0)
    h.zero(65536, 131072)
    chunks = []
    read = h.pread_structured(1 << 20, 0, lambda part, at, status, error: chunks.append((at, len(part), status)),
                              nbd.CMD_FLAG_DF)
    assert read == data[:131072] + bytes(65536) + data[196608:]
    assert chunks == [(0, 1 << 20, nbd.READ_DATA)]
    h.shutdown()


def test_what_is_all_zeros_comes_as_a_hole(disk):
    h = connect(disk)
    kinds = []
    assert h.pread_structured(65536, 0, lambda part, at, status, error: kinds.append(status)) == bytes(65536)
    assert kinds == [nbd.READ_HOLE]
    h.shutdown()


class TestBlockStatus:
    def extents(self, h, count, at, flags=0):
        found = {}
        h.block_status(count, at, lambda context, offset, entries, error: found.__setitem__(context, list(entries)), flags)
        return found["base:allocation"]

    def test_data_and_holes(self, disk):
        h = connect(disk, contexts=["base:allocation"])
        h.zero(disk.size, 0)
        h.trim(disk.size, 0)
        h.pwrite(b"x" * 65536, 1 << 20)
        entries = self.extents(h, 4 << 20, 0)
        assert sum(entries[::2]) <= 4 << 20 and len(entries) % 2 == 0
        position = 0
        for length, state in zip(entries[::2], entries[1::2]):
            if position <= 1 << 20 < position + length:
                assert state == 0
            position += length
        assert self.extents(h, 100, 12345)[0] == 100
        h.shutdown()

    def test_only_one(self, disk):
        h = connect(disk, contexts=["base:allocation"])
        h.pwrite(b"x" * 4096, 1 << 20)
        entries = self.extents(h, disk.size, 0, nbd.CMD_FLAG_REQ_ONE)
        assert len(entries) == 2 and entries[0] <= disk.size
        h.shutdown()

    def test_nothing_and_too_much_are_invalid(self, disk):
        h = connect(disk, contexts=["base:allocation"])
        assert errno_of(lambda: self.extents(h, 0, 0)) == errno.EINVAL
        assert errno_of(lambda: self.extents(h, 512, disk.size)) == errno.EINVAL
        h.shutdown()

    def test_without_a_context_it_is_invalid(self, disk):
        h = connect(disk)
        assert errno_of(lambda: self.extents(h, 512, 0)) == errno.EINVAL
        assert h.pread(1, 0) == b"\0"
        h.shutdown()

    def test_an_unknown_context_is_not_selected(self, disk):
        h = connect(disk, contexts=["base:allocation", "x-other:thing"], strict=True)
        assert h.can_meta_context("base:allocation") and not h.can_meta_context("x-other:thing")
        h.shutdown()


def test_options_one_by_one(disk):
    h = nbd.NBD()
    h.set_opt_mode(True)
    h.connect_uri(disk.uri)
    names = []
    h.opt_list(lambda name, description: names.append(name))
    assert disk.export in names
    h.add_meta_context("base:")
    found = []
    h.opt_list_meta_context(found.append)
    assert found == ["base:allocation"]
    h.set_export_name("no such export")
    assert errno_of(h.opt_info) == errno.ENOENT
    h.set_export_name(disk.export)
    h.opt_info()
    assert h.get_size() == disk.size
    h.clear_meta_contexts()
    h.opt_go()
    assert h.pread(1, 0) == b"\0"
    h.shutdown()


def test_abort(disk):
    h = nbd.NBD()
    h.set_opt_mode(True)
    h.connect_uri(disk.uri)
    h.opt_abort()
    assert h.aio_is_closed()


def test_export_name_without_go(disk):
    for no_zeroes in (True, False):
        with Bare(disk, flags=3 if no_zeroes else 1) as b:
            b.option(1, disk.export.encode())
            size, flags = struct.unpack(">QH", b.take(10))
            assert size == disk.size and flags & 1
            if not no_zeroes:
                assert b.take(124) == bytes(124)
            b.request(0, length=512)
            assert b.simple_reply(512)[0] == 0


class Bare:
    """A bare socket that speaks just enough of the protocol to break it."""

    def __init__(self, disk, flags=3):
        self.socket = disk.connect()
        assert self.take(18) == b"NBDMAGICIHAVEOPT\0\x03"
        self.send(struct.pack(">I", flags))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def take(self, count):
        got = b""
        while len(got) < count:
            more = self.socket.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def option(self, code, data=b""):
        self.send(b"IHAVEOPT" + struct.pack(">II", code, len(data)) + data)

    def answer(self):
        magic, option, kind, count = struct.unpack(">QIII", self.take(20))
        assert magic == 0x3E889045565A9
        return option, kind, self.take(count)

    def go(self, name):
        self.option(7, struct.pack(">I", len(name)) + name.encode() + b"\0\0")
        while (answer := self.answer())[1] == 3:
            pass
        assert answer[1] == 1

    def request(self, kind, flags=0, cookie=7, offset=0, length=0, payload=b"", magic=0x25609513):
        self.send(struct.pack(">IHHQQI", magic, flags, kind, cookie, offset, length) + payload)

    def simple_reply(self, count=0):
        magic, error, cookie = struct.unpack(">IIQ", self.take(16))
        assert magic == 0x67446698
        return error, cookie, self.take(count) if error == 0 else b""


UNSUPPORTED, INVALID, UNKNOWN, TOO_BIG = 2**31 + 1, 2**31 + 3, 2**31 + 6, 2**31 + 9


@pytest.mark.parametrize("code", [0, 4, 11, 99, 2**32 - 1])
def test_unknown_options_are_unsupported_and_harmless(disk, code):
    with Bare(disk) as b:
        b.option(code, b"some data")
        assert b.answer()[:2] == (code, UNSUPPORTED)
        b.go(disk.export)


@pytest.mark.parametrize("code,data,kind", [
    (3, b"x", INVALID), (8, b"x", INVALID), (7, b"", INVALID), (7, b"\0\0\0\x09abc", INVALID), (6, b"\xff" * 10, INVALID),
    (10, struct.pack(">II", 0, 0), INVALID), pytest.param(7, bytes(100_000), TOO_BIG, id="long"),
    (7, b"\0\0\0\x05nope!\0\0", UNKNOWN), (6, b"\0\0\0\x05nope!\0\0", UNKNOWN)])
def test_bad_options_are_refused_by_kind(disk, code, data, kind):
    with Bare(disk) as b:
        b.option(code, data)
        assert b.answer()[:2] == (code, kind)
        b.go(disk.export)


def test_wrong_beginnings_close(disk):
    with Bare(disk, flags=0x80000003) as b:
        assert b.is_closed()
    with Bare(disk) as b:
        b.send(b"GET / HTTP/1.1\r\n\r\n")
        assert b.is_closed()
    with Bare(disk) as b:
        b.option(1, b"no such export")
        assert b.is_closed()
    with Bare(disk) as b:
        b.send(b"IHAVEOPT" + struct.pack(">II", 7, 2**32 - 1))
        assert b.is_closed()


def test_unknown_commands_are_invalid(disk):
    with Bare(disk) as b:
        b.go(disk.export)
        for kind in (8, 9, 1000, 65535):
            b.request(kind, cookie=kind, length=4096)
            assert b.simple_reply() == (errno.EINVAL, kind, b"")


def test_a_wrong_magic_closes(disk):
    with Bare(disk) as b:
        b.go(disk.export)
        b.request(0, magic=0x25609514, length=512)
        assert b.is_closed()


def test_requests_sent_byte_by_byte(disk):
    with Bare(disk) as b:
        b.go(disk.export)
        message = struct.pack(">IHHQQI", 0x25609513, 0, 1, 5, 100, 10) + b"0123456789"
        for i in range(len(message)):
            b.send(message[i:i + 1])
        assert b.simple_reply() == (0, 5, b"")
        b.request(0, cookie=6, offset=98, length=14)
        assert b.simple_reply(14) == (0, 6, b"\0\x000123456789\0\0")


def test_a_thousand_requests_in_one_send(disk):
    with Bare(disk) as b:
        b.go(disk.export)
        b.send(b"".join(struct.pack(">IHHQQI", 0x25609513, 0, 1, i, i * 512, 4) + struct.pack(">I", i)
                        for i in range(1000)))
        assert sorted(b.simple_reply()[1] for _ in range(1000)) == list(range(1000))
        b.request(0, length=512_000)
        data = b.simple_reply(512_000)[2]
        assert all(struct.unpack_from(">I", data, i * 512)[0] == i for i in range(1000))


def test_disconnect_answers_what_is_in_flight_then_closes(disk):
    with Bare(disk) as b:
        b.go(disk.export)
        for i in range(20):
            b.request(3, cookie=i)
        b.request(2)
        assert sorted(b.simple_reply()[1] for _ in range(20)) == list(range(20))
        assert b.is_closed()


def test_many_in_flight_over_several_connections_agree_with_a_model(disk):
    """Random disjoint writes, zeroes and trims in flight at once on four connections; then every byte is compared."""
    rng = random.Random(11)
    handles = [connect(disk, structured=i % 2 == 0) for i in range(4)]
    piece = 16_384
    model = bytearray(16 << 20)
    pieces = list(range(0, len(model), piece))
    for _ in range(3):
        rng.shuffle(pieces)
        for i, at in enumerate(pieces):
            h = handles[i % 4]
            kind = rng.randrange(4)
            if kind < 2:
                data = rng.randbytes(rng.randrange(1, piece))
                h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(data)), at)
                model[at:at + len(data)] = data
            elif kind == 2:
                count = rng.randrange(1, piece)
                h.aio_zero(count, at)
                model[at:at + count] = bytes(count)
            else:
                buffer = nbd.Buffer(100)
                h.aio_pread(buffer, at)
            while h.aio_in_flight() > 32:
                h.poll(-1)
        for h in handles:
            while h.aio_in_flight() > 0:
                h.poll(-1)
        handles[0].flush()
        assert handles[1].pread(len(model), 0) == model
    for h in handles:
        h.shutdown()
