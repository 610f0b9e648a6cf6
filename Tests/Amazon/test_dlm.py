"""Data Lifecycle Manager through boto3: policies, their tags, and the snapshots that they take."""
import time

import pytest

from cloud import REGION
from test_ec2 import refused

ZONE = REGION + "a"
ROLE = "arn:aws:iam::123456789012:role/dlm"


def details(**schedule):
    return {
        "ResourceTypes": ["VOLUME"], "TargetTags": [{"Key": "dlm-test", "Value": "yes"}],
        "Schedules": [{
            "Name": "Daily", "CopyTags": True, "TagsToAdd": [{"Key": "by", "Value": "dlm"}],
            "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]},
            "RetainRule": {"Interval": 2, "IntervalUnit": "WEEKS"}, **schedule}]}


@pytest.fixture
def policy(cloud):
    dlm = cloud.client("dlm")
    made = dlm.create_lifecycle_policy(
        ExecutionRoleArn=ROLE, Description="nightly backups", State="ENABLED", PolicyDetails=details(), Tags={"cost": "low"})
    yield made["PolicyId"]
    try:
        dlm.delete_lifecycle_policy(PolicyId=made["PolicyId"])
    except dlm.exceptions.ResourceNotFoundException:
        pass


def test_a_policy_from_its_making_to_its_end(cloud, other, policy):
    dlm, eve = cloud.client("dlm"), other.client("dlm")
    shown = dlm.get_lifecycle_policy(PolicyId=policy)["Policy"]
    assert shown["State"] == "ENABLED" and shown["Tags"] == {"cost": "low"} and shown["ExecutionRoleArn"] == ROLE
    (schedule,) = shown["PolicyDetails"]["Schedules"]
    assert schedule["CreateRule"] == {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]}
    assert schedule["RetainRule"] == {"Interval": 2, "IntervalUnit": "WEEKS"}
    listed = dlm.get_lifecycle_policies(PolicyIds=[policy], State="ENABLED", TargetTags=["dlm-test=yes"])["Policies"]
    assert [one["PolicyId"] for one in listed] == [policy]
    dlm.update_lifecycle_policy(PolicyId=policy, State="DISABLED", PolicyDetails=details(RetainRule={"Count": 3}))
    shown = dlm.get_lifecycle_policy(PolicyId=policy)["Policy"]
    assert shown["State"] == "DISABLED" and shown["PolicyDetails"]["Schedules"][0]["RetainRule"] == {"Count": 3}
    arn = shown["PolicyArn"]
    dlm.tag_resource(ResourceArn=arn, Tags={"a": "1"})
    dlm.untag_resource(ResourceArn=arn, TagKeys=["cost"])
    assert dlm.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "1"}
    assert eve.get_lifecycle_policies()["Policies"] == []
    for call in (eve.get_lifecycle_policy, eve.delete_lifecycle_policy):
        code, _, status = refused(call, PolicyId=policy)
        assert (code, status) == ("ResourceNotFoundException", 404)
    dlm.delete_lifecycle_policy(PolicyId=policy)
    assert refused(dlm.get_lifecycle_policy, PolicyId=policy)[0] == "ResourceNotFoundException"


def test_what_a_policy_takes_has_its_tags(cloud, policy):
    ec2 = cloud.client()
    volume = ec2.create_volume(
        AvailabilityZone=ZONE, Size=1,
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "dlm-test", "Value": "yes"}]}])["VolumeId"]
    cloud.house.varve("policy", "run", policy)
    wanted = [{"Name": "tag:aws:dlm:lifecycle-policy-id", "Values": [policy]}]
    for _ in range(60):
        found = ec2.describe_snapshots(Filters=wanted)["Snapshots"]
        if found:
            break
        time.sleep(0.5)
    (snapshot,) = found
    tags = {one["Key"]: one["Value"] for one in snapshot["Tags"]}
    assert snapshot["VolumeId"] == volume and tags["dlm-test"] == "yes" and tags["by"] == "dlm"
    assert tags["aws:dlm:lifecycle-schedule-name"] == "Daily" and tags["aws:dlm:managed"] == "true"
    assert tags["aws:dlm:expirationTime"].endswith("Z")


