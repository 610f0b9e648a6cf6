/// What volumes and snapshots promise, by the names that the documents use. Each check says which of these it holds.
public enum Law: String, CaseIterable, Sendable {
    /// A write is acknowledged only after the kernel has it: kill -9 loses no acknowledged write.
    case g1 = "G1 (an acknowledged write survives kill -9)"
    /// Power loss loses nothing that was flushed.
    case g2 = "G2 (what was flushed survives power loss)"
    /// An unflushed sector holds its old or a newer content after power loss, never anything else.
    case g3 = "G3 (after power loss a sector is old or new, nothing else)"
    /// A snapshot is exactly the volume at the cut, and stays that.
    case g4 = "G4 (a snapshot is the volume at the cut)"
    /// A write that meets a cut does not wait for it.
    case g5 = "G5 (a writer never waits for a cut)"
    /// What is recorded as changed is a superset of what changed.
    case g6 = "G6 (what changed is recorded as changed)"
    /// No failure of a store or of an upload reaches the guest: a snapshot breaks before the volume does.
    case g7 = "G7 (a snapshot breaks before the volume does)"
    /// Any other snapshot may be deleted, and this one still restores.
    case r1 = "R1 (a snapshot is complete in itself)"
    /// Uploaded bytes follow changed bytes.
    case r2 = "R2 (uploaded bytes follow changed bytes)"
    /// The manifest is the commit: before it the snapshot does not exist, with it the snapshot is whole.
    case r3 = "R3 (the manifest is the commit)"
    /// Everything read is verified: a wrong byte is reported, never served.
    case r4 = "R4 (what is read is verified)"
    /// The bucket alone tells which snapshots there are.
    case r5 = "R5 (the bucket alone is enough)"
    /// Reclaim frees what nobody needs and nothing else.
    case r6 = "R6 (reclaim frees what nobody needs, only that)"
    /// Reads and writes do what a disk does, and nothing fails that nothing stands in the way of.
    case disk = "the disk (what was written is read; nothing fails for no reason)"
}

/// A law that a history broke.
public struct Violation: Error, Sendable, CustomStringConvertible {
    /// Which.
    public let law: Law
    /// What was seen.
    public let what: String
    /// At which step of the history; its count for what was found at the end.
    public var step = 0

    init(_ law: Law, _ what: String) {
        self.law = law
        self.what = what
    }
    /// Law, place, and what was seen.
    public var description: String { "\(law.rawValue) is broken at step \(step): \(what)" }
}
