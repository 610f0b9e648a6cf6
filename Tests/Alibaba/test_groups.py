"""Groups, images and locks through Alibaba's newer client, and nodes and images through libcloud."""
import time

import pytest

from cloud import REGION

pytest.importorskip("alibabacloud_ecs20140526", reason="Alibaba's client is not installed: see scripts/setup")
from alibabacloud_ecs20140526 import models as m  # noqa: E402


def accomplished(ecs, name):
    for _ in range(600):
        found = ecs.describe_snapshots(m.DescribeSnapshotsRequest(region_id=REGION, snapshot_ids=f'["{name}"]')).body
        if found.snapshots.snapshot[0].status == "accomplished":
            return found.snapshots.snapshot[0]
        time.sleep(0.1)
    raise AssertionError(f"{name} is not accomplished")


def test_a_group_an_image_and_a_lock(cloud):
    ecs = cloud.ecs()
    host = ecs.run_instances(m.RunInstancesRequest(
        region_id=REGION, instance_type="ecs.g7.large", instance_name="grouped",
        system_disk=m.RunInstancesRequestSystemDisk(size="40", category="cloud_essd"),
        data_disk=[m.RunInstancesRequestDataDisk(size=20, category="cloud_essd")])).body.instance_id_sets.instance_id_set[0]
    group = ecs.create_snapshot_group(m.CreateSnapshotGroupRequest(
        region_id=REGION, instance_id=host, name="both", description="one cut",
        tag=[m.CreateSnapshotGroupRequestTag(key="k", value="v")])).body.snapshot_group_id
    found = ecs.describe_snapshot_groups(m.DescribeSnapshotGroupsRequest(
        region_id=REGION, snapshot_group_id=[group])).body.snapshot_groups.snapshot_group
    assert [one.name for one in found] == ["both"] and len(found[0].snapshots.snapshot) == 2
    system = [one for one in found[0].snapshots.snapshot if one.source_disk_type == "system"][0]
    assert [(tag.key, tag.value) for tag in system.tags.tag] == [("k", "v")]
    accomplished(ecs, system.snapshot_id)
    image = ecs.create_image(m.CreateImageRequest(
        region_id=REGION, snapshot_id=system.snapshot_id, image_name=f"golden-{time.time()}")).body.image_id
    images = ecs.describe_images(m.DescribeImagesRequest(region_id=REGION, image_id=image)).body.images.image
    assert [one.disk_device_mappings.disk_device_mapping[0].snapshot_id for one in images] == [system.snapshot_id]
    assert image in [one.id for one in cloud.libcloud().list_images()]
    assert host in [one.id for one in cloud.libcloud().list_nodes()]
    with pytest.raises(Exception) as caught:
        ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id=system.snapshot_id))
    assert caught.value.code == "SnapshotCreatedImage"
    ecs.delete_image(m.DeleteImageRequest(region_id=REGION, image_id=image))
    locked = ecs.lock_snapshot(m.LockSnapshotRequest(
        region_id=REGION, snapshot_id=system.snapshot_id, lock_mode="compliance", lock_duration=1, cool_off_period=1)).body
    assert locked.locked_snapshot_info.lock_status == "compliance-cooloff"
    with pytest.raises(Exception) as caught:
        ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id=system.snapshot_id))
    assert caught.value.code == "InvalidOperation.SnapshotIsLocked"
    ecs.unlock_snapshot(m.UnlockSnapshotRequest(region_id=REGION, snapshot_id=system.snapshot_id))
    outcome = ecs.delete_snapshot_group(m.DeleteSnapshotGroupRequest(region_id=REGION, snapshot_group_id=group)).body
    assert [one.operation_status for one in outcome.operation_progress_set.operation_progress] == ["Success", "Success"]
