internal import Blocks
internal import Catalog
internal import Repository

/// The pieces of one snapshot that is being written: each at its place in a sparse file, behind a table of their SHA-256s.
///
/// A piece is acknowledged when its bytes and its hash would survive power loss: data, hash, one sync. What a stop leaves of a piece
/// that was not acknowledged are bytes that do not match their hash, or no hash; ``survey()`` finds the former, and whoever
/// was not answered sends the piece again. Pieces of different numbers are written at the same time, those of one number one after
/// another: the last one wins.
///
/// Sealed, it takes no more pieces. All calls block.
final class PieceFile: Sendable {
    private struct State {
        var busy: Set<Int> = []
        var isSealed: Bool
        var usedAt: WallTime
    }
    let account: String
    /// Pieces of the disk.
    let count: Int
    /// How long it may lie untouched.
    let timeout: Duration
    private let file: any DiskFile
    private let clock: any HouseClock
    private let state: Guarded<State>
    private static let page = 4096

    /// - Parameter record: of the snapshot, which says whether more pieces may come.
    init(_ file: any DiskFile, of record: SnapshotRecord, clock: any HouseClock) {
        self.file = file
        self.clock = clock
        account = record.account
        count = SnapshotPiece.count(of: record.volumeSize)
        timeout = record.written?.timeout ?? .zero
        state = Guarded(State(isSealed: record.written?.count != nil, usedAt: clock.now()))
    }

    /// Bytes of the table.
    private var tableEnd: Int { Self.tableEnd(count) }
    private static func tableEnd(_ count: Int) -> Int { (count * Digest.byteCount + page - 1) / page * page }

    /// The file's length, holes and all.
    static func size(of record: SnapshotRecord) -> ByteCount {
        let count = SnapshotPiece.count(of: record.volumeSize)
        return ByteCount(tableEnd(count) + count * SnapshotPiece.size.bytes)
    }

    // MARK: Writing

    /// Keeps a piece.
    ///
    /// - Returns: false if no more pieces are taken.
    func put(_ piece: NewPiece, at number: Int) throws(BlockFailure) -> Bool {
        precondition(number >= 0 && number < count && piece.bytes.count == SnapshotPiece.size.bytes)
        let isTaken: Bool = state.wait { state in
            if state.isSealed { return .some(false) }
            return state.busy.insert(number).inserted ? .some(true) : nil
        }
        guard isTaken else { return false }
        defer {
            state.change { state in
                state.busy.remove(number)
                state.usedAt = clock.now()
            }
        }
        let place = ByteOffset(tableEnd + number * SnapshotPiece.size.bytes)
        try piece.bytes.readBytes { (bytes) throws(BlockFailure) in try file.write(bytes, at: place, durably: false) }
        Failpoint.hit("write.put")
        try piece.digest.bytes.readBytes { (bytes) throws(BlockFailure) in
            try file.write(bytes, at: ByteOffset(number * Digest.byteCount), durably: false)
        }
        try file.sync()
        return true
    }

    /// Takes no more pieces from now on; returns when those under way are kept.
    func seal() {
        state.change { $0.isSealed = true }
        state.wait { $0.busy.isEmpty ? () : nil }
    }

    /// Takes pieces again: sealing it came to nothing.
    func unseal() { state.change { $0.isSealed = false } }

    /// Seals it if nothing was written to it for as long as its owner said.
    ///
    /// - Returns: whether it did.
    func sealIfForgotten() -> Bool {
        state.change { state in
            guard !state.isSealed, state.busy.isEmpty, clock.now() - state.usedAt >= timeout else { return false }
            state.isSealed = true
            return true
        }
    }

    // MARK: Reading

    /// What was written.
    struct Survey: Sendable {
        /// Ascending, no two adjacent.
        var runs: [BlockRange] = []
        var count = 0
        /// The SHA-256 of the pieces' SHA-256s, in their order.
        var checksum = Digest(of: [])
        /// The first piece whose bytes are not those that were acknowledged.
        var torn: Int?
    }

    /// Reads all of it and compares every piece with its hash. Of a sealed one.
    ///
    /// - Parameter isStopped: asked before each piece.
    func survey(isStopped: () -> Bool = { false }) throws -> Survey {
        var survey = Survey()
        var hashes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: SnapshotPiece.size.bytes)
        try eachHash { (number, hash) in
            if isStopped() { throw RepositoryFailure.cancelled }
            hashes += hash
            survey.count += 1
            let blocks = BlockRange(
                at: BlockIndex(number * SnapshotPiece.blocks.count), count: SnapshotPiece.blocks)
            try piece.writeBytes { (all) throws(BlockFailure) in try read(blocks, into: &all) }
            if survey.torn == nil, Digest(of: piece).bytes != hash { survey.torn = number }
            if let last = survey.runs.last, last.end == blocks.start {
                survey.runs[survey.runs.count - 1] = BlockRange(from: last.start, to: blocks.end)
            } else {
                survey.runs.append(blocks)
            }
        }
        survey.checksum = Digest(of: hashes)
        return survey
    }

    /// What was written there; zeros where nothing was.
    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        try file.read(at: ByteOffset(tableEnd + blocks.bytes.start.bytes), into: &target)
    }

    /// The hashes of what was written, by piece. No hash is all zeros.
    private func eachHash<Failure>(_ body: (Int, [UInt8]) throws(Failure) -> Void) throws {
        let size = Digest.byteCount
        var part = [UInt8](repeating: 0, count: 64 * Self.page)
        var place = 0
        while let data = try file.nextData(from: ByteOffset(place)), data.bytes < tableEnd {
            place = max(place, data.bytes / Self.page * Self.page)
            let length = min(part.count, tableEnd - place)
            try part.writeBytes { (all) throws(BlockFailure) in
                try all.withPart(0..<length) { (some) throws(BlockFailure) in
                    try file.read(at: ByteOffset(place), into: &some)
                }
            }
            for start in stride(from: 0, to: length, by: size) {
                let hash = Array(part[start..<start + size])
                if hash.contains(where: { $0 != 0 }) { try body((place + start) / size, hash) }
            }
            place += length
        }
    }
}
