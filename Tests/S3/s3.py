"""Just enough of S3 to prepare buckets and to look into them: the tests' own, so that nothing of Varve's vouches for Varve."""
import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse


class Client:
    def __init__(self, endpoint, access, secret, region="us-east-1"):
        self.host = endpoint.split("//")[1]
        self.access, self.secret, self.region = access, secret, region

    def request(self, method, path, query=None, body=b"", expect=(200, 204)):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        quote = lambda text: urllib.parse.quote(text, safe="-_.~")
        text = "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted((query or {}).items()))
        path = urllib.parse.quote(path, safe="/-_.~")
        digest = hashlib.sha256(body).hexdigest()
        canonical = (f"{method}\n{path}\n{text}\nhost:{self.host}\nx-amz-content-sha256:{digest}\nx-amz-date:{now}\n\n"
                     f"host;x-amz-content-sha256;x-amz-date\n{digest}")
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = b"AWS4" + self.secret.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.request(method, path + ("?" + text if text else ""), body=body, headers={
            "Host": self.host, "x-amz-date": now, "x-amz-content-sha256": digest,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, "
                             f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status in expect, (method, path, answer.status, content)
        return content

    def make_bucket(self, bucket):
        self.request("PUT", "/" + bucket)

    def keys(self, bucket, prefix=""):
        found, token = [], None
        while True:
            query = {"list-type": "2", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            text = self.request("GET", "/" + bucket, query).decode()
            found += re.findall("<Key>(.*?)</Key>", text)
            token = (re.findall("<NextContinuationToken>(.*?)</", text) or [None])[0]
            if not token:
                return found

    def unfinished(self, bucket):
        return re.findall("<UploadId>", self.request("GET", "/" + bucket, {"uploads": ""}).decode())
