"""Full, incremental, restore, reclaim, recover, through a proxy that spoils a good part of all requests."""
import random

from house import MIB, House, wait_until

FAULTS = {"refuse": 0.08, "lose": 0.05, "drop": 0.04, "truncate": 0.05, "stall": 0.01}
BOOKKEEPING = {"region/repository.json", "region/reclaim/candidates", "region/reclaim/clock"}


def leftovers(client, bucket):
    """What is there beside the repository's own small records."""
    return [key for key in client.keys(bucket) if {"packs", "snapshots", "uploads", "trash"} & set(key.split("/"))]


def test_nothing_is_lost_with_faults_on_and_nothing_stays_after_reclaim(client, bucket, proxy, houses):
    url = f"s3://{bucket}/region?endpoint={proxy.endpoint}&timeout=4"
    house = houses(url)
    house.start(limit=120)
    proxy.faults = dict(FAULTS)
    rng = random.Random(proxy.seed)
    volume = house.volume("96MiB")
    image = bytearray(96 * MIB)
    snapshots = {}
    for step in range(4):
        for _ in range(1 if step else 3):
            offset, content = rng.randrange(0, 80) * MIB, rng.randbytes((16 if step == 0 else 2) * MIB)
            house.write(volume, offset, content)
            image[offset:offset + len(content)] = content
        identifier = house.varve("snapshot", "create", volume, "--wait", limit=300)
        snapshots[identifier] = bytes(image)
    assert sum(proxy.counts.values()) > 10, proxy.counts
    shown = house.snapshots()
    assert all(one["state"] == "completed" for one in shown), shown

    # A restore, read through the faults.
    newest = list(snapshots)[-1]
    copy = house.varve("volume", "create", "--from-snapshot", newest, limit=300)
    assert read_all(house, "volume", copy) == snapshots[newest]

    # Recovered from the bucket alone, with every snapshot whole.
    house.varve("volume", "detach", copy)
    house.varve("volume", "delete", copy, limit=300)
    renewed = House(data=house.data + "-new", options=["--store", url])
    try:
        outcome = renewed.run("store", "recover", "--data", renewed.data, "--store", url, limit=300)
        assert outcome.code == 0, repr(outcome)
        renewed.start(limit=120)
        assert sorted(one["id"] for one in renewed.snapshots()) == sorted(snapshots)
        for identifier, content in snapshots.items():
            assert read_all(renewed, "snapshot", identifier) == content, identifier
        renewed.stop()
    finally:
        renewed.remove()

    # Deleted in any order, what is left stays whole; at the end nothing stays.
    order = list(snapshots)
    rng.shuffle(order)
    for identifier in order[:2]:
        house.varve("snapshot", "delete", identifier, limit=300)
    house.varve("store", "reclaim", "--grace", "0s", limit=300)
    for identifier in order[2:]:
        assert read_all(house, "snapshot", identifier) == snapshots[identifier], identifier
        house.varve("snapshot", "detach", identifier)
    proxy.faults = {}
    assert house.run("store", "verify", limit=300).code == 0
    proxy.faults = dict(FAULTS)
    for identifier in order[2:]:
        house.varve("snapshot", "delete", identifier, limit=300)
    wait_until(lambda: house.snapshots() == [], limit=120)
    for _ in range(2):
        house.varve("store", "reclaim", "--grace", "0s", limit=300)
    assert leftovers(client, bucket) == [] and client.unfinished(bucket) == []
    assert set(client.keys(bucket)) <= BOOKKEEPING
    house.stop()


def test_stale_listings_lose_nothing(client, bucket, proxy, houses):
    url = f"s3://{bucket}?endpoint={proxy.endpoint}"
    house = houses(url)
    house.start(limit=60)
    volume = house.volume("32MiB")
    contents = {}
    rng = random.Random(proxy.seed)
    for _ in range(4):
        content = rng.randbytes(4 * MIB)
        house.write(volume, 0, content)
        proxy.faults = {"stale": 0.7}
        contents[house.varve("snapshot", "create", volume, "--wait", limit=120)] = content
        # The grace period is what covers listings that lag behind.
        house.run("store", "reclaim", "--grace", "1h", limit=120)
        house.run("store", "verify", "--level", "listing", limit=120)
    assert proxy.counts.get("stale", 0) > 0, proxy.counts
    proxy.faults = {}
    assert house.run("store", "verify", limit=120).code == 0
    for identifier, content in contents.items():
        assert house.read("snapshot", identifier, 0, 4 * MIB) == content


def read_all(house, noun, identifier):
    handle = house.open(noun, identifier)
    try:
        return b"".join(read_patiently(handle, at) for at in range(0, handle.get_size(), 4 * MIB))
    finally:
        handle.shutdown()


def read_patiently(handle, at):
    for attempt in range(5):
        try:
            return bytes(handle.pread(4 * MIB, at))
        except Exception:  # The store was away for longer than a read waits.
            if attempt == 4:
                raise
