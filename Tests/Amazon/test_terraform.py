"""Terraform's aws provider: everything that it knows of disks is made, seen unchanged, and destroyed."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from cloud import Cloud
from house import House

EAST, WEST = "us-east-1", "us-west-2"


def plugins():
    """A directory with the aws provider, as `terraform providers mirror` makes it; None: terraform looks by itself."""
    named = os.environ.get("VARVE_TERRAFORM_PLUGINS")
    if named:
        return named
    homes = [pathlib.Path("/opt"), pathlib.Path("/usr/local/share/terraform"), pathlib.Path.home() / ".terraform.d"]
    found = [provider for home in homes for provider in home.glob("*/*/hashicorp/aws")]
    return str(found[0].parents[2]) if found else None


PLUGINS = plugins()
pytestmark = pytest.mark.skipif(
    shutil.which("terraform") is None or PLUGINS is None,
    reason="terraform, or its aws provider, is not here (VARVE_TERRAFORM_PLUGINS names a directory with it)")

PROVIDER = """
provider "aws" {
  %(alias)s
  region     = "%(region)s"
  access_key = "%(key)s"
  secret_key = "%(secret)s"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  max_retries                 = 2
  endpoints {
    ec2  = "%(endpoint)s"
    sts  = "%(endpoint)s"
    dlm  = "%(endpoint)s"
    rbin = "%(endpoint)s"
  }
}
"""

PLAN = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
resource "aws_ebs_volume" "disk" {
  availability_zone = "us-east-1a"
  size              = %(size)d
  type              = "gp3"
  iops              = 4000
  throughput        = 200
  tags              = { Name = "disk", backup = "yes" }
}
resource "aws_ebs_snapshot" "first" {
  volume_id   = aws_ebs_volume.disk.id
  description = "first"
  tags        = { Name = "%(name)s" }
}
resource "aws_ebs_volume" "restored" {
  availability_zone = "us-east-1a"
  snapshot_id       = aws_ebs_snapshot.first.id
}
resource "aws_ebs_snapshot_copy" "west" {
  provider           = aws.west
  source_region      = "us-east-1"
  source_snapshot_id = aws_ebs_snapshot.first.id
  tags               = { Name = "copy" }
}
resource "aws_snapshot_create_volume_permission" "shared" {
  snapshot_id = aws_ebs_snapshot.first.id
  account_id  = "%(other)s"
}
resource "aws_ami" "image" {
  name                = "image"
  virtualization_type = "hvm"
  root_device_name    = "/dev/xvda"
  ebs_block_device {
    device_name = "/dev/xvda"
    snapshot_id = aws_ebs_snapshot.first.id
    volume_size = 10
  }
}
resource "aws_ami_copy" "copy" {
  name              = "copied"
  source_ami_id     = aws_ami.image.id
  source_ami_region = "us-east-1"
}
resource "aws_ami_launch_permission" "launch" {
  image_id   = aws_ami.image.id
  account_id = "%(other)s"
}
resource "aws_instance" "host" {
  ami               = aws_ami.image.id
  instance_type     = "t3.micro"
  availability_zone = "us-east-1a"
  tags              = { Name = "host" }
}
resource "aws_volume_attachment" "attached" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.disk.id
  instance_id = aws_instance.host.id
}
resource "aws_ebs_snapshot_block_public_access" "block" {
  state = "block-all-sharing"
}
resource "aws_ebs_fast_snapshot_restore" "fast" {
  availability_zone = "us-east-1a"
  snapshot_id       = aws_ebs_snapshot.first.id
}
resource "aws_dlm_lifecycle_policy" "daily" {
  description        = "daily backups"
  execution_role_arn = "arn:aws:iam::123456789012:role/dlm"
  state              = "ENABLED"
  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { backup = "yes" }
    schedule {
      name      = "daily"
      copy_tags = true
      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = ["23:45"]
      }
      retain_rule {
        count = 14
      }
      cross_region_copy_rule {
        target    = "us-west-2"
        encrypted = false
        copy_tags = true
        retain_rule {
          interval      = 30
          interval_unit = "DAYS"
        }
      }
    }
  }
}
resource "aws_rbin_rule" "keep" {
  description   = "keep"
  resource_type = "EBS_SNAPSHOT"
  resource_tags {
    resource_tag_key   = "keep"
    resource_tag_value = "yes"
  }
  retention_period {
    retention_period_value = 10
    retention_period_unit  = "DAYS"
  }
}
resource "aws_ebs_encryption_by_default" "sealed" {
  enabled    = true
  depends_on = [
    aws_volume_attachment.attached, aws_ebs_volume.restored, aws_ebs_snapshot_copy.west, aws_ami_copy.copy,
  ]
}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    key = tmp_path_factory.mktemp("keys") / "key"
    house = House(options=("--region", EAST, "--region", WEST, "--key-file", str(key)))
    try:
        house.varve("key", "new", str(key))
        yield Cloud(house.start())
    finally:
        house.remove()


class Workspace:
    def __init__(self, path, cloud, other):
        self.path, self.cloud, self.other = path, cloud, other
        self.write()
        self.run("init", "-input=false", f"-plugin-dir={PLUGINS}")

    def write(self, size=10, name="first"):
        words = {"key": self.cloud.key[0], "secret": self.cloud.key[1], "endpoint": self.cloud.house.endpoint}
        text = PROVIDER % {**words, "region": EAST, "alias": ""}
        text += PROVIDER % {**words, "region": WEST, "alias": 'alias = "west"'}
        (self.path / "main.tf").write_text(text + PLAN % {"other": self.other, "size": size, "name": name})

    def run(self, *words, codes=(0,)):
        done = subprocess.run(
            ["terraform", *words, "-no-color"], cwd=self.path, capture_output=True, text=True, timeout=400,
            env={**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"})
        assert done.returncode in codes, done.stdout[-6000:] + done.stderr[-6000:]
        return done

    def apply(self):
        self.run("apply", "-input=false", "-auto-approve")
        # 0: nothing would change; 2: something would.
        plan = self.run("plan", "-input=false", "-detailed-exitcode", codes=(0, 2))
        assert plan.returncode == 0, plan.stdout[-6000:]


def test_everything_is_made_seen_unchanged_and_destroyed(cloud, tmp_path):
    other = cloud.house.varve("account", "create", "other")
    work = Workspace(tmp_path, cloud, other)
    work.apply()
    ec2 = cloud.client()
    volumes = ec2.describe_volumes()["Volumes"]
    assert sorted(one["Size"] for one in volumes) == [10, 10, 10]
    state = json.loads(work.run("show", "-json").stdout)["values"]["root_module"]["resources"]
    made = {f"{one['type']}.{one['name']}": one["values"] for one in state}
    assert len(made) == 15
    host, disk = made["aws_instance.host"]["id"], made["aws_ebs_volume.disk"]["id"]
    assert {one["VolumeId"]: one["Attachments"][0]["InstanceId"] for one in volumes if one["Attachments"]}[disk] == host

    work.write(size=12, name="changed")
    work.apply()
    (grown,) = ec2.describe_volumes(VolumeIds=[disk])["Volumes"]
    assert grown["Size"] == 12 and grown["VolumeId"] == disk

    work.run("destroy", "-input=false", "-auto-approve")
    assert ec2.describe_volumes()["Volumes"] == [] and ec2.describe_images(Owners=["self"])["Images"] == []
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"
