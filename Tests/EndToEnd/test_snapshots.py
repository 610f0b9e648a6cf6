"""Snapshots by the command line."""
import os
import random
import re
import subprocess

import nbd
import pytest

from house import MIB, wait_until

ID = re.compile(r"snap-[0-9a-f]{17}\Z")


def written(house, size="16MiB", seed=1):
    """A volume with random content, and that content."""
    content = random.Random(seed).randbytes(3 * MIB) + bytes(13 * MIB)
    volume = house.volume(size)
    house.write(volume, 0, content[:3 * MIB])
    return volume, content


def test_create_prints_the_id_and_wait_means_completed(house):
    volume, _ = written(house)
    outcome = house.run("snapshot", "create", volume, "--name", "first", "--description", "before", "--wait")
    assert outcome.code == 0 and outcome.err == ""
    snapshot = outcome.out.rstrip("\n")
    assert ID.match(snapshot)
    shown = house.show("snapshot", snapshot)
    assert shown["state"] == "completed" and shown["progress"] == 1
    assert shown["volumeId"] == volume and shown["volumeSizeBytes"] == 16 * MIB
    assert shown["name"] == "first" and shown["description"] == "before"
    assert shown["changedBytes"] == 3 * MIB
    assert 3 * MIB <= shown["storedBytes"] <= 3.3 * MIB
    assert shown["exclusiveBytes"] >= 3 * MIB
    assert shown["createdAt"] <= shown["completedAt"]
    assert house.show("volume", volume)["parentSnapshotId"] == snapshot
    assert house.show("volume", volume)["dirtyBytes"] == 0


def test_the_second_stores_what_changed(house):
    volume, _ = written(house)
    first = house.snapshot(volume)
    house.write(volume, 8 * MIB, os.urandom(64 * 1024))
    second = house.show("snapshot", house.snapshot(volume))
    assert second["parentId"] == first
    assert second["changedBytes"] == 64 * 1024
    assert 64 * 1024 <= second["storedBytes"] <= 64 * 1024 * 1.15


def test_a_snapshot_is_a_read_only_disk(house):
    volume, content = written(house)
    snapshot = house.snapshot(volume)
    house.write(volume, 0, os.urandom(MIB))
    handle = house.open("snapshot", snapshot)
    assert handle.is_read_only()
    assert bytes(handle.pread(16 * MIB, 0)) == content
    with pytest.raises(nbd.Error) as refusal:
        handle.set_strict_mode(0)
        handle.pwrite(b"x" * 512, 0)
    assert refusal.value.errno == "EPERM"
    handle.shutdown()
    house.varve("snapshot", "detach", snapshot)


def test_a_restored_volume_is_the_snapshot(house):
    volume, content = written(house)
    snapshot = house.snapshot(volume)
    restored = house.varve("volume", "create", "--from-snapshot", snapshot, "--size", "20MiB")
    assert house.read("volume", restored, 0, 20 * MIB) == content + bytes(4 * MIB)


def test_a_restore_that_is_waited_for_needs_its_snapshot_no_more(house):
    volume, content = written(house)
    snapshot = house.snapshot(volume)
    restored = house.varve("volume", "create", "--from-snapshot", snapshot, "--wait")
    assert house.show("volume", restored)["hydration"]["isComplete"]
    house.varve("volume", "detach", volume)
    house.varve("volume", "rollback", volume, snapshot, "--wait")
    assert house.show("volume", volume)["hydration"]["isComplete"]
    house.varve("snapshot", "delete", snapshot)
    house.varve("store", "reclaim", "--grace", "0s")
    for one in (restored, volume):
        assert house.read("volume", one, 0, 16 * MIB) == content


def test_rollback_sets_the_content_back(house):
    volume, content = written(house)
    snapshot = house.snapshot(volume)
    house.write(volume, MIB, os.urandom(5 * MIB))
    assert volume in house.refused("volume", "rollback", volume, snapshot), "attached"
    house.varve("volume", "detach", volume)
    house.varve("volume", "rollback", volume, snapshot)
    assert house.read("volume", volume, 0, 16 * MIB) == content


def test_a_group_is_cut_at_one_instant(house):
    volumes = [house.volume("1MiB") for _ in range(3)]
    for number, volume in enumerate(volumes):
        house.write(volume, 0, bytes([number + 1]) * 4096)
    ids = house.varve("snapshot", "create", *volumes, "--group", "--wait").split()
    assert len(ids) == 3 and all(ID.match(one) for one in ids)
    shown = [house.show("snapshot", one) for one in ids]
    assert [one["volumeId"] for one in shown] == volumes
    assert len({one["groupId"] for one in shown}) == 1
    for number, one in enumerate(ids):
        assert house.read("snapshot", one, 0, 4096) == bytes([number + 1]) * 4096
        house.varve("snapshot", "detach", one)


