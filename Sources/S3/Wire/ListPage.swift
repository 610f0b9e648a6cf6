internal import Blocks
internal import ObjectStore
internal import RequestSigning

/// One page of a listing: `ListObjectsV2`'s answer.
struct ListPage: Equatable {
    /// Full keys, prefix and all.
    var entries: [ObjectEntry] = []
    /// Where the next page starts; nil on the last one.
    var continuation: String?

    /// nil if it makes no sense; a page that says it goes on but not where is none.
    init?(_ bytes: [UInt8]) {
        guard let root = XMLElement.read(bytes), root.name == "ListBucketResult" else { return nil }
        let isEncoded = root["EncodingType"] == "url"
        for element in root.all("Contents") {
            guard let key = element["Key"], let size = element["Size"].flatMap({ Int($0) }), size >= 0,
                let modified = element["LastModified"].flatMap({ WallTime($0) })
            else { return nil }
            let plain = isEncoded ? String(decoding: URIEncoding.decodeQuery(key[...]), as: UTF8.self) : key
            entries.append(ObjectEntry(key: plain, size: ByteCount(size), modified: modified))
        }
        switch root["IsTruncated"] {
        case "true":
            guard let token = root["NextContinuationToken"], !token.isEmpty else { return nil }
            continuation = token
        case "false", nil: break
        default: return nil
        }
    }
}

/// Bodies of requests and what is needed of their answers.
enum S3Document {
    /// `DeleteObjects`' order. Quiet: only failures are answered.
    static func deletion(of keys: [String]) -> [UInt8] {
        let objects = keys.map { "<Object><Key>\(XMLElement.escaped($0))</Key></Object>" }
        return Array("<Delete><Quiet>true</Quiet>\(objects.joined())</Delete>".utf8)
    }

    /// What could not be deleted: key, code, message. nil if the answer makes no sense.
    static func undeleted(_ bytes: [UInt8]) -> [(key: String, refusal: S3Refusal)]? {
        guard let root = XMLElement.read(bytes), root.name == "DeleteResult" else { return nil }
        return root.all("Error").map { ($0["Key"] ?? "?", S3Refusal(element: $0)) }
    }

    /// The id of a multipart upload that was begun; nil if the answer makes no sense.
    static func uploadID(_ bytes: [UInt8]) -> String? {
        guard let root = XMLElement.read(bytes), root.name == "InitiateMultipartUploadResult" else { return nil }
        return root["UploadId"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// `CompleteMultipartUpload`'s order: the parts' tags, from part 1.
    static func completion(of tags: [String]) -> [UInt8] {
        let parts = tags.enumerated().map { index, tag in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(XMLElement.escaped(tag))</ETag></Part>"
        }
        return Array("<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>".utf8)
    }

    /// A multipart upload may be refused in an answer of status 200: the document decides.
    static func isCompleted(_ bytes: [UInt8]) -> Bool {
        XMLElement.read(bytes)?.name == "CompleteMultipartUploadResult"
    }
}
