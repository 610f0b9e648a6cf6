internal import Blocks
internal import ControlPlane
internal import FoundationEssentials

/// One request that found its route: its path's and query's values by name, and its body.
struct NativeCall: Sendable {
    let verbs: Verbs
    /// All that there are.
    let regions: [Region]
    let path: [String: String]
    let query: [String: String]
    let body: [UInt8]

    /// The value that the route's pattern has under `name`.
    func value(_ name: String) -> String {
        guard let value = path[name] else { preconditionFailure("the route has no {\(name)}") }
        return value
    }

    /// The body as JSON of the given kind; no body counts as `{}`.
    func document<Document: NativeDocument>(_: Document.Type) throws -> Document {
        guard body.count <= NativeLimits.document else {
            throw ServiceError(
                .invalid, .house, "the body has \(body.count) bytes; at most \(NativeLimits.document) are taken")
        }
        do {
            return try JSONDecoder().decode(Document.self, from: Data(body.isEmpty ? Array("{}".utf8) : body))
        } catch let error as DecodingError {
            throw ServiceError(.invalid, .house, "the body is not as it should be: \(Self.text(of: error))")
        }
    }

    /// A query parameter that is a whole number, zero or more.
    func number(_ name: String) throws -> Int? {
        guard let text = query[name] else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw ServiceError(.invalid, .house, "the query's \(name) is '\(text)'; it must be a whole number from 0")
        }
        return number
    }

    /// A query parameter that is `true` or `false`; absent is false.
    func flag(_ name: String) throws -> Bool {
        switch query[name] {
        case nil, "false": return false
        case "true": return true
        case let other?:
            throw ServiceError(.invalid, .house, "the query's \(name) is '\(other)'; it must be true or false")
        }
    }

    /// A query parameter that is a time in UTC: `2026-11-01` or `2026-11-01T13:00:00Z`.
    func time(_ name: String) throws -> WallTime? {
        guard let text = query[name] else { return nil }
        guard let time = WallTime(text.utf8.count == 10 ? "\(text)T00:00:00Z" : text) else {
            throw ServiceError(
                .invalid, .house,
                "the query's \(name) is '\(text)'; it must be a time like 2026-11-01 or 2026-11-01T13:00:00Z")
        }
        return time
    }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
        case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
        @unknown default: return "it cannot be read"
        }
    }
}

/// A JSON object whose every key is known; others are refused by name.
protocol NativeDocument: Decodable, Sendable {
    /// The keys it may have, in order.
    static var keys: [String] { get }
    /// Reads it from an object whose keys have been checked.
    init(_ fields: NativeFields) throws
}

extension NativeDocument {
    init(from decoder: any Decoder) throws {
        let fields = NativeFields(container: try decoder.container(keyedBy: NativeFields.Key.self))
        for key in fields.container.allKeys where !Self.keys.contains(key.stringValue) {
            let known = Self.keys.isEmpty ? "no keys are taken" : "known are \(Self.keys.joined(separator: ", "))"
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "the key '\(key.stringValue)' is not known; \(known)"))
        }
        try self.init(fields)
    }
}

/// The values of a JSON object by name.
struct NativeFields {
    struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    let container: KeyedDecodingContainer<Key>

    /// The value under `name`, or nil if it is absent or null.
    func optional<Value: Decodable>(_ name: String) throws -> Value? {
        try naming(name) { try container.decodeIfPresent(Value.self, forKey: Key(stringValue: name)) }
    }

    /// The value under `name`.
    func required<Value: Decodable>(_ name: String) throws -> Value {
        try naming(name) { try container.decode(Value.self, forKey: Key(stringValue: name)) }
    }

    /// The decoder does not say which number it could not fit; this does.
    private func naming<Value>(_ name: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DecodingError {
            throw error
        } catch {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: [Key(stringValue: name)],
                    debugDescription: "numbers are whole and at most \(Int.max)"))
        }
    }
}
