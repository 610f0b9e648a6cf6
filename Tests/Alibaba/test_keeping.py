"""What is kept beside disks and snapshots: words, groups, wishes, tags of the older kind; and disks that begin anew."""
import datetime
import time

import pytest

from cloud import REGION, ZONE

pytest.importorskip("alibabacloud_ecs20140526", reason="Alibaba's client is not installed: see scripts/setup")
from alibabacloud_ecs20140526 import models as m  # noqa: E402


@pytest.fixture(params=["v3", "v2"])
def ecs(cloud, request):
    return cloud.ecs(signature_algorithm=request.param) if request.param == "v2" else cloud.ecs()


def new_disk(ecs, **more):
    return ecs.create_disk(m.CreateDiskRequest(
        region_id=REGION, zone_id=ZONE, size=20, disk_category="cloud_essd", **more)).body.disk_id


def shown(ecs, disk):
    (one,) = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, disk_ids=f'["{disk}"]')).body.disks.disk
    return one


def accomplished(ecs, snapshot):
    for _ in range(600):
        found = ecs.describe_snapshots(m.DescribeSnapshotsRequest(region_id=REGION, snapshot_ids=f'["{snapshot}"]')).body
        if found.snapshots.snapshot[0].status == "accomplished":
            return
        time.sleep(0.1)
    raise AssertionError(f"{snapshot} is not accomplished")


def refused(call, code):
    with pytest.raises(Exception) as caught:
        call()
    assert caught.value.code == code, caught.value


def test_words_groups_and_wishes_of_a_disk(ecs):
    group = f"rg-{time.time_ns()}"
    disk = new_disk(ecs, description="of the first kind", resource_group_id=group)
    other = new_disk(ecs)
    one = shown(ecs, disk)
    assert (one.description, one.resource_group_id) == ("of the first kind", group)
    assert (one.delete_with_instance, one.delete_auto_snapshot, one.enable_auto_snapshot) == (False, False, True)
    ecs.modify_disk_attribute(m.ModifyDiskAttributeRequest(
        disk_id=disk, description="of another", delete_auto_snapshot=True, enable_auto_snapshot=False,
        delete_with_instance=True))
    one = shown(ecs, disk)
    assert one.description == "of another"
    assert (one.delete_with_instance, one.delete_auto_snapshot, one.enable_auto_snapshot) == (True, True, False)
    join = m.JoinResourceGroupRequest(
        region_id=REGION, resource_type="disk", resource_id=other, resource_group_id=group)
    ecs.join_resource_group(join)
    refused(lambda: ecs.join_resource_group(join), "InvalidResourceGroup.Duplicate")
    found = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, resource_group_id=group)).body.disks.disk
    assert {one.disk_id for one in found} == {disk, other}
    for each in (disk, other):
        ecs.delete_disk(m.DeleteDiskRequest(disk_id=each))


def test_a_disk_begins_anew(cloud, ecs):
    disk = new_disk(ecs)
    cloud.use(disk)
    snapshot = ecs.create_snapshot(m.CreateSnapshotRequest(disk_id=disk)).body.snapshot_id
    accomplished(ecs, snapshot)
    made = new_disk(ecs, snapshot_id=snapshot)
    for _ in range(600):
        try:
            ecs.re_init_disk(m.ReInitDiskRequest(disk_id=disk))
            break
        except Exception as error:
            # Its snapshot is stored, and settled a moment later.
            assert error.code == "DiskCreatingSnapshot", error
            time.sleep(0.1)
    ecs.re_init_disk(m.ReInitDiskRequest(disk_id=made))
    assert shown(ecs, disk).status == shown(ecs, made).status == "Available"
    ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id=snapshot, force=True))
    ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id=snapshot))
    refused(lambda: ecs.re_init_disk(m.ReInitDiskRequest(disk_id=made)), "InvalidSourceSnapshot")
    for each in (disk, made):
        ecs.delete_disk(m.DeleteDiskRequest(disk_id=each))


