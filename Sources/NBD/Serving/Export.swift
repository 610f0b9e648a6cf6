public import Blocks

/// A device offered under a name.
public struct Export: Sendable {
    /// The name that a client asks for and that ``NBDServer/closeSessions(of:within:)`` takes.
    public var name: String
    /// What is read and written. Called from the threads of its sessions, several at once.
    public var device: any BlockDevice
    /// Are writes refused? (They are too when the device itself is read-only.)
    public var isReadOnly: Bool
    /// May a client spread its requests over several connections? True only when a flush on one of them covers what
    /// was written through all, which every ``Blocks/BlockDevice`` promises.
    public var canMultiConn: Bool
    /// How fast it may be used, by all its sessions together; nil: as fast as it can.
    public var pace: Pace?
    /// For people, in a client's listing; at most 4096 bytes.
    public var description: String

    /// Makes an export.
    public init(
        name: String, device: any BlockDevice, isReadOnly: Bool = false, canMultiConn: Bool = true,
        pace: Pace? = nil, description: String = ""
    ) {
        self.name = name
        self.device = device
        self.isReadOnly = isReadOnly
        self.canMultiConn = canMultiConn
        self.pace = pace
        self.description = description
    }
}

/// Which exports there are: how the server asks the rest of the house.
///
/// Called on the threads of connections while they negotiate, several at once; a call may block there (to open a
/// volume, say), for a second rather than a minute.
///
/// To take an export away: first let ``export(named:)`` answer nil for it, then call
/// ``NBDServer/closeSessions(of:within:)``. When that has returned no session uses the device.
public protocol ExportTable: AnyObject, Sendable {
    /// The export of that name, or nil when there is none or it must not be used now. The empty name asks for a
    /// default export; the answer's own ``Export/name`` is what the session counts under.
    func export(named name: String) -> Export?
    /// What a client that asks for a list is told: names and descriptions, in the order shown.
    func listing() -> [ExportListing]
}

/// One line of what a client sees in a list of exports.
public struct ExportListing: Sendable, Equatable {
    /// The name.
    public var name: String
    /// For people; may be empty.
    public var description: String

    /// Makes a line.
    public init(name: String, description: String = "") {
        self.name = name
        self.description = description
    }
}
