internal import Blocks
internal import Catalog
internal import Repository

/// For whom the packs of deleted snapshots count: told what a lineage's snapshots need, one after another, oldest first.
///
/// A pack counts once, with the most that any of them refers to: for the oldest that needs it among those of the account that
/// stored it, and for the oldest of all only where that account has none left. So nobody pays for another's bytes because a copy
/// of them happens to be older than what the other still has.
///
/// Of each snapshot's table only the packs of deleted ones are kept: what is in memory of a lineage is what it inherits.
struct Heirs {
    private struct Claim {
        var heir: Int
        /// Is the heir of the account that stored the pack?
        var isOwn: Bool
        var bytes: ByteCount
    }
    private var members: [LineageMember] = []
    private var fulls: [ByteCount] = []
    private var claims: [PackName: Claim] = [:]
    private var authors: [SnapshotID: PackAuthor] = [:]
    /// Who stored something that is needed.
    private(set) var needed: Set<SnapshotID> = []
    /// Could all be read?
    private(set) var isWhole = true

    /// Those of the authors in a snapshot's table of whom nothing was said yet.
    func unknown(in needs: SnapshotNeeds) -> Set<SnapshotID> {
        var unknown: Set<SnapshotID> = []
        for pack in needs.packs.keys where authors[pack.snapshot] == nil { unknown.insert(pack.snapshot) }
        return unknown
    }

    /// Says who stored something.
    mutating func know(_ author: SnapshotID, _ what: PackAuthor) { authors[author] = what }

    /// The next younger snapshot, all of whose authors are known.
    mutating func add(_ member: LineageMember, _ needs: SnapshotNeeds) {
        let index = members.count
        members.append(member)
        fulls.append(needs.full)
        for (pack, bytes) in needs.packs {
            needed.insert(pack.snapshot)
            guard let author = authors[pack.snapshot], author.isGone else { continue }
            let isOwn = author.account == member.account
            var claim = claims[pack] ?? Claim(heir: index, isOwn: isOwn, bytes: .zero)
            if isOwn, !claim.isOwn {
                claim.heir = index
                claim.isOwn = true
            }
            claim.bytes = max(claim.bytes, bytes)
            claims[pack] = claim
        }
    }

    /// The next younger one cannot be read.
    mutating func passOver() { isWhole = false }

    /// What counts for each that was added, where that is another than it was. Where one was passed over, nothing is known of what
    /// it inherits, and so of nobody: what would go to others may count for it already, so all keep what they had.
    var changes: [String: InheritedShare] {
        var inherited = members.map { isWhole ? .zero : $0.inherited }
        if isWhole {
            for claim in claims.values { inherited[claim.heir] = inherited[claim.heir] + claim.bytes }
        }
        var changes: [String: InheritedShare] = [:]
        for (index, member) in members.enumerated()
        where member.inherited != inherited[index] || member.full != fulls[index] {
            changes[member.id] = InheritedShare(inherited: inherited[index], full: fulls[index])
        }
        return changes
    }
}