def test_a_system_disk_is_replaced(ecs):
    name = f"anew-{time.time_ns()}"
    host = ecs.run_instances(m.RunInstancesRequest(
        region_id=REGION, instance_type="ecs.g7.large", client_token=name,
        system_disk=m.RunInstancesRequestSystemDisk(size="40", category="cloud_essd"))).body.instance_id_sets.instance_id_set[0]
    (old,) = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, instance_id=host)).body.disks.disk
    image = ecs.create_image(m.CreateImageRequest(
        region_id=REGION, instance_id=host, image_name=name, client_token=name)).body.image_id
    assert image == ecs.create_image(m.CreateImageRequest(
        region_id=REGION, instance_id=host, image_name=name, client_token=name)).body.image_id
    for _ in range(600):
        found = ecs.describe_images(m.DescribeImagesRequest(region_id=REGION, image_id=image)).body.images.image
        if found:
            break
        time.sleep(0.1)
    replace = m.ReplaceSystemDiskRequest(instance_id=host, image_id=image, client_token=name)
    refused(lambda: ecs.replace_system_disk(replace), "IncorrectInstanceStatus")
    ecs.stop_instance(m.StopInstanceRequest(instance_id=host))
    made = ecs.replace_system_disk(replace).body.disk_id
    assert made != old.disk_id and ecs.replace_system_disk(replace).body.disk_id == made
    (new,) = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, instance_id=host)).body.disks.disk
    assert (new.disk_id, new.type, new.size) == (made, "system", 40)
    ecs.delete_instance(m.DeleteInstanceRequest(instance_id=host, force=True))
    ecs.delete_image(m.DeleteImageRequest(region_id=REGION, image_id=image, force=True))


def test_tags_of_the_older_kind(ecs):
    key = f"team-{time.time_ns()}"
    disk = new_disk(ecs)
    ecs.add_tags(m.AddTagsRequest(
        region_id=REGION, resource_type="disk", resource_id=disk, tag=[m.AddTagsRequestTag(key=key, value="storage")]))
    (told,) = ecs.describe_tags(m.DescribeTagsRequest(
        region_id=REGION, tag=[m.DescribeTagsRequestTag(key=key)])).body.tags.tag
    assert (told.tag_key, told.tag_value, told.resource_type_count.disk) == (key, "storage", 1)
    ecs.remove_tags(m.RemoveTagsRequest(
        region_id=REGION, resource_type="disk", resource_id=disk, tag=[m.RemoveTagsRequestTag(key=key)]))
    assert ecs.describe_tags(m.DescribeTagsRequest(
        region_id=REGION, tag=[m.DescribeTagsRequestTag(key=key)])).body.tags.tag == []
    ecs.delete_disk(m.DeleteDiskRequest(disk_id=disk))


def test_a_policy_by_tags_and_what_snapshots_take(ecs):
    policy = ecs.create_auto_snapshot_policy(m.CreateAutoSnapshotPolicyRequest(
        region_id=REGION, auto_snapshot_policy_name="by-tag", repeat_weekdays='["1"]', time_points='["3"]',
        retention_days=7, association_type="AssociatedWithInstanceTag",
        target_tags=[m.CreateAutoSnapshotPolicyRequestTargetTags(key="team", value="storage")])).body.auto_snapshot_policy_id
    (one,) = ecs.describe_auto_snapshot_policy_ex(m.DescribeAutoSnapshotPolicyExRequest(
        region_id=REGION, auto_snapshot_policy_id=policy)).body.auto_snapshot_policies.auto_snapshot_policy
    assert one.association_type == "AssociatedWithInstanceTag"
    assert [(tag.tag_key, tag.tag_value) for tag in one.target_tags.target_tag] == [("team", "storage")]
    ecs.delete_auto_snapshot_policy(m.DeleteAutoSnapshotPolicyRequest(region_id=REGION, auto_snapshot_policy_id=policy))
    now = datetime.datetime.now(datetime.timezone.utc)
    told = ecs.describe_snapshot_monitor_data(m.DescribeSnapshotMonitorDataRequest(
        region_id=REGION, start_time=(now - datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        end_time=now.strftime("%Y-%m-%dT%H:%MZ"))).body.monitor_data.data_point
    assert all(point.size >= 0 and point.time_stamp.endswith(":00:00Z") for point in told)
