/// Which pack: the snapshot that wrote it, and its number there (never used twice).
public struct PackName: Hashable, Comparable, Sendable {
    /// The snapshot that wrote it. It may be deleted by now; the name stays.
    public let snapshot: SnapshotID
    /// The number, from 1.
    public let number: Int

    /// Names a pack.
    public init(_ snapshot: SnapshotID, _ number: Int) {
        self.snapshot = snapshot
        self.number = number
    }
    /// Orders by snapshot, then number.
    public static func < (a: PackName, b: PackName) -> Bool {
        a.snapshot == b.snapshot ? a.number < b.number : a.snapshot < b.snapshot
    }
}
