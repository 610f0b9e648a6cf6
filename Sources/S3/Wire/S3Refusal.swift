/// The document with which an S3 server says no.
struct S3Refusal: Equatable {
    /// `NoSuchKey`, `SlowDown`, ...; empty if the answer had no such document.
    var code = ""
    var message = ""
    /// The region that it should have been signed for, if the server says so.
    var region: String?
    /// Where the bucket is, if the server says so.
    var endpoint: String?

    init() {}

    init(code: String, message: String = "") {
        self.code = code
        self.message = message
    }

    init(element: XMLElement) {
        code = element["Code"] ?? ""
        message = element["Message"] ?? ""
        region = element["Region"]
        endpoint = element["Endpoint"]
    }

    /// Reads an answer's body; without a document the refusal is empty.
    init(_ answer: HTTPAnswer) {
        self.init()
        if let root = XMLElement.read(answer.body), root.name == "Error" { self = S3Refusal(element: root) }
        region = region ?? answer.header("x-amz-bucket-region")
    }
}
