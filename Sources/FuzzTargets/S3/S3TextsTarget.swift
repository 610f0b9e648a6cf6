internal import Blocks
internal import ObjectStore
internal import RequestSigning
@testable internal import S3

extension FuzzTarget {
    static let s3Texts = FuzzTarget("s3-texts", bytesMax: 4096, seeds: S3TextsTarget.seeds, S3TextsTarget.run)
}

/// What an S3 server answers, document by document, and what whoever sets it up writes: the URL, the key file. The first
/// byte says which.
enum S3TextsTarget {
    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        switch input.choice(5) {
        case 0: try document(input.rest())
        case 1: try location(&input)
        case 2: try date(text(&input))
        case 3: try credentials(text(&input))
        default: try composed(&input)
        }
    }

    private static func text(_ input: inout FuzzInput) -> String { String(decoding: input.rest(), as: UTF8.self) }

    // MARK: Documents

    private static func document(_ bytes: [UInt8]) throws {
        var reader = XMLReader(bytes)
        var tokens = 0
        while reader.next() != nil { tokens += 1 }
        try demand(tokens <= bytes.count + 1, "\(tokens) tokens of \(bytes.count) bytes")
        if let root = XMLElement.read(bytes), isPlain(root) {
            try demand(XMLElement.read(written(root)) == root, "a document reads as it was written")
        }
        if let page = ListPage(bytes) {
            try demand(page.entries.allSatisfy { $0.size >= .zero }, "an object has a size")
            try demand(page.continuation != "", "a page goes on somewhere or ends")
        }
        for (_, refusal) in S3Document.undeleted(bytes) ?? [] { try explain(refusal) }
        try demand(S3Document.uploadID(bytes) != "", "an upload has a name")
        _ = S3Document.isCompleted(bytes)
        try explain(S3Refusal(HTTPAnswer(status: 400, headers: [], body: bytes)))
    }

    /// Whatever a server says, a person is told something short.
    private static func explain(_ refusal: S3Refusal) throws {
        let failures = S3Failures(
            location: try S3Location("s3://bucket", environment: [:]), accessKeyID: "AKID",
            now: WallTime(milliseconds: 1_764_000_000_000))
        for status in [301, 400, 403, 500] {
            let text = failures.failure(refusal, status: status, key: "k").description
            try demand(!text.isEmpty, "a refusal says something")
        }
    }

    private static func isPlain(_ element: XMLElement) -> Bool {
        let isName = element.name.utf8.allSatisfy { (97...122).contains($0) || (65...90).contains($0) }
        return isName && element.children.allSatisfy(isPlain)
    }

    private static func written(_ element: XMLElement) -> [UInt8] {
        let inside = element.children.isEmpty ? Array(XMLElement.escaped(element.text).utf8) : []
        return Array("<\(element.name)>".utf8) + inside + element.children.flatMap(written)
            + Array("</\(element.name)>".utf8)
    }

    /// A page of a listing, or an order to delete, with any text in it.
    private static func composed(_ input: inout FuzzInput) throws {
        let isEncoded = input.flag(), size = input.edge(), token = input.text(), key = input.text()
        let line =
            "<Contents><Key>\(XMLElement.escaped(key))</Key><Size>\(size)</Size>"
            + "<LastModified>2023-11-14T22:13:20.000Z</LastModified></Contents>"
        let text =
            "<ListBucketResult>\(isEncoded ? "<EncodingType>url</EncodingType>" : "")\(line)<IsTruncated>true"
            + "</IsTruncated><NextContinuationToken>\(XMLElement.escaped(token))</NextContinuationToken></ListBucketResult>"
        let page = ListPage(Array(text.utf8))
        guard size >= 0, !token.isEmpty else { return try demand(page == nil, "a page makes sense") }
        let found = try demand(page, "a page of any key is read")
        try demand(found.continuation == token, "it goes on where it says")
        if !isEncoded { try demand(found.entries.map(\.key) == [key], "its key is that of the object") }
        let order = try demand(XMLElement.read(S3Document.deletion(of: [key, key])), "an order is a document")
        try demand(order.all("Object").map { $0["Key"] } == [key, key], "what is deleted is what was meant")
    }

    // MARK: Settings

    private static func location(_ input: inout FuzzInput) throws {
        let isWhole = input.flag()
        let text = text(&input)
        let url = isWhole ? text : "s3://" + text
        let place: S3Location
        do { place = try S3Location(url, environment: [:]) } catch {
            return try demand(!error.description.isEmpty, "a refusal says why")
        }
        try demand(
            (place.prefix.isEmpty || place.prefix.hasSuffix("/")) && !place.prefix.hasPrefix("/"),
            "a prefix is a folder")
        for part in [place.bucket, place.prefix, place.endpoint.authority()] {
            try demand(part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "what goes into a request line is plain")
        }
        try demand(place.endpoint.port != 0 && !place.endpoint.host.isEmpty, "an endpoint has a host and a port")
        try demand(try S3Endpoint(place.endpoint.description) == place.endpoint, "an endpoint reads as it is shown")
        let target = S3Order("GET", place.prefix + "k e/y").target(at: place)
        try demand(target.hasPrefix("/") && !target.contains(" "), "the target \(target) is absolute")
    }

    private static func date(_ text: String) throws {
        guard let time = HTTPDate.instant(text) else { return }
        try demand(time.isReadable && WallTime(time.description) == time, "\(text) is a time")
    }

    private static func credentials(_ text: String) throws {
        guard let key = CredentialsText.key(in: text, profile: "default") else { return }
        try demand(text.contains(key.secret), "the secret is a part of the text")
    }

    static func seeds() -> [[UInt8]] {
        let answers = S3Answers.all
        let places = [
            "bucket/a/b?endpoint=https://s3.example.org:9000&region=eu-1&style=host&ca=/etc/ca%20x.pem&timeout=7",
            "bucket?endpoint=http://[::1]:80/&profile=p&credentials=/k", "bucket/", "user:key@bucket",
        ]
        var listed = SeedBuilder(4, 1, 2)
        listed.add(text: "to<k>en")
        listed.add(text: "a%20b&c")
        return answers.map { [0] + Array($0.utf8) } + places.map { [1, 0] + Array($0.utf8) }
            + ["Tue, 14 Nov 2023 22:13:20 GMT", "Wed, 1 Jan 0000 00:00:60 GMT"].map { [2] + Array($0.utf8) }
            + [
                [3] + Array("[default]\naws_access_key_id = A\naws_secret_access_key = b=c\n[p]\n".utf8), listed.bytes,
            ]
    }
}

/// Documents as S3 servers write them.
enum S3Answers {
    static let all = [
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.test/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType>\
        <Contents><Key>pre/a%2Bb</Key><Size>5</Size><LastModified>2023-11-14T22:13:20.000Z</LastModified></Contents>\
        <IsTruncated>true</IsTruncated><NextContinuationToken>t/1</NextContinuationToken></ListBucketResult>
        """,
        "<Error><Code>NoSuchKey</Code><Message>gone &amp; away</Message><Region>eu-1</Region></Error>",
        "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code><Message/></Error></DeleteResult>",
        "<InitiateMultipartUploadResult><UploadId>u-1</UploadId></InitiateMultipartUploadResult>",
        "<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>",
        "<s:A xmlns:s='x>y' b=\"&lt;\"><!-- c --><K>a&#65;&#x42;</K><E/><K><![CDATA[<x>]]></K></s:A>",
    ]
}
