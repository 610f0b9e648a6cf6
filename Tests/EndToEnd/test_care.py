"""Looking after the store: scrubs, damage, healing, restoring around it, metrics, and what an operator reads."""
import pathlib
import random
import urllib.request

import nbd
import pytest
from prometheus_client.parser import text_string_to_metric_families

from house import MIB, wait_until

FRAME = 128 << 10


def filled(house, seed=3):
    volume = house.volume("16MiB")
    content = random.Random(seed).randbytes(4 * MIB)
    house.write(volume, MIB, content)
    return volume, content, house.snapshot(volume)


def first_pack(house, snapshot):
    return sorted((pathlib.Path(house.data) / "store/packs" / snapshot).iterdir())[0]


def flip(path, place=1000):
    content = bytearray(path.read_bytes())
    content[place] ^= 0x40
    path.write_bytes(content)


def metrics(house):
    """Every sample of /metrics by name and labels, as a strict parser reads it."""
    with urllib.request.urlopen(house.endpoint + "/metrics", timeout=10) as answer:
        text = answer.read().decode()
    samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, f"{family.name} has no HELP"
        assert family.type in ("counter", "gauge", "histogram"), family
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, f"{key} comes twice"
            assert sample.value >= 0, sample
            samples[key] = sample.value
            if family.type == "counter":
                assert sample.name.endswith("_total"), sample.name
    assert text.endswith("\n")
    return samples


def test_damage_is_healed_from_the_volume(fresh):
    house = fresh.start()
    volume, content, snapshot = filled(house)
    flip(first_pack(house, snapshot))
    outcome = house.run("store", "scrub", "--now")
    assert outcome.code == 0 and "1 frames healed, no snapshot lacks anything" in outcome.out, outcome
    assert first_pack(house, snapshot).name in outcome.err, "what was damaged is named all the same"
    assert house.show("snapshot", snapshot).get("damage") is None
    assert house.varve("store", "verify") == ""
    house.varve("volume", "detach", volume)
    house.varve("volume", "delete", volume)
    assert house.read("snapshot", snapshot, MIB, 4 * MIB) == content
    assert house.json("store", "reclaim", "--grace", "0s")["freedPacks"] >= 1, "nothing needs the damaged pack"
    assert house.run("store", "scrub", "--now").code == 0
    seen = metrics(house)
    assert seen["varve_healed_frames_total", ()] == 1
    assert seen["varve_scrub_findings_total", ()] == 1


def test_what_cannot_be_healed_is_degraded_until_it_is_back(fresh):
    house = fresh.start()
    volume, content, snapshot = filled(house)
    house.write(volume, MIB, bytes(4 * MIB))
    later = house.snapshot(volume)
    pack = first_pack(house, snapshot)
    flip(pack)
    assert house.run("store", "scrub", "--now").code == 1
    damage = house.show("snapshot", snapshot)["damage"]
    assert damage["bytes"] == FRAME and damage["ranges"] == [{"offset": MIB, "length": FRAME}]
    assert house.show("snapshot", later).get("damage") is None
    assert "degraded" in house.varve("snapshot", "list")
    shown = house.varve("snapshot", "show", snapshot)
    assert f"bytes {MIB} to {MIB + FRAME}" in shown and "cannot be read" in shown
    assert metrics(house)["varve_snapshots_degraded", ()] == 1

    status = house.varve("store", "status")
    assert snapshot in status and "--skip-damaged" in status and "1 snapshot is degraded" in status
    told = house.refused("volume", "create", "--from-snapshot", snapshot)
    assert "degraded" in told and str(MIB) in told and "--skip-damaged" in told

    holey = house.run("volume", "create", "--from-snapshot", snapshot, "--skip-damaged")
    assert holey.code == 0 and "holes" in holey.err
    restored = holey.out.strip()
    assert house.show("volume", restored)["holes"] == damage["ranges"]
    expected = bytes(FRAME) + content[FRAME:]
    assert house.read("volume", restored, MIB, 4 * MIB) == expected
    house.stop()
    house.start()
    assert "zeros at" in house.varve("volume", "show", restored)
    assert house.show("snapshot", snapshot)["damage"]["bytes"] == FRAME

    flip(pack)
    assert house.run("store", "scrub", "--now").code == 0
    assert house.show("snapshot", snapshot).get("damage") is None
    # It may still advise to reclaim: how much of the store is not needed is another matter.
    assert "is degraded" not in house.varve("store", "status")
    strict = house.varve("volume", "create", "--from-snapshot", snapshot)
    assert house.read("volume", strict, MIB, 4 * MIB) == content
    assert house.read("volume", restored, MIB, FRAME) == bytes(FRAME), "its hole stays as it was seen"


