"""The object store: status, reclaim, damage, recovery."""
import hashlib
import json
import os
import pathlib
import random

import pytest

from house import House, MIB, wait_until


def filled(house, seed=3):
    volume = house.volume("16MiB")
    content = random.Random(seed).randbytes(4 * MIB)
    house.write(volume, MIB, content)
    return volume, content, house.snapshot(volume)


def packs(house):
    store = pathlib.Path(house.data) / "store"
    return sorted(path for path in store.rglob("*") if path.is_file() and "pack" in str(path.relative_to(store)))


def test_status_counts(fresh):
    house = fresh.start()
    status = house.json("store", "status")
    assert status["isReachable"] is True and status["snapshotCount"] == 0
    _, _, snapshot = filled(house)
    status = house.json("store", "status")
    assert status["snapshotCount"] == 1 and status["storedBytes"] >= 4 * MIB and status["packCount"] >= 1
    house.varve("snapshot", "delete", snapshot)
    assert house.json("store", "status")["snapshotCount"] == 0
    assert house.varve("store", "status").startswith("location:")


def test_reclaim_frees_only_what_nothing_needs(fresh):
    house = fresh.start()
    volume, content, first = filled(house)
    house.write(volume, 10 * MIB, os.urandom(MIB))
    second = house.snapshot(volume)
    before = house.json("store", "status")["storedBytes"]
    house.varve("snapshot", "delete", first)
    kept = house.json("store", "reclaim")
    assert kept["freedBytes"] == 0, "the grace period is a day"
    house.json("store", "reclaim", "--grace", "0s")
    assert house.read("snapshot", second, MIB, 4 * MIB) == content
    house.varve("snapshot", "detach", second)
    house.varve("snapshot", "delete", second)
    house.json("store", "reclaim", "--grace", "0s")
    house.json("store", "reclaim", "--grace", "0s")
    after = house.json("store", "status")["storedBytes"]
    assert after < before / 10


def test_verify_has_levels(house):
    filled(house)
    for level in ["listing", "structure", "sample", "everything", "live"]:
        assert house.run("store", "verify", "--level", level).code == 0
    house.refused("store", "verify", "--level", "deep", code=2)


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_a_damaged_pack_is_found_and_named(fresh, damage):
    house = fresh.start()
    volume, _, snapshot = filled(house)
    house.stop()
    victim = max(packs(house), key=lambda path: path.stat().st_size)
    if damage == "truncate":
        os.truncate(victim, victim.stat().st_size // 2)
    elif damage == "remove":
        victim.unlink()
    else:
        with open(victim, "r+b") as file:
            file.seek(victim.stat().st_size // 3)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 0x40]))
    house.start()
    outcome = house.run("snapshot", "verify", snapshot)
    assert outcome.code == 1 and outcome.err.strip() and snapshot in outcome.err, repr(outcome)
    # The volume still had what the pack held.
    assert house.show("snapshot", snapshot).get("damage") is None
    assert house.run("store", "verify").code == 0
    assert house.show("volume", volume)["state"] in ("available", "in-use"), "the volume itself is whole"


def test_recover_from_the_store_alone(fresh, tmp_path):
    house = fresh.start()
    _, content, snapshot = filled(house)
    house.stop()
    renewed = House(data=str(tmp_path / "new"))
    try:
        outcome = renewed.run("store", "recover", "--data", renewed.data, "--store", house.data + "/store")
        assert outcome.code == 0 and outcome.out == "", repr(outcome)
        renewed.start()
        assert [one["id"] for one in renewed.snapshots()] == [snapshot]
        volume = renewed.varve("volume", "create", "--from-snapshot", snapshot)
        assert renewed.read("volume", volume, MIB, 4 * MIB) == content
        renewed.stop()
        again = renewed.run("store", "recover", "--data", renewed.data, "--store", house.data + "/store")
        assert again.code == 1 and renewed.data in again.err
    finally:
        renewed.remove()


@pytest.mark.parametrize("store", ["missing", "empty", "file"])
def test_recover_from_what_is_no_store_is_refused(fresh, tmp_path, store):
    place = tmp_path / "store"
    if store == "empty":
        place.mkdir()
    if store == "file":
        place.write_text("not a directory")
    outcome = fresh.run("store", "recover", "--data", tmp_path / "new", "--store", place)
    assert outcome.code == 1 and outcome.err.strip(), repr(outcome)


@pytest.mark.parametrize("damage", ["corrupt", "missing"])
def test_a_store_that_cannot_be_used_says_why_and_disks_go_on(fresh, damage):
    house = fresh.start()
    volume, content, _ = filled(house)
    house.stop()
    path = pathlib.Path(house.data, "store", "repository.json")
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    before = path.read_bytes() if path.exists() else None
    house.start()
    assert house.read("volume", volume, MIB, 4 * MIB) == content
    status = house.json("store", "status")
    assert status["isReachable"] is False and status["reason"], status
    snapshot = house.varve("snapshot", "create", volume)
    shown = wait_until(
        lambda: (lambda one: one if one.get("reason") else None)(house.show("snapshot", snapshot)),
        message="no reason was shown")
    assert shown["state"] in ("pending", "error"), shown
    assert (path.read_bytes() if path.exists() else None) == before, "nothing is written over it"


def test_a_store_of_a_newer_version_is_refused_untouched(fresh):
    house = fresh.start()
    house.stop()
    path = pathlib.Path(house.data, "store", "repository.json")
    record = path.read_bytes().split(b"\n")[0]
    newer = json.dumps(dict(json.loads(record), version=99)).encode()
    path.write_bytes(newer + b"\nsha256 " + hashlib.sha256(newer).hexdigest().encode() + b"\n")
    before = path.read_bytes()
    house.launch()
    assert house.process.wait(30) == 1
    house.process = None
    assert "version 99" in house.said() and "Fatal error" not in house.said()
    assert path.read_bytes() == before
