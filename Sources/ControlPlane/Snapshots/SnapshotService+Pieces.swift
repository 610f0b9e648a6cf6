public import Blocks
internal import Catalog
internal import Repository

/// A snapshot cut into pieces of one size, for clients that read it without a disk.
public enum SnapshotPiece {
    /// Of each piece; the last one of a disk is filled up with zeros.
    public static let size = ByteCount(512 << 10)
    static let blocks = BlockCount(size.bytes / Block.size.bytes)

    /// How many pieces a disk has.
    public static func count(of disk: ByteCount) -> Int { (disk.bytes + size.bytes - 1) / size.bytes }
}

/// Some of the pieces of a snapshot.
public struct PieceList: Sendable, Equatable {
    /// Their numbers, ascending.
    public var numbers: [Int]
    /// The number from which to go on; nil: there are no more.
    public var next: Int?
}

/// Some of the pieces in which two snapshots differ.
public struct ChangedPieces: Sendable, Equatable {
    /// A piece in which they may differ.
    public struct Piece: Sendable, Equatable {
        /// Its number.
        public var number: Int
        /// Does the first snapshot have data in it?
        public var isInFirst: Bool
        /// Does the second?
        public var isInSecond: Bool
    }
    /// Ascending by number.
    public var pieces: [Piece]
    /// The number from which to go on; nil: there are no more.
    public var next: Int?
}

extension SnapshotService {
    /// The pieces that hold data, from number `first` on, at most `limit` of them. Of a completed snapshot of the account's or
    /// one that is shared with it.
    public func pieces(of id: String, from first: Int, limit: Int) async throws -> PieceList {
        try await ServiceError.about(.snapshot) {
            precondition(first >= 0 && limit > 0)
            let record = try await readable(id)
            return try await house.remote.run { [house] in
                let reader = try house.door.repository().reader(of: StoreDoor.id(record.id))
                let count = SnapshotPiece.count(of: record.volumeSize)
                return try Self.list(from: first, below: count, limit: limit) { try reader.nextData(from: $0) }
            }
        }
    }

    /// The pieces in which `second` may differ from `first`: those of which anything was stored anew in between.
    public func changedPieces(
        from first: String, to second: String, at start: Int, limit: Int
    ) async throws -> ChangedPieces {
        try await ServiceError.about(.snapshot) {
            precondition(start >= 0 && limit > 0)
            let old = try await readable(first), new = try await readable(second)
            guard try await areRelated(old, new) else {
                throw ServiceError(.invalid, .snapshot, "the snapshots \(first) and \(second) are not of one lineage")
            }
            return try await house.remote.run { [house] in
                let repository = try house.door.repository()
                let diff = try repository.diff(from: StoreDoor.id(first), to: StoreDoor.id(second))
                let a = try repository.reader(of: StoreDoor.id(first)),
                    b = try repository.reader(of: StoreDoor.id(second))
                let count = SnapshotPiece.count(of: max(old.volumeSize, new.volumeSize))
                let list = try Self.list(from: start, below: count, limit: limit) { try diff.nextChange(from: $0) }
                let pieces = try list.numbers.map { number in
                    ChangedPieces.Piece(
                        number: number, isInFirst: try Self.has(number) { try a.nextData(from: $0) },
                        isInSecond: try Self.has(number) { try b.nextData(from: $0) })
                }
                return ChangedPieces(pieces: pieces, next: list.next)
            }
        }
    }

    /// One piece. Zeros where the snapshot has nothing, and past its end.
    public func piece(_ number: Int, of id: String) async throws -> [UInt8] {
        try await ServiceError.about(.snapshot) {
            let record = try await readable(id)
            try house.check(.read, about: id)
            guard number >= 0, number < SnapshotPiece.count(of: record.volumeSize) else {
                throw ServiceError(.invalid, .snapshot, "the snapshot \(id) has no piece \(number)")
            }
            let source = house.source(of: record)
            return try await house.remote.run {
                let start = BlockIndex(number * SnapshotPiece.blocks.count)
                let end = min(start + SnapshotPiece.blocks, BlockIndex(0) + BlockCount(covering: record.volumeSize))
                var bytes = [UInt8](repeating: 0, count: SnapshotPiece.size.bytes)
                let wanted = BlockRange(from: start, to: end)
                try bytes.writeBytes { (all) throws(BlockFailure) in
                    try all.withPart(0..<wanted.count.size.bytes) { (part) throws(BlockFailure) in
                        try source.read(wanted, into: &part)
                    }
                }
                return bytes
            }
        }
    }

    /// A text that only this house can have made and read, of letters and digits.
    public func sealed(_ text: String, for purpose: String) -> String { house.keyRack.seal(text, of: purpose) }

    /// What ``sealed(_:for:)`` was given; nil for anything else.
    public func unsealed(_ text: String, for purpose: String) -> String? { house.keyRack.unseal(text, of: purpose) }

    // MARK: Which

    private func readable(_ id: String) async throws -> SnapshotRecord {
        let record = try await house.usableSnapshot(id, for: caller)
        guard record.state == .completed else { throw Household.noSnapshot(id) }
        try record.mustNotBeArchived(at: house.clock.now())
        try await house.requireKey(record.dataKey)
        return record
    }

    /// Of one volume, or made from what was.
    private func areRelated(_ a: SnapshotRecord, _ b: SnapshotRecord) async throws -> Bool {
        if a.volumeID == b.volumeID { return true }
        return try await house.catalog.change { session in
            let first = try Self.line(of: a, session), second = try Self.line(of: b, session)
            return !first.isDisjoint(with: second)
        }
    }

    /// A snapshot, what it builds on, as far as that is there, and the volumes that they are of.
    private static func line(of snapshot: SnapshotRecord, _ session: CatalogSession) throws -> Set<String> {
        var line: Set<String> = []
        var next: SnapshotRecord? = snapshot
        while let present = next, line.insert(present.id).inserted {
            line.insert(present.volumeID)
            let origin = try session.volume(present.volumeID)?.originSnapshot
            guard let parent = present.parentID ?? origin else { break }
            next = try session.snapshot(parent)
        }
        return line
    }

    private static func list(
        from first: Int, below count: Int, limit: Int, _ nextRun: (BlockIndex) throws -> BlockRange?
    ) throws -> PieceList {
        let perPiece = SnapshotPiece.blocks.count
        var numbers: [Int] = []
        var number = first
        while number < count, let run = try nextRun(BlockIndex(number * perPiece)) {
            let from = max(number, run.start.number / perPiece), to = (run.end.number + perPiece - 1) / perPiece
            for found in from..<min(to, count) {
                guard numbers.count < limit else { return PieceList(numbers: numbers, next: found) }
                numbers.append(found)
            }
            number = max(to, number + 1)
        }
        return PieceList(numbers: numbers, next: nil)
    }

    private static func has(_ number: Int, _ nextRun: (BlockIndex) throws -> BlockRange?) throws -> Bool {
        let start = BlockIndex(number * SnapshotPiece.blocks.count)
        guard let run = try nextRun(start) else { return false }
        return run.start < start + SnapshotPiece.blocks
    }
}
