public import Blocks

/// One call that reaches a simulated disk, as its step hook sees it before anything happens.
public struct DiskOperation: Sendable {
    /// Which call.
    public enum Kind: Sendable, CaseIterable {
        case open, makeDirectory, list, remove, removeDirectory, rename, link, syncDirectory, facts, freeSpace
        case size, resize, read, write, punch, zero, allocate, seek, sync, map, lock

        /// May it change contents, names or what is durable?
        public var isChange: Bool {
            switch self {
            case .list, .facts, .freeSpace, .size, .read, .seek, .map, .lock: false
            case .open, .makeDirectory, .remove, .removeDirectory, .rename, .link, .syncDirectory: true
            case .resize, .write, .punch, .zero, .allocate, .sync: true
            }
        }
    }
    /// Counts all calls since the disk was made, from 1.
    public let number: Int
    /// Counts the calls that may change something, from 1; nil for the others.
    public let change: Int?
    /// Which call.
    public let kind: Kind
    /// On which path (for a file: the path it was opened by).
    public let path: String
}

/// What becomes of a ``DiskOperation``.
public enum DiskVerdict: Sendable {
    /// It happens.
    case proceed
    /// It fails with this, and nothing happens. A failed sync loses what it should have made durable, as Linux does.
    case fail(BlockFailure)
    /// The process or the machine goes down at this moment; the caller gets an error.
    case outage(Outage, Moment)

    /// What goes down.
    public enum Outage: Sendable {
        /// kill -9: open files die, the page cache stays.
        case kill
        /// Power: what was not synced survives or not, by this seed.
        case powerLoss(seed: UInt64)
    }
    /// When it goes down.
    public enum Moment: Sendable, CaseIterable {
        /// Before the call did anything.
        case before
        /// A write has moved some of its blocks and is not durable yet.
        case halfway
        /// It is done, but the caller never hears of it.
        case after
    }
}
