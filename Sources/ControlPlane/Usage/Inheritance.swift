internal import Blocks
internal import Catalog
internal import Repository

/// Finds who pays for what a deleted snapshot stored and later ones still need.
///
/// What was stored is in packs, named after the snapshot that put them, and each snapshot's table of packs says how much of each
/// it refers to. So of a pack whose snapshot is deleted, the bytes that are still needed count for one that needs them
/// (``Heirs``); when that one goes, for the next. Whoever needs a pack has it from the lineage it is in, so only that lineage
/// has to be read: two small objects for each of its snapshots, one snapshot after another.
///
/// A deletion marks its lineage in its own transactions. Some minutes later, so that many deletions are one count, the lineage is
/// read and what came out replaces what was there, in the transaction that takes the mark away. It is a pure function of what
/// lives and what is stored: a kill loses nothing and a second count changes nothing. A snapshot deleted meanwhile has marked
/// the lineage once more, and the mark stays, to be counted after all others that wait. One completed meanwhile needs only what
/// its parent needs, which is there and older; if that is another account's, its completion marks the lineage. While one is being
/// made whose parent is deleted, what both need would be nobody's or another's: the lineage waits until that is settled.
///
/// A lineage that cannot be read now waits as if it had been marked now, and the next ones are counted. After some in a row the
/// store is taken for away, and all stays as it was for a minute. Where a single snapshot is damaged, nothing is handed on, and
/// it is looked at again a day later.
final class Inheritance: Sendable {
    private let rounds = Rounds()
    private let next = NextLook()
    /// How long deletions are gathered.
    static let pause = Duration.seconds(600)
    /// How long a lineage with a damaged snapshot waits.
    static let pauseOfDamaged = Duration.seconds(86_400)
    /// After so many in a row that cannot be read the rest is not tried.
    private static let failuresMax = 3

    /// Starts it.
    func open(_ house: Household) { rounds.open { [self] in await turn(house) } }

    /// Ends after the snapshot at hand.
    func close() async { await rounds.close() }

    /// A lineage was marked.
    func lookSoon() { next.lookSoon() }

    /// Counts what is due.
    func turn(_ house: Household) async {
        let now = house.clock.now()
        await next.look(at: now) {
            var failures = 0
            while let lineage = try await house.catalog.change({ try $0.uncountedLineage() }) {
                let due = lineage.since + Self.pause
                if due > now || Task.isCancelled { return max(due, now) }
                do {
                    try await count(lineage, house)
                    failures = 0
                } catch is CancellationError { return now } catch {
                    try await house.catalog.change { try $0.postpone(lineage, to: now) }
                    failures += 1
                    if failures == Self.failuresMax { throw error }
                }
            }
            return nil
        }
    }

    private func count(_ lineage: UncountedLineage, _ house: Household) async throws {
        let now = house.clock.now()
        let found = try await house.catalog.change { session -> [LineageMember]? in
            if try session.isAwaiting(lineage) {
                // Its deletion, which waits for the same, marks once more when it is over.
                try session.postpone(lineage, to: now)
                return nil
            }
            return try session.living(ofLineage: lineage.name)
        }
        guard let living = found else { return }
        var heirs = Heirs()
        for member in living {
            heirs.know(try StoreDoor.id(member.id), PackAuthor(isGone: false, account: member.account))
        }
        for member in living {
            try Task.checkCancellation()
            guard let needs = try await house.remote.run({ try Self.needs(of: member.id, house) }) else {
                heirs.passOver()
                continue
            }
            let unknown = heirs.unknown(in: needs)
            if !unknown.isEmpty {
                let found = try await house.catalog.change { session in
                    try unknown.map { ($0, try session.author($0.text)) }
                }
                for (author, what) in found { heirs.know(author, what) }
            }
            heirs.add(member, needs)
        }
        let changes = heirs.changes, isWhole = heirs.isWhole, end = house.clock.now()
        let needed = Set(heirs.needed.map(\.text))
        Failpoint.hit("usage.inherited.read")
        try await house.catalog.change { session in
            try session.write(changes)
            if isWhole { return try session.end(lineage, authors: needed, at: end) }
            // What is missing may have been deleted meanwhile, and not be damaged.
            let pause = try session.isMarkedAgain(lineage) ? .zero : Self.pauseOfDamaged
            try session.postpone(lineage, to: end + pause)
        }
        Failpoint.hit("usage.inherited.written")
    }

    /// Nil: it cannot be read.
    private static func needs(of snapshot: String, _ house: Household) throws -> SnapshotNeeds? {
        do { return try house.door.repository().needs(of: StoreDoor.id(snapshot)) } catch RepositoryFailure.missing {
            return nil
        } catch RepositoryFailure.corrupt { return nil }
    }
}