def test_a_strict_restore_fails_on_the_lost_blocks_alone(fresh):
    house = fresh.start()
    volume, content, snapshot = filled(house)
    house.write(volume, MIB, bytes(4 * MIB))
    flip(first_pack(house, snapshot))
    waited = house.run("volume", "create", "--from-snapshot", snapshot, "--wait")
    assert waited.code == 1 and "cannot be restored in full" in waited.err
    restored = waited.out.strip()
    handle = house.open("volume", restored)
    with pytest.raises(nbd.Error) as failure:
        handle.pread(4096, MIB)
    assert failure.value.errno == "EIO"
    assert bytes(handle.pread(FRAME, MIB + FRAME)) == content[FRAME:2 * FRAME]
    rest = wait_until(
        lambda: house.show("volume", restored)["hydration"]["remainingBytes"] == FRAME
        and house.show("volume", restored))
    assert rest["reason"]
    handle.pwrite(b"x" * FRAME, MIB)
    assert bytes(handle.pread(4096, MIB)) == b"x" * 4096
    handle.shutdown()


def test_metrics_are_what_a_strict_parser_takes(fresh):
    house = fresh.start()
    volume, _, snapshot = filled(house)
    handle = house.open("volume", volume)
    for place in range(32):
        handle.pread(4096, place * 4096)
    handle.flush()
    with pytest.raises(nbd.Error):
        handle.set_strict_mode(0)
        handle.pread(4096, 16 * MIB)
    house.json("store", "reclaim", "--grace", "0s")
    seen = metrics(house)
    label = ("export", volume)
    reads = ("varve_nbd_requests_total", (label, ("operation", "read")))
    assert seen[reads] >= 32
    assert seen["varve_nbd_request_duration_seconds_count", (label, ("operation", "read"))] == seen[reads]
    assert seen["varve_nbd_request_bytes_total", (label, ("operation", "write"))] >= 4 * MIB
    assert seen["varve_nbd_connections", (label,)] == 1
    buckets = [
        (float(dict(labels)["le"]), value) for (name, labels), value in seen.items()
        if name == "varve_nbd_request_duration_seconds_bucket" and dict(labels)["operation"] == "read"]
    counts = [value for _, value in sorted(buckets)]
    assert counts == sorted(counts) and counts[-1] == seen[reads]
    assert seen["varve_volume_size_bytes", (("volume", volume),)] == 16 * MIB
    assert seen["varve_volume_cuts_total", (("volume", volume),)] == 1
    assert seen["varve_uploads_completed_total", ()] == 1
    assert seen["varve_snapshots", (("state", "completed"),)] == 1
    assert seen["varve_store_sent_bytes_total", ()] >= 4 * MIB
    assert seen["varve_store_requests_total", (("operation", "put_if_absent"), ("outcome", "ok"))] >= 2
    assert seen["varve_reclaims_total", ()] == 1
    assert seen["process_resident_memory_bytes", ()] > MIB and seen["process_open_fds", ()] > 5
    assert seen["varve_http_requests_total", (("class", "ok"),)] > 0
    handle.shutdown()
    assert metrics(house)[reads] >= seen[reads], "counts outlive their connection"


def test_the_scrub_is_shown_and_set(fresh):
    fresh.options = ["--scrub-every", "off"]
    house = fresh.start()
    filled(house)
    wait_until(lambda: "everySeconds" not in house.json("store", "scrub"))
    assert "off" in house.varve("store", "scrub")
    assert "varve store scrub --now" in house.varve("store", "status")
    assert "all well" in house.varve("store", "scrub", "--now")
    kinds = {task["kind"]: task["state"] for task in house.json("task", "list")["tasks"]}
    assert kinds["scrub-store"] == "succeeded"
    house.stop()
    for wrong in ["5s", "soon", ""]:
        house.options = ["--scrub-every", wrong]
        house.launch()
        assert house.process.wait(30) == 2
        house.process = None
        assert "--scrub-every" in house.said()


def test_status_tells_what_waits_and_why(fresh):
    house = fresh.start()
    volume, _, _ = filled(house)
    store = pathlib.Path(house.data) / "store"
    store.rename(store.with_name("away"))
    house.write(volume, 0, b"y" * 4096)
    pending = house.varve("snapshot", "create", volume)
    status = wait_until(lambda: [
        one for one in [house.json("store", "status")]
        if not one["isReachable"] and one["pending"] and one["pending"][0].get("reason")], limit=90)[0]
    assert status["pending"][0]["id"] == pending
    assert any("does not answer" in sentence for sentence in status["advice"])
    text = house.varve("store", "status")
    assert pending in text and "waits:" in text and "Volumes go on" in text
    ready = urllib.request.urlopen(house.endpoint + "/readyz", timeout=10)
    assert ready.status == 200 and b"degraded" in ready.read()
    assert "the store does not work, snapshots wait" in house.said()
    assert metrics(house)["varve_uploads", ()] == 1
    store.with_name("away").rename(store)
    wait_until(lambda: house.show("snapshot", pending)["state"] == "completed", limit=120)
