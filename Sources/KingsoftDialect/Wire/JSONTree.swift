internal import FoundationEssentials

/// Any JSON text, with numbers as they would be written in a form.
enum JSONTree: Decodable, Equatable {
    case absent, text(String), list([JSONTree]), object([String: JSONTree])

    /// Levels that are read; the decoder refuses texts that are nested much deeper by itself.
    private static let depthMax = 16

    /// Nil: it is no JSON.
    init?(_ bytes: [UInt8]) {
        guard let tree = try? JSONDecoder().decode(JSONTree.self, from: Data(bytes)) else { return nil }
        self = tree
    }

    init(from decoder: any Decoder) throws {
        guard decoder.codingPath.count < Self.depthMax else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "too deep"))
        }
        if let fields = try? decoder.container(keyedBy: Key.self) {
            var object: [String: JSONTree] = [:]
            for key in fields.allKeys { object[key.stringValue] = try fields.decode(JSONTree.self, forKey: key) }
            self = .object(object)
        } else if var items = try? decoder.unkeyedContainer() {
            var list: [JSONTree] = []
            while !items.isAtEnd { list.append(try items.decode(JSONTree.self)) }
            self = .list(list)
        } else {
            self = try Self.scalar(decoder.singleValueContainer())
        }
    }

    private static func scalar(_ value: any SingleValueDecodingContainer) throws -> JSONTree {
        if value.decodeNil() { return .absent }
        if let flag = try? value.decode(Bool.self) { return .text(flag ? "true" : "false") }
        if let text = try? value.decode(String.self) { return .text(text) }
        if let number = try? value.decode(Int.self) { return .text(String(number)) }
        return .text(String(try value.decode(Double.self)))
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
