internal import Blocks

/// Meta contexts that a client can select: kinds of information about ranges.
enum MetaContext: UInt32, CaseIterable, Sendable {
    /// Which parts hold data.
    case allocation = 1
    /// Which parts changed since the last snapshot.
    case dirty = 2

    /// The name on the wire.
    var name: String {
        switch self {
        case .allocation: "base:allocation"
        case .dirty: "varve:dirty"
        }
    }
    /// The number that answers carry.
    var id: UInt32 { rawValue }

    /// The contexts that a query stands for: one by its name, or (for listing) all of a namespace.
    static func matching(_ query: String, listing: Bool) -> [MetaContext] {
        if listing, query.hasSuffix(":") { return allCases.filter { $0.name.hasPrefix(query) } }
        return allCases.filter { $0.name == query }
    }
}

/// What client and server have settled on when negotiation ends.
struct Agreement: Sendable {
    /// What is served.
    let export: Export
    /// Its size, fixed for this connection: growth is seen by new connections.
    let size: ByteCount
    /// Are writes refused?
    let isReadOnly: Bool
    /// Are replies structured?
    let isStructured: Bool
    /// The contexts that BLOCK_STATUS answers for, in the order selected.
    let contexts: [MetaContext]
}

extension Export {
    /// Read-only by decision or by nature.
    var refusesWrites: Bool { isReadOnly || device.isReadOnly }

    func flags(structured: Bool) -> TransmissionFlags {
        var flags: TransmissionFlags = [.hasFlags, .sendFlush, .sendFUA, .sendCache]
        if refusesWrites {
            flags.insert(.readOnly)
        } else {
            flags.formUnion([.sendTrim, .sendWriteZeroes, .sendFastZero])
        }
        if structured { flags.insert(.sendDF) }
        if canMultiConn { flags.insert(.canMultiConn) }
        return flags
    }
}
