import Blocks
import ObjectStore
import RequestSigning
import TestSupport
import Testing

@testable import S3

@Suite struct LocationTests {
    @Test("a URL says everything")
    func whole() throws {
        let place = try S3Location(
            "s3://my-bucket/a/b?endpoint=https://s3.example.org:9000&region=eu-1&style=host&ca=/etc/ca%20x.pem"
                + "&credentials=/etc/keys&profile=p&timeout=7", environment: ["AWS_REGION": "other"])
        #expect(place.bucket == "my-bucket" && place.prefix == "a/b/" && place.region == "eu-1")
        #expect("\(place.endpoint)" == "https://s3.example.org:9000" && place.style == .host)
        #expect(place.authorities == "/etc/ca x.pem" && place.credentials == "/etc/keys" && place.profile == "p")
        #expect(place.timeout == .seconds(7))
    }

    @Test("what it leaves out comes from the environment or is as usual")
    func defaults() throws {
        let plain = try S3Location("s3://bucket", environment: [:])
        #expect(plain.prefix == "" && plain.region == "us-east-1" && plain.style == .host && plain.endpoint.isSecure)
        let given = try S3Location(
            "s3://bucket/", environment: ["AWS_REGION": "r", "AWS_ENDPOINT_URL": "http://[::1]:80/"])
        #expect(given.region == "r" && given.style == .path && "\(given.endpoint)" == "http://[::1]")
    }

    @Test(
        "nonsense is refused, saying where",
        arguments: [
            "s3://", "s3://ab", "s3://a b c", "s3://bucket/../x", "s3://bucket/a b",
            "s3://bucket?endpoint=s3.example.org",
            "s3://bucket?endpoint=ftp://x", "s3://bucket?endpoint=http://", "s3://bucket?endpoint=http://x:0",
            "s3://bucket?endpoint=http://x:99999", "s3://bucket?endpoint=http://x/path", "s3://bucket?style=both",
            "s3://bucket?timeout=0", "s3://bucket?timeout=soon", "s3://bucket?secret=x", "s3://key:secret@bucket",
            "s3://bucket?region=a&region=b", "s3://bucket?ca=relative.pem", "dir:///x",
        ])
    func nonsense(_ text: String) {
        #expect(throws: S3LocationFailure.self) { try S3Location(text, environment: [:]) }
    }

    @Test("keys come from the environment, or from a file that is named")
    func sources() throws {
        let place = try S3Location("s3://bucket", environment: [:])
        let key = SigningKey(accessKeyID: "i", secret: "s", sessionToken: "t")
        let full = ["AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "HOME": "/h"]
        #expect(try S3Credentials.source(for: place, environment: full) == .fixed(key))
        #expect(
            try S3Credentials.source(for: place, environment: ["HOME": "/h"])
                == .file(path: "/h/.aws/credentials", profile: "default"))
        #expect(throws: S3LocationFailure.self) { try S3Credentials.source(for: place, environment: [:]) }
        #expect(throws: S3LocationFailure.self) {
            try S3Credentials.source(for: place, environment: ["AWS_ACCESS_KEY_ID": "i"])
        }
        let named = try S3Location("s3://bucket?credentials=/k&profile=p", environment: [:])
        #expect(try S3Credentials.source(for: named, environment: full) == .file(path: "/k", profile: "p"))
    }

    @Test("a renewed file is read when the old key was refused, and else after a minute")
    func renewal() throws {
        let scratch = try ScratchDirectory(), clock = StillClock(), path = scratch.path + "/keys"
        func write(_ id: String) throws {
            try LocalDisk().remove(path)
            let text =
                "# keys\n[other]\naws_access_key_id=no\n\n[default]\r\n aws_access_key_id = \(id)\naws_secret_access_key=s=/+\n"
            let file = try LocalDisk().open(path, .createNew)
            try Array(text.utf8).readBytes { (bytes) throws(BlockFailure) in
                try file.write(bytes, at: 0, durably: false)
            }
        }
        let keys = S3Credentials(.file(path: path, profile: "default"), clock: clock)
        #expect(throws: StoreFailure.self) { try keys.current() }
        try write("one")
        #expect(try keys.current() == SigningKey(accessKeyID: "one", secret: "s=/+"))
        try write("two")
        #expect(try keys.current().accessKeyID == "one")
        keys.distrust()
        #expect(try keys.current().accessKeyID == "two")
        try write("three")
        clock.sleep(.seconds(61))
        #expect(try keys.current().accessKeyID == "three")
    }
}
