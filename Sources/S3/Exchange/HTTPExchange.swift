public import RequestSigning

/// Sends one HTTP request and returns its answer: the seam between what S3 means and how bytes travel.
///
/// Blocks the calling thread; any number of threads may call. It never follows a redirection, never tries again, and
/// never takes longer than the request's time limit.
public protocol HTTPExchange: Sendable {
    /// Any status is an answer; an answer whose body ended early is ``ExchangeFailure/lost(_:)`` or shorter than announced.
    func send(_ request: HTTPRequest) throws(ExchangeFailure) -> HTTPAnswer
}

/// A request, signed and complete but for what frames its body.
public struct HTTPRequest: Equatable, Sendable {
    /// `GET`, `PUT`, ...
    public var method: String
    /// `https://host:port`.
    public var server: String
    /// Path and query as signed.
    public var target: String
    /// Every header that was signed, `host` among them.
    public var headers: [SignableRequest.Header]
    /// Sent with `Content-Length`.
    public var body: [UInt8]
    /// The longest silence: while connecting, sending, or waiting for the next byte.
    public var silenceMax: Duration
    /// All of it together.
    public var timeMax: Duration
    /// A longer answer is a failure.
    public var answerMax: Int
}

/// An answer.
public struct HTTPAnswer: Equatable, Sendable {
    /// 200, 404, ...
    public var status: Int
    /// In the order they came; names in any case.
    public var headers: [SignableRequest.Header]
    /// All of it that came.
    public var body: [UInt8]

    /// Makes one.
    public init(status: Int, headers: [SignableRequest.Header], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first value of a header, or nil. `name` is in lower case.
    public func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }

    var isSuccess: Bool { (200..<300).contains(status) }
}

/// Why there was no answer. The request may have been carried out nevertheless.
public enum ExchangeFailure: Error, Equatable, Sendable {
    /// No address for the server's name.
    case unknownHost
    /// Nothing listens there.
    case refused
    /// Silence for too long.
    case timedOut
    /// The connection broke; the text says how.
    case lost(String)
    /// No trust in the server's certificate, or no common way to encrypt; the text says more.
    case insecure(String)
    /// The answer is longer than it may be.
    case tooLong
}
