"""The procedures of a disk's life through Alibaba's newer client, signed in both ways."""
import time

import pytest

from cloud import REGION, ZONE

pytest.importorskip("alibabacloud_ecs20140526", reason="Alibaba's client is not installed: see scripts/setup")
from alibabacloud_ecs20140526 import models as m  # noqa: E402


@pytest.fixture(params=["v3", "v2"])
def ecs(cloud, request):
    return cloud.ecs(signature_algorithm=request.param) if request.param == "v2" else cloud.ecs()


def snapshot(ecs, name):
    found = ecs.describe_snapshots(m.DescribeSnapshotsRequest(region_id=REGION, snapshot_ids=f'["{name}"]')).body
    return found.snapshots.snapshot[0]


def accomplished(ecs, name):
    """Asks as users do, until it is stored; the progress never falls."""
    seen = 0
    for _ in range(600):
        one = snapshot(ecs, name)
        assert one.available is True
        percent = int(one.progress.rstrip("%"))
        assert percent >= seen and (percent == 100) == (one.status == "accomplished")
        seen = percent
        if one.status == "accomplished":
            assert int(one.remain_time) == 0
            return one
        time.sleep(0.1)
    raise AssertionError(f"{name} is not accomplished: {one}")


def refused(call, *codes):
    with pytest.raises(Exception) as caught:
        call()
    assert caught.value.code in codes, caught.value
    return caught.value


def test_the_procedure_of_the_guide(cloud, ecs):
    host = ecs.run_instances(m.RunInstancesRequest(
        region_id=REGION, image_id="m-x", instance_type="ecs.g7.large", instance_name=f"web {time.time()}",
        system_disk=m.RunInstancesRequestSystemDisk(size="40", category="cloud_essd"))).body
    host = host.instance_id_sets.instance_id_set[0]
    found = ecs.describe_instances(m.DescribeInstancesRequest(region_id=REGION, instance_ids=f'["{host}"]')).body
    assert [one.status for one in found.instances.instance] == ["Running"]
    disks = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, instance_id=host)).body.disks.disk
    assert [(one.type, one.size, one.category) for one in disks] == [("system", 40, "cloud_essd")]
    disk = disks[0].disk_id
    made = ecs.create_snapshot(m.CreateSnapshotRequest(
        disk_id=disk, snapshot_name="before-upgrade", description="some words, * and ~", retention_days=30,
        instant_access=True, tag=[m.CreateSnapshotRequestTag(key="team", value="storage + more")])).body.snapshot_id
    one = accomplished(ecs, made)
    assert one.snapshot_name == "before-upgrade" and one.description == "some words, * and ~"
    assert int(one.retention_days) == 30 and one.source_disk_id == disk and one.source_disk_type == "system"
    assert [(tag.tag_key, tag.tag_value) for tag in one.tags.tag] == [("team", "storage + more")]
    listed = ecs.describe_snapshots(m.DescribeSnapshotsRequest(region_id=REGION, instance_id=host)).body
    assert [one.snapshot_id for one in listed.snapshots.snapshot] == [made]
    ecs.modify_snapshot_attribute(m.ModifySnapshotAttributeRequest(snapshot_id=made, retention_days=60))
    assert int(snapshot(ecs, made).retention_days) == 60
    refused(lambda: ecs.modify_snapshot_attribute(m.ModifySnapshotAttributeRequest(snapshot_id=made, retention_days=5)),
            "InvalidOperation.DecreaseRetentionDaysUnsupported")
    # Only a stopped instance's disk is set back.
    back = m.ResetDiskRequest(disk_id=disk, snapshot_id=made)
    refused(lambda: ecs.reset_disk(back), "IncorrectInstanceStatus")
    ecs.stop_instance(m.StopInstanceRequest(instance_id=host))
    ecs.reset_disk(back)
    ecs.start_instance(m.StartInstanceRequest(instance_id=host))
    new = ecs.create_disk(m.CreateDiskRequest(
        region_id=REGION, zone_id=ZONE, snapshot_id=made, disk_category="cloud_essd")).body.disk_id
    assert snapshot(ecs, made).usage == "disk"
    ecs.attach_disk(m.AttachDiskRequest(instance_id=host, disk_id=new))
    ecs.detach_disk(m.DetachDiskRequest(instance_id=host, disk_id=new))
    ecs.delete_disk(m.DeleteDiskRequest(disk_id=new))
    ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id=made))
    # Once more is no error; of what nobody had it is one.
    ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id=made))
    refused(lambda: ecs.delete_snapshot(m.DeleteSnapshotRequest(snapshot_id="s-" + "0" * 20)), "InvalidSnapshotId.NotFound")
    ecs.delete_instance(m.DeleteInstanceRequest(instance_id=host, force=True))


def test_another_doors_volume_is_a_disk_with_the_same_content(cloud, ecs):
    volume = cloud.house.varve("volume", "create", "--size", "1GiB", "--name", "own").strip()
    disks = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, disk_name="own")).body.disks.disk
    ask = m.CreateSnapshotRequest(disk_id=disks[0].disk_id)
    refused(lambda: ecs.create_snapshot(ask), "IncorrectDiskStatus.NeverAttached")
    cloud.use(disks[0].disk_id)
    made = ecs.create_snapshot(ask).body.snapshot_id
    accomplished(ecs, made)
    listed = cloud.house.varve("snapshot", "list", "--output", "json")
    assert volume in listed
    cloud.house.varve("volume", "modify", volume, "--name", "own too")
    assert ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, disk_name="own")).body.disks.disk == []


def test_wrong_secrets_and_unknown_keys_are_refused(cloud):
    from cloud import Cloud
    wrong = Cloud(cloud.house, (cloud.key[0], "wrong"))
    unknown = Cloud(cloud.house, ("nobody", "wrong"))
    for more in [{}, {"signature_algorithm": "v2"}]:
        ask = m.DescribeRegionsRequest()
        error = refused(lambda: wrong.ecs(**more).describe_regions(ask), "SignatureDoesNotMatch")
        assert "server string to sign is:" in str(error)
        refused(lambda: unknown.ecs(**more).describe_regions(ask), "InvalidAccessKeyId.NotFound")
