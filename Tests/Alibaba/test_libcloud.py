"""apache-libcloud, which reads XML."""
import time

import pytest

pytest.importorskip("libcloud", reason="apache-libcloud is not installed: see scripts/setup")


def test_volumes_and_their_snapshots(cloud):
    driver = cloud.libcloud()
    assert [place.id for place in driver.list_locations()]
    volume = driver.create_volume(20, "lib-cloud", location=driver.list_locations()[0], ex_zone_id="us-east-1a",
                                  ex_disk_category="cloud_ssd")
    assert volume.size == 20 and volume.id.startswith("d-")
    cloud.use(volume.id)
    made = driver.create_volume_snapshot(volume, "a-snapshot")
    for _ in range(300):
        found = driver.list_volume_snapshots(volume)
        if found[0].extra["progress"] == "100%":
            break
        time.sleep(0.1)
    assert [one.id for one in found] == [made.id] and found[0].extra["progress"] == "100%"
    assert driver.destroy_volume_snapshot(made) and driver.list_volume_snapshots(volume) == []
    assert driver.destroy_volume(volume) and volume.id not in [one.id for one in driver.list_volumes()]
