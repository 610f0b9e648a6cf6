/// The rule for keys, the same for every store.
public enum ObjectKey {
    /// Throws ``StoreFailure/permanent(_:)`` unless `key` is a relative path of `a-z A-Z 0-9 - _ .` and `/`, at most
    /// 512 bytes, with no empty, `.` or `..` part.
    public static func check(_ key: String) throws(StoreFailure) {
        guard isValid(key.utf8) else { throw .permanent("\"\(key.prefix(80))\" is not a valid object key") }
    }

    private static func isValid(_ key: String.UTF8View) -> Bool {
        guard (1...512).contains(key.count) else { return false }
        for part in key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if part.isEmpty || part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return false }
            guard part.allSatisfy(isPlain) else { return false }
        }
        return true
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
