/// The name of a snapshot, and of everything it wrote: `snap-0123456789abcdef0`.
public struct SnapshotID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as text.
    public let text: String

    /// Takes a name of 1 to 64 characters of `a-z A-Z 0-9 -`; nil for anything else, since it becomes part of a key.
    public init?(_ text: String) {
        guard SnapshotID.isValid(text.utf8) else { return nil }
        self.text = text
    }

    /// The name as text.
    public var description: String { text }
    /// Orders by name.
    public static func < (a: SnapshotID, b: SnapshotID) -> Bool { a.text < b.text }

    private static func isValid(_ name: String.UTF8View) -> Bool {
        guard (1...64).contains(name.count) else { return false }
        return name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
