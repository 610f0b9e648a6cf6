/// Which wrapping key opens a data key. The keys themselves are in the store, encrypted, and in nobody's catalog.
public struct KeyRecord: Equatable, Sendable {
    /// The data key: `dk-...`.
    public var id: String
    /// The wrapping key.
    public var keyID: String

    /// Makes one.
    public init(id: String, keyID: String) {
        self.id = id
        self.keyID = keyID
    }
}
