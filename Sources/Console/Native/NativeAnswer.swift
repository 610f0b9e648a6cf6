internal import ControlPlane
internal import FoundationEssentials

/// What the native API says to a request.
public struct NativeAnswer: Sendable {
    /// The HTTP status.
    public var status: Int
    /// JSON, or nothing.
    public var body: [UInt8]
    /// For the log alone: what the client may not read.
    public var logged: String?

    /// An answer without content.
    static let done = NativeAnswer(status: 204, body: [])

    /// `value` as JSON.
    static func json(_ value: some Encodable, status: Int = 200) throws -> NativeAnswer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return NativeAnswer(status: status, body: Array(try encoder.encode(value)))
    }
}

/// The JSON of every refusal: `{"error":{"code":"missing","noun":"volume","message":"..."}}`.
public struct NativeRefusal: Codable, Equatable, Sendable {
    /// What was wrong.
    public struct Reason: Codable, Equatable, Sendable {
        /// A closed word, such as `missing` or `invalid`.
        public var code: String
        /// What the request was about, such as `volume`.
        public var noun: String
        /// For people: what was wrong, with which value, what to do.
        public var message: String
    }
    /// What was wrong.
    public var error: Reason

    /// Makes one.
    public init(code: String, noun: String, message: String) {
        error = Reason(code: code, noun: noun, message: message)
    }

    /// The answer that carries it.
    public func answer(status: Int, logged: String? = nil) -> NativeAnswer {
        guard var answer = try? NativeAnswer.json(self, status: status) else {
            return NativeAnswer(status: 500, body: [], logged: "a refusal could not be encoded: \(error.message)")
        }
        answer.logged = logged
        return answer
    }
}

extension NativeRefusal {
    /// What the client reads of a service's error.
    init(_ error: ServiceError) {
        self.init(code: error.code.rawValue, noun: error.noun.rawValue, message: error.message)
    }

    /// The HTTP status of a service's error.
    static func status(of code: ServiceError.Code) -> Int {
        switch code {
        case .invalid: 400
        case .forbidden: 403
        case .missing: 404
        case .wrongState, .locked, .inUse, .limitExceeded: 409
        case .noSpace: 507
        case .unavailable: 503
        case .unsupported: 501
        case .corrupt, .internalFault: 500
        }
    }
}
