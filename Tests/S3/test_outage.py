"""A store that goes away: disks go on, snapshots wait and finish, the server says so and stays ready."""
import os
import urllib.request

from house import MIB, wait_until


def fetch(house, path):
    with urllib.request.urlopen(house.endpoint + path, timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_disks_go_on_and_snapshots_wait_and_finish(bucket, proxy, houses):
    house = houses(f"s3://{bucket}/x?endpoint={proxy.endpoint}&timeout=2")
    house.start(limit=60)
    volume = house.volume("32MiB")
    content = os.urandom(4 * MIB)
    house.write(volume, 0, content)
    assert fetch(house, "/readyz") == (200, "ok\n")
    proxy.stop()
    snapshot = house.varve("snapshot", "create", volume)
    status, text = wait_until(
        lambda: (lambda found: found if found[1] != "ok\n" else None)(fetch(house, "/readyz")), limit=60,
        message="it was never degraded")
    assert status == 200 and text.startswith("degraded: "), text
    assert bucket not in text and "VARVE" not in text, "strangers are told no more than that"
    assert "varve_store_degraded 1" in fetch(house, "/metrics")[1]
    house.write(volume, 0, b"\x55" * MIB)
    assert house.read("volume", volume, 0, MIB) == b"\x55" * MIB
    assert house.show("snapshot", snapshot)["state"] == "pending"
    reason = wait_until(lambda: house.show("snapshot", snapshot).get("reason"), limit=60)
    assert "endpoint=" in reason, reason
    shown = house.json("store", "status")
    assert shown["isReachable"] is False and "endpoint=" in shown["reason"], shown

    # Also a server that starts while the store is away serves its disks.
    house.stop()
    house.start(limit=60)
    assert house.read("volume", volume, 0, MIB) == b"\x55" * MIB
    proxy.start()
    wait_until(lambda: house.show("snapshot", snapshot)["state"] == "completed", limit=120,
               message="the snapshot was not finished")
    wait_until(lambda: fetch(house, "/readyz") == (200, "ok\n"), limit=60, message="it stayed degraded")
    assert house.read("snapshot", snapshot, 0, 4 * MIB) == content
    metrics = fetch(house, "/metrics")[1]
    assert "varve_store_degraded 0" in metrics and 'varve_store_requests_total{operation="put_if_absent",outcome="ok"}' in metrics
    house.stop()
