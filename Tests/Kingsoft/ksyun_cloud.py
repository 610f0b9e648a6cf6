"""A server as one account sees it through Kingsoft's clients."""
import json
import os
import pathlib

REGION = "cn-beijing-6"
ZONE = REGION + "a"


class Refused(Exception):
    """What a client says of a refusal: its code, its message, the answer as a whole."""

    def __init__(self, body):
        self.body = body
        error = body["Error"]
        self.code, self.message, self.type = error["Code"], error["Message"], error["Type"]
        super().__init__(f"{self.code}: {self.message}")


def root_key(house):
    values = dict(
        line.split(" = ") for line in pathlib.Path(house.data, "root-credentials").read_text().splitlines() if " = " in line)
    return values["aws_access_key_id"], values["aws_secret_access_key"]


class Ksyun:
    """kingsoftcloud-sdk-python, by one of its ways: `POST` (a form), `GET` or `JSON`."""

    def __init__(self, house, way="POST", key=None):
        os.environ["NO_PROXY"] = "127.0.0.1"
        self.house, self.way, self.key = house, way, key or root_key(house)

    def ask(self, action, service="ebs", **parameters):
        from ksyun.common.common_client import CommonClient
        from ksyun.common.credential import Credential
        from ksyun.common.exception.ksyun_sdk_exception import KsyunSDKException
        from ksyun.common.profile.client_profile import ClientProfile
        from ksyun.common.profile.http_profile import HttpProfile
        method = "GET" if self.way == "GET" else "POST"
        profile = ClientProfile(
            httpProfile=HttpProfile(protocol="http", endpoint=f"127.0.0.1:{self.house.port}", reqMethod=method))
        client = CommonClient(service, "2016-03-04", Credential(*self.key), REGION, profile)
        call = client.call_json if self.way == "JSON" else client.call
        try:
            answer = json.loads(call(action, parameters))
        except KsyunSDKException as failure:
            # Whatever has another status than 200 comes as its text.
            body = failure.message
            raise Refused(json.loads(body)) from None
        assert answer["RequestId"], answer
        return answer

    def refused(self, action, service="ebs", **parameters):
        """The code of a call that must be refused."""
        try:
            answer = self.ask(action, service, **parameters)
        except Refused as refusal:
            assert refusal.body["RequestId"] and refusal.message
            return refusal.code
        raise AssertionError(f"{action} was not refused: {answer}")


class Kscore:
    """ksc-sdk-python with the actions that its own model lacks."""

    ACTIONS = {
        "ebs": ["CreateSnapshot", "DescribeSnapshots", "DeleteSnapshot", "RollbackSnapshot", "ModifySnapshot"],
        "kec": [
            "CreateAutoSnapshotPolicy", "DescribeAutoSnapshotPolicy", "ModifyAutoSnapshotPolicy",
            "DeleteAutoSnapshotPolicy", "ApplyAutoSnapshotPolicy", "CancelAutoSnapshotPolicy"],
    }

    def __init__(self, house, models, key=None):
        import kscore
        import yaml
        os.environ["NO_PROXY"] = "127.0.0.1"
        self.house, self.key = house, key or root_key(house)
        for service, actions in self.ACTIONS.items():
            source = pathlib.Path(kscore.__file__).parent / "data" / service / "2016-03-04" / "service-2.yaml"
            model = yaml.safe_load(source.read_text())
            for action in actions:
                model["operations"].setdefault(action, {"name": action, "http": {"method": "GET"}})
            folder = pathlib.Path(models, service, "2016-03-04")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "service-2.yaml").write_text(yaml.safe_dump(model))
        os.environ["KS_DATA_PATH"] = str(models)

    def client(self, service="ebs"):
        from kscore.session import get_session
        return get_session().create_client(
            service, REGION, endpoint_url=self.house.endpoint, ks_access_key_id=self.key[0],
            ks_secret_access_key=self.key[1])
