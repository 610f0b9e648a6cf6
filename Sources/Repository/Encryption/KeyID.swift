/// The name of a wrapping key: `arn:aws:kms:local:000000000000:key/` and a UUID. It follows from the key alone, so a key
/// file needs no name, and another key can never pass for this one.
public struct KeyID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 8-4-4-4-12 lower-case hexadecimal digits.
    public let uuid: String

    /// Takes the whole name or the UUID alone; nil for anything else.
    public init?(_ text: String) {
        let uuid = text.hasPrefix(KeyID.prefix) ? String(text.dropFirst(KeyID.prefix.count)) : text
        let parts = uuid.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12],
            uuid.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "-"):
                    true
                default: false
                }
            })
        else { return nil }
        self.uuid = uuid
    }

    /// The name of a key: the first 16 bytes of the HMAC of "varve key id".
    init(of key: Secret) {
        let digits = KeyedHash.derive(key, "varve key id").read { bytes in
            Array(Hexadecimal.text(of: Array([UInt8](copying: bytes).prefix(16))))
        }
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        uuid = text
    }

    private static let prefix = "arn:aws:kms:local:000000000000:key/"

    /// The whole name.
    public var description: String { KeyID.prefix + uuid }
    /// Orders by UUID.
    public static func < (a: KeyID, b: KeyID) -> Bool { a.uuid < b.uuid }
}

/// The name of a data key: `dk-` and 32 hexadecimal digits. A lineage of snapshots has one.
public struct DataKeyID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as text.
    public let text: String

    /// Takes a name; nil for anything that is none.
    public init?(_ text: String) {
        guard text.hasPrefix("dk-"), text.utf8.count == 35, Hexadecimal.bytes(of: String(text.dropFirst(3))) != nil
        else { return nil }
        self.text = text
    }

    static func random() -> DataKeyID {
        guard let id = DataKeyID("dk-" + Hexadecimal.text(of: RandomBytes.make(16))) else {
            preconditionFailure("a name by construction")
        }
        return id
    }

    /// The name as text.
    public var description: String { text }
    /// Orders by name.
    public static func < (a: DataKeyID, b: DataKeyID) -> Bool { a.text < b.text }
}
