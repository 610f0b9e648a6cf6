/// A SHA-256.
public struct Digest: Hashable, Sendable {
    /// The 32 bytes as four big-endian words.
    let words: InlineWords

    struct InlineWords: Hashable, Sendable {
        var a: UInt64 = 0
        var b: UInt64 = 0
        var c: UInt64 = 0
        var d: UInt64 = 0
    }
}
