"""Clients that open connections and say nothing, or speak so slowly that they would keep them for ever."""
import concurrent.futures
import os
import resource
import selectors
import socket
import time

import pytest

COUNT = 10_000
# The server gives a connection thirty seconds for a head or for more of a body.
PATIENCE = 30


@pytest.fixture(scope="module", autouse=True)
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * COUNT:
        pytest.skip(f"a process may open {hard} files here, and {2 * COUNT} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(house):
    with open(f"/proc/{house.process.pid}/statm") as facts:
        return int(facts.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def connect(house):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", house.port))
    return one


def test_ten_thousand_connections_that_say_nothing(fresh):
    house = fresh.start()
    volume = house.volume("1MiB")
    before = resident(house)
    silent = []
    for number in range(COUNT):
        silent.append(connect(house))
        if number % 100 == 99:
            time.sleep(0.01)
    begun = time.monotonic()
    # Whoever has something to say is answered meanwhile.
    assert [one["id"] for one in house.volumes()] == [volume]
    assert time.monotonic() - begun < 10
    grown = resident(house) - before
    assert grown < 600 << 20, f"{grown >> 20} MiB more"
    print(f"{grown >> 20} MiB for {COUNT} connections")
    # They are let go of, one after the other, and nothing of it stays.
    watch = selectors.DefaultSelector()
    for one in silent:
        watch.register(one, selectors.EVENT_READ)
    ended, deadline = 0, time.monotonic() + 3 * PATIENCE
    while ended < COUNT and time.monotonic() < deadline:
        for key, _ in watch.select(timeout=1):
            try:
                assert key.fileobj.recv(100) == b""
            except ConnectionError:
                pass
            watch.unregister(key.fileobj)
            ended += 1
    assert ended == COUNT
    for one in silent:
        one.close()
    assert house.volumes()
    house.stop()


def slow(house, start, step):
    """How long a connection is kept by a client that says `start` and then `step` once a second."""
    with socket.create_connection(("127.0.0.1", house.port), timeout=5) as stream:
        begun = time.monotonic()
        stream.sendall(start)
        stream.settimeout(1)
        answer = b""
        while time.monotonic() < begun + 3 * PATIENCE:
            try:
                more = stream.recv(1000)
                if not more:
                    return time.monotonic() - begun, answer
                answer += more
            except TimeoutError:
                pass
            except ConnectionError:
                return time.monotonic() - begun, answer
            try:
                stream.sendall(step)
            except OSError:
                return time.monotonic() - begun, answer
    raise AssertionError("it was kept")


def test_a_request_that_comes_byte_by_byte_is_not_waited_for(house):
    cases = {
        "a head": (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n", None),
        "a body": (b"POST /api/v1/volumes HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", b"x", b"408"),
        "a form": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", b"x", b"400"),
        "chunks": (
            b"PUT /api/v1/imports/a/content HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n", b"408"),
    }
    with concurrent.futures.ThreadPoolExecutor() as threads:
        going = {name: threads.submit(slow, house, start, step) for name, (start, step, _) in cases.items()}
    for name, (_, _, status) in cases.items():
        took, answer = going[name].result()
        assert PATIENCE - 2 < took < PATIENCE + 15, (name, took)
        assert (answer.split()[1] if answer else None) == status, (name, answer)


def test_what_follows_a_refusal_is_not_waited_for(house):
    start = b"POST /api/v1/volumes HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n"
    took, answer = slow(house, start, b"x")
    assert took < 5 and answer.split()[1] == b"413" and b"connection: close" in answer.lower()
