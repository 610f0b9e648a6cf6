"""kill -9 at random moments under load: no acknowledged write is lost, pending snapshots finish as the instant they
were cut at, the store verifies. VARVE_CRASH_KILLS sets how many kills; VARVE_CRASH_SEED repeats a run."""
import os
import random
import threading
import time

import nbd

from server import Refused
from stamps import SECTOR, Writer, read_all

KILLS = int(os.environ.get("VARVE_CRASH_KILLS", "150"))
SEED = int(os.environ.get("VARVE_CRASH_SEED", random.randrange(1 << 32)))
SIZE = 12 << 20


def test_no_acknowledged_write_is_lost(server):
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    half = SIZE // SECTOR // 2
    writers = [Writer(0, half, chance.random()), Writer(half, half, chance.random())]
    pending = {}       # snapshot -> (marks, lasts): to be checked once it is completed
    completed = []
    tally = {"checked": 0, "errors": 0, "deleted": 0}
    assert server.start()
    volume = server.varve("volume", "create", "--size", str(SIZE))

    for round in range(KILLS):
        uri = server.varve("volume", "uri", volume)
        threads = [threading.Thread(target=w.run, args=(uri,)) for w in writers]
        for w in writers:
            w.stopping.clear()
        for t in threads:
            t.start()
        killer = threading.Timer(chance.uniform(0.02, 0.6), server.kill)
        killer.start()
        take_snapshots(server, chance, volume, writers, pending, completed, tally)
        killer.join()
        for w in writers:
            w.stopping.set()
        for t in threads:
            t.join()

        assert server.start(), server.log_tail()
        image = read_all(server.varve("volume", "uri", volume))
        for w in writers:
            w.settle_after_crash(image)
        check_completed(server, pending, completed, writers, tally, wait=round % 5 == 4)

    check_completed(server, pending, completed, writers, tally, wait=True)
    server.varve("store", "verify")
    server.varve("store", "reclaim", "--grace", "0s")
    server.varve("store", "verify")
    for ident in completed:
        server.varve("snapshot", "verify", ident)
    server.stop()
    print(f"{server.kills} kills, {sum(len(w.ops) for w in writers)} requests, {tally}")
    assert server.kills == KILLS
    assert tally["checked"] > 0


def take_snapshots(server, chance, volume, writers, pending, completed, tally):
    """One or two snapshots, and perhaps a deletion, while the writers run and until the server is gone."""
    try:
        for _ in range(chance.choice([1, 1, 2])):
            if len(pending) >= 5:
                break
            marks = [w.mark() for w in writers]
            ident = server.varve("snapshot", "create", volume)
            pending[ident] = (marks, [w.issued() for w in writers])
        if len(completed) > 3 and chance.random() < 0.3:
            victim = completed.pop(chance.randrange(len(completed)))
            server.varve("snapshot", "delete", victim)
            tally["deleted"] += 1
        if chance.random() < 0.1:
            server.varve("store", "reclaim", "--grace", "0s")
        time.sleep(0.05)
    except Refused as refusal:
        # The server was killed under the command. Anything else would be a refusal without a reason.
        assert "exit 3" in str(refusal), refusal


def check_completed(server, pending, completed, writers, tally, wait):
    for ident in list(pending):
        record = server.wait_for_snapshot(ident) if wait else server.show("snapshot", ident)
        if record["state"] == "completed":
            marks, lasts = pending.pop(ident)
            image = read_all(server.varve("snapshot", "uri", ident))
            for w, mark, last in zip(writers, marks, lasts):
                w.check_snapshot(image, mark, last)
            completed.append(ident)
            tally["checked"] += 1
        elif record["state"] == "error":
            raise AssertionError(f"{ident} was answered and then failed: {record}")
