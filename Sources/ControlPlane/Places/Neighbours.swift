internal import Blocks

/// The households of one server, one for each region, so that one can ask another. The first one has what concerns all: the
/// accounts, their keys, and which regions there are.
final class Neighbours: Sendable {
    private struct Reference: Sendable {
        weak let house: Household?
    }
    private let references = Guarded<[Reference]>([])

    /// Another region comes to be served. In order: the first one added is the first region.
    func add(_ house: Household) { references.withLock { $0.append(Reference(house: house)) } }

    /// Every household, in order.
    var all: [Household] { references.withLock { $0.compactMap(\.house) } }
    /// The one that knows the accounts.
    var first: Household? { all.first }
    /// That of a region, or nil.
    subscript(_ region: String) -> Household? { all.first { $0.region.name == region } }

    /// Something that another region's task may wait for has changed.
    func announceAnything() {
        for house in all { house.bulletin.announce(TaskRunner.anything) }
    }
}

extension Household {
    /// The household that knows the accounts.
    var head: Household { neighbours.first ?? self }
}
