internal import Console
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// What goes back over HTTP, whichever room gave it.
struct Answer: Sendable {
    static let json = "application/json"

    var status: Int
    var type: String
    var body: [UInt8]
    /// For the log alone.
    var logged: String?
    /// For the log alone: what was asked for, where the path does not say it.
    var action: String?
    /// What client and log both have of a request.
    var requestID: String?
    /// Besides, or instead of, those that every answer has.
    var headers: [(name: String, value: String)] = []

    init(status: Int, type: String, body: [UInt8]) {
        self.status = status
        self.type = type
        self.body = body
    }

    init(_ answer: NativeAnswer) {
        self.init(status: answer.status, type: Self.json, body: answer.body)
        logged = answer.logged
    }

    static func text(_ text: String) -> Answer {
        Answer(status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: Array(text.utf8))
    }

    static func refusal(_ status: Int, _ code: String, _ message: String) -> Answer {
        Answer(NativeRefusal(code: code, noun: "house", message: message).answer(status: status))
    }

    var response: Response {
        var headers: HTTPFields = [.cacheControl: "no-store", .xContentTypeOptions: "nosniff", .server: "varve"]
        if !body.isEmpty { headers[.contentType] = type }
        if let requestID, let name = HTTPField.Name("x-amzn-RequestId") { headers[name] = requestID }
        for (name, value) in self.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let status = HTTPResponse.Status(code: status)
        guard !body.isEmpty else { return Response(status: status, headers: headers) }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
