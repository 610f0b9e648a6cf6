"""A server as one account sees it through Alibaba's clients."""
import json
import pathlib

REGION = "us-east-1"
ZONE = "us-east-1a"


class Cloud:
    def __init__(self, house, key=None):
        self.house = house
        self.key = key or root_key(house)
        self.place = f"127.0.0.1:{house.port}"

    def use(self, disk):
        """Attaches a disk to an instance and detaches it: of one that never was, this cloud takes no snapshots."""
        from alibabacloud_ecs20140526 import models as m
        ecs = self.ecs()
        host = ecs.run_instances(m.RunInstancesRequest(region_id=REGION, instance_type="ecs.g7.large")).body
        host = host.instance_id_sets.instance_id_set[0]
        ecs.attach_disk(m.AttachDiskRequest(instance_id=host, disk_id=disk))
        ecs.detach_disk(m.DetachDiskRequest(instance_id=host, disk_id=disk))
        ecs.delete_instance(m.DeleteInstanceRequest(instance_id=host, force=True))

    def ecs(self, **more):
        """The newer client; `signature_algorithm="v2"` makes it sign in the older way."""
        from alibabacloud_ecs20140526.client import Client
        from alibabacloud_tea_openapi import utils_models
        return Client(utils_models.Config(
            access_key_id=self.key[0], access_key_secret=self.key[1], region_id=REGION, endpoint=self.place,
            protocol="HTTP", **more))

    def older(self, name, secret=None, **values):
        """One request of the older client; answers its JSON."""
        import importlib
        from aliyunsdkcore.client import AcsClient
        module = importlib.import_module(f"aliyunsdkecs.request.v20140526.{name}Request")
        request = getattr(module, f"{name}Request")()
        request.set_endpoint(self.place)
        request.set_protocol_type("http")
        request.set_accept_format("json")
        for key, value in values.items():
            getattr(request, f"set_{key}")(value)
        client = AcsClient(self.key[0], secret or self.key[1], REGION, auto_retry=False)
        return json.loads(client.do_action_with_exception(request))

    def libcloud(self):
        from libcloud.compute.providers import get_driver
        return get_driver("aliyun_ecs")(
            self.key[0], self.key[1], region=REGION, secure=False, host="127.0.0.1", port=self.house.port)


def root_key(house):
    values = dict(
        line.split(" = ") for line in pathlib.Path(house.data, "root-credentials").read_text().splitlines() if " = " in line)
    return values["aws_access_key_id"], values["aws_secret_access_key"]
