internal import Blocks
internal import Catalog
internal import Repository

/// Finds who pays for what a deleted snapshot stored and later ones still need.
///
/// What was stored is in packs, named after the snapshot that put them, and each snapshot's table of packs says how much of each it
/// refers to. So of a pack whose snapshot is deleted, the bytes that are still needed count for the oldest snapshot that needs
/// them; when that one goes, for the next. Whoever needs a pack has it from the lineage it is in, so only that lineage has to be read:
/// two small objects for each of its snapshots.
///
/// A deletion marks its lineage in its own transactions. Some minutes later, so that many deletions are one count, the lineage is
/// read and what came out replaces what was there, in the transaction that takes the mark away. It is a pure function of what
/// lives and what is stored: a kill loses nothing and a second count changes nothing. A snapshot deleted meanwhile has marked the
/// lineage once more, and the mark stays. One completed meanwhile needs only what its parent needs, which is there and older, and
/// if that is just being deleted, its deletion marks once more when it is over. While the store is away all stays as it was.
final class Inheritance: Sendable {
    private let rounds = Rounds()
    private let next = NextLook()
    /// How long deletions are gathered.
    static let pause = Duration.seconds(600)

    /// Starts it.
    func open(_ house: Household) { rounds.open { [self] in await turn(house) } }

    /// Ends after the lineage at hand.
    func close() async { await rounds.close() }

    /// A lineage was marked.
    func lookSoon() { next.lookSoon() }

    /// Counts what is due.
    func turn(_ house: Household) async {
        let now = house.clock.now()
        await next.look(at: now) {
            while let lineage = try await house.catalog.change({ try $0.uncountedLineage() }) {
                let due = lineage.since + Self.pause
                if due > now || Task.isCancelled { return max(due, now) }
                try await count(lineage, house)
            }
            return nil
        }
    }

    private func count(_ lineage: UncountedLineage, _ house: Household) async throws {
        let living = try await house.catalog.change { try $0.living(ofLineage: lineage.name) }
        let needs = try await house.remote.run { try Self.needs(of: living, house) }
        // Of what an earlier version's record put into another lineage, the snapshots may live.
        let authors = Set(needs.flatMap(\.needs.packs.keys).map(\.snapshot.text))
        let shares = try await house.catalog.change { session in
            var dead: Set<String> = []
            for author in authors {
                let record = try session.snapshot(author)
                if record.map({ $0.isDeleted || $0.state != .completed }) ?? true { dead.insert(author) }
            }
            return Self.shares(needs, dead)
        }
        try await house.catalog.change { try $0.count(lineage, shares) }
    }

    /// Of each that can be read, in the order given; one that is damaged counts for what it counted for.
    private static func needs(
        of snapshots: [String], _ house: Household
    ) throws -> [(id: String, needs: SnapshotNeeds)] {
        let repository = try house.door.repository()
        var found: [(id: String, needs: SnapshotNeeds)] = []
        for id in snapshots {
            do {
                found.append((id, try repository.needs(of: StoreDoor.id(id))))
            } catch RepositoryFailure.missing {
            } catch RepositoryFailure.corrupt {}
        }
        return found
    }

    /// Each pack of a dead snapshot for the first that needs it, with the most that any of them refers to.
    static func shares(_ all: [(id: String, needs: SnapshotNeeds)], _ dead: Set<String>) -> [String: InheritedShare] {
        var heirs: [PackName: (heir: Int, bytes: ByteCount)] = [:]
        for (index, one) in all.enumerated() {
            for (pack, bytes) in one.needs.packs where dead.contains(pack.snapshot.text) {
                let known = heirs[pack]
                heirs[pack] = (known?.heir ?? index, max(known?.bytes ?? .zero, bytes))
            }
        }
        var shares = all.map { InheritedShare(inherited: .zero, full: $0.needs.full) }
        for (heir, bytes) in heirs.values { shares[heir].inherited += bytes }
        return Dictionary(zip(all.map(\.id), shares)) { first, _ in first }
    }
}
