"""A server as one account sees it through Amazon's clients."""
import pathlib

import boto3
import botocore.config

REGION = "us-east-1"


class Cloud:
    """A server as one account sees it through boto3."""

    def __init__(self, house, key=None):
        self.house = house
        self.key = key or root_key(house)

    def client(self, service="ec2", **more):
        config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=60)
        return boto3.client(
            service, endpoint_url=self.house.endpoint, region_name=REGION, aws_access_key_id=self.key[0],
            aws_secret_access_key=self.key[1], config=config, **more)

    def resource(self):
        return boto3.resource(
            "ec2", endpoint_url=self.house.endpoint, region_name=REGION, aws_access_key_id=self.key[0],
            aws_secret_access_key=self.key[1])


def root_key(house):
    values = dict(
        line.split(" = ") for line in pathlib.Path(house.data, "root-credentials").read_text().splitlines() if " = " in line)
    return values["aws_access_key_id"], values["aws_secret_access_key"]