def test_diff_names_what_differs(house):
    volume, _ = written(house)
    first = house.snapshot(volume)
    house.write(volume, 4096 * 700, os.urandom(8192))
    house.write(volume, 4096 * 1000, os.urandom(100))
    second = house.snapshot(volume)
    diff = house.json("snapshot", "diff", first, second)
    assert diff == {
        "ranges": [{"offset": 4096 * 700, "length": 8192}, {"offset": 4096 * 1000, "length": 4096}], "bytes": 12288}
    assert house.json("snapshot", "diff", second, first) == diff
    assert house.json("snapshot", "diff", first, first) == {"ranges": [], "bytes": 0}


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_export_makes_an_image(house, tmp_path, form):
    volume, content = written(house)
    snapshot = house.snapshot(volume)
    image, expected = tmp_path / "disk.img", tmp_path / "expected.img"
    expected.write_bytes(content)
    house.varve("snapshot", "export", snapshot, image, "--format", form)
    compared = subprocess.run(
        ["qemu-img", "compare", "-f", form, "-F", "raw", image, expected], capture_output=True, text=True)
    assert compared.returncode == 0, compared.stdout
    assert "there already" in house.refused("snapshot", "export", snapshot, image)
    house.varve("snapshot", "export", snapshot, image, "--format", form, "--force")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk.img", "expected.img"]
    assert house.show("snapshot", snapshot).get("uri") is None


def test_verify_finds_a_sound_snapshot_sound(house):
    volume, _ = written(house)
    first = house.snapshot(volume)
    outcome = house.run("snapshot", "verify", first)
    assert outcome.code == 0 and "sound" in outcome.err
    assert house.json("snapshot", "verify", first, "--level", "live")["comparedBytes"] > 0
    house.snapshot(volume)
    outcome = house.run("snapshot", "verify", first, "--level", "live")
    assert outcome.code == 0 and "no volume counts its changes from it" in outcome.err
    house.refused("snapshot", "verify", first, "--level", "deep", code=2)


def test_snapshots_go_in_any_order_and_the_rest_stay_whole(house):
    volume = house.volume("8MiB")
    seed, model, taken = random.Random(5), bytearray(8 * MIB), {}
    for _ in range(8):
        for _ in range(20):
            offset = seed.randrange(0, 8 * MIB // 4096) * 4096
            content = seed.randbytes(4096)
            model[offset:offset + 4096] = content
            house.write(volume, offset, content)
        taken[house.snapshot(volume)] = bytes(model)
    order = list(taken)
    seed.shuffle(order)
    while order:
        house.varve("snapshot", "delete", order.pop())
        house.varve("store", "reclaim", "--grace", "0s")
        for left in order:
            assert house.read("snapshot", left, 0, 8 * MIB) == taken[left]
            house.varve("snapshot", "detach", left)
    house.varve("store", "verify")


def test_list_shows_those_of_one_volume(house):
    one, other = house.volume("1MiB"), house.volume("1MiB")
    of_one, of_other = house.snapshot(one), house.snapshot(other)
    listed = [snapshot["id"] for snapshot in house.json("snapshot", "list", "--volume", one)["snapshots"]]
    assert listed == [of_one]
    table = house.varve("snapshot", "list")
    assert of_one in table and of_other in table


def test_a_snapshot_outlives_its_volume(house):
    volume, content = written(house)
    snapshot = house.snapshot(volume)
    house.varve("volume", "detach", volume)
    house.varve("volume", "delete", volume)
    restored = house.varve("volume", "create", "--from-snapshot", snapshot)
    assert house.read("volume", restored, 0, 16 * MIB) == content


def test_watch_returns_when_completed(house):
    volume, _ = written(house)
    snapshot = house.varve("snapshot", "create", volume)
    house.varve("snapshot", "watch", snapshot)
    assert house.show("snapshot", snapshot)["state"] == "completed"


def test_tasks_are_listed(house):
    volume, _ = written(house)
    snapshot = house.snapshot(volume)
    tasks = house.json("task", "list")["tasks"]
    task = next(one for one in tasks if one["subjectId"] == snapshot)
    assert house.run("task", "show", task["id"]).code == 0
    assert snapshot in house.varve("task", "list")


def test_rollback_to_a_snapshot_that_is_still_pending(fresh):
    house = fresh.start()
    store, away = os.path.join(house.data, "store"), os.path.join(house.data, "store-away")
    volume, content = written(house)
    os.rename(store, away)
    snapshot = house.varve("snapshot", "create", volume)
    house.write(volume, MIB, os.urandom(5 * MIB))
    house.varve("volume", "detach", volume)
    house.varve("volume", "rollback", volume, snapshot)
    assert house.read("volume", volume, 0, 16 * MIB) == content
    assert house.show("snapshot", snapshot)["state"] == "pending"
    assert [one["id"] for one in house.volumes()] == [volume]
    assert house.show("volume", volume)["pendingSnapshotIds"] == [snapshot]
    os.rename(away, store)
    wait_until(lambda: house.show("snapshot", snapshot)["state"] == "completed")
    wait_until(lambda: not house.show("volume", volume)["pendingSnapshotIds"])
    assert house.read("volume", volume, 0, 16 * MIB) == content
    assert house.read("snapshot", snapshot, 0, 16 * MIB) == content