def test_what_is_refused(cloud):
    dlm = cloud.client("dlm")
    for wrong in [
        details(ArchiveRule={"RetainRule": {"RetentionArchiveTier": {"Count": 1}}}), details(FastRestoreRule={"Count": 1}),
        details(RetainRule={"Count": 1, "Interval": 1, "IntervalUnit": "DAYS"}),
        details(CreateRule={"Interval": 5, "IntervalUnit": "HOURS"}), {"PolicyType": "EVENT_BASED_POLICY"},
    ]:
        code, _, status = refused(
            dlm.create_lifecycle_policy, ExecutionRoleArn=ROLE, Description="wrong", State="ENABLED", PolicyDetails=wrong)
        assert (code, status) == ("InvalidRequestException", 400)
    assert dlm.get_lifecycle_policies()["Policies"] == []


def kept(days):
    return {"Interval": days, "IntervalUnit": "DAYS"}


def test_other_kinds_of_policies_are_shown_as_they_were_made(cloud):
    dlm = cloud.client("dlm")
    common = {"ExecutionRoleArn": ROLE, "Description": "other kinds", "State": "DISABLED"}
    tags = [{"Key": "dlm-test", "Value": "yes"}]
    daily = {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]}
    monthly = {"CronExpression": "cron(0 3 1 * ? *)"}
    images = {
        "PolicyType": "IMAGE_MANAGEMENT", "ResourceTypes": ["INSTANCE"], "TargetTags": tags, "Parameters": {"NoReboot": True},
        "Schedules": [{
            "Name": "Images", "CreateRule": daily, "RetainRule": {"Count": 5}, "DeprecateRule": {"Count": 2},
            "VariableTags": [{"Key": "of", "Value": "$(instance-id)"}]}]}
    duties = {
        "ResourceTypes": ["VOLUME"], "TargetTags": tags,
        "Schedules": [{
            "Name": "Duties", "CreateRule": monthly, "RetainRule": {"Count": 2},
            "FastRestoreRule": {"Count": 1, "AvailabilityZones": [ZONE]},
            "ShareRules": [{"TargetAccounts": ["123456789012"], "UnshareInterval": 3, "UnshareIntervalUnit": "DAYS"}],
            "ArchiveRule": {"RetainRule": {"RetentionArchiveTier": {"Count": 6}}}}]}
    events = {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": {
            "EventType": "shareSnapshot", "SnapshotOwner": ["123456789012"], "DescriptionRegex": "^.*nightly.*$"}},
        "Actions": [{"Name": "copy it", "CrossRegionCopy": [
            {"Target": REGION, "EncryptionConfiguration": {"Encrypted": False}, "RetainRule": kept(30)}]}]}
    made = []
    try:
        for wanted in (images, duties, events):
            made.append(dlm.create_lifecycle_policy(PolicyDetails=wanted, **common)["PolicyId"])
            shown = dlm.get_lifecycle_policy(PolicyId=made[-1])["Policy"]
            assert shown["DefaultPolicy"] is False
            found = shown["PolicyDetails"]
            for key, value in wanted.items():
                if key == "Schedules":
                    (one,), (other,) = value, found[key]
                    assert one == {name: other[name] for name in one}
                else:
                    assert found[key] == value
        made.append(dlm.create_lifecycle_policy(
            DefaultPolicy="VOLUME", CreateInterval=2, RetainInterval=5, ExtendDeletion=True,
            Exclusions={"ExcludeBootVolumes": True}, **common)["PolicyId"])
        dlm.update_lifecycle_policy(PolicyId=made[-1], RetainInterval=9)
        shown = dlm.get_lifecycle_policy(PolicyId=made[-1])["Policy"]
        assert shown["DefaultPolicy"] is True
        found = shown["PolicyDetails"]
        assert (found["PolicyLanguage"], found["ResourceType"]) == ("SIMPLIFIED", "VOLUME")
        assert (found["CreateInterval"], found["RetainInterval"], found["ExtendDeletion"]) == (2, 9, True)
        listed = dlm.get_lifecycle_policies(DefaultPolicyType="ALL")["Policies"]
        assert [one["PolicyId"] for one in listed] == made[-1:]
        code, _, status = refused(dlm.create_lifecycle_policy, DefaultPolicy="VOLUME", **common)
        assert (code, status) == ("LimitExceededException", 429)
    finally:
        for policy in made:
            dlm.delete_lifecycle_policy(PolicyId=policy)
