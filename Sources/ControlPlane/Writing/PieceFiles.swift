internal import Blocks
internal import Catalog

/// The files of all snapshots that are being written, `<data>/pieces/<snapshot>`, and the watch over those that are forgotten.
///
/// A file is opened at the first piece and stays open until its snapshot is stored or given up.
final class PieceFiles: Sendable {
    private let directory: DataDirectory
    private let clock: any HouseClock
    private let present = Guarded<[String: PieceFile]>([:])
    private let rounds = Rounds()
    /// One at a time: no file is open twice.
    private let opening = Guarded(())
    /// For calls that block on these files, so that many pieces at once do not keep other verbs waiting.
    let pool = BlockingPool(name: "pieces", limit: 8)

    init(_ directory: DataDirectory, clock: any HouseClock) {
        self.directory = directory
        self.clock = clock
    }

    /// A file that is open.
    subscript(_ id: String) -> PieceFile? { present.withLock { $0[id] } }

    /// Opens the file of a snapshot's pieces, making it if there is none; its name is durable then. Blocks.
    func open(_ record: SnapshotRecord) throws -> PieceFile {
        try opening.withLock { _ in
            if let found = self[record.id] { return found }
            // A snapshot may be larger than a file can be.
            let path = directory.pieces + "/" + record.id
            let segments = try SegmentedFile.open(path, .create, on: directory.disk)
            try segments.resize(to: PieceFile.size(of: record))
            // Also of one that is there: whoever made it may not have come to this.
            try directory.disk.syncDirectory(directory.pieces)
            let file = PieceFile(segments, of: record, clock: clock)
            present.withLock { $0[record.id] = file }
            return file
        }
    }

    /// Frees the space of a snapshot that is stored or given up. What cannot be removed the next start removes. Blocks.
    func discard(_ id: String) {
        present.withLock { $0[id] = nil }
        try? SegmentedFile.remove(directory.pieces + "/" + id, on: directory.disk)
    }

    /// Removes all files but those of `wanted`. Blocks.
    func sweep(keeping wanted: Set<String>) throws {
        for name in try directory.disk.list(directory.pieces) where !wanted.contains(String(name.prefix { $0 != "." }))
        {
            try directory.disk.remove(directory.pieces + "/" + name)
        }
    }

    // MARK: Forgotten ones

    /// From now on those are given up that nobody wrote to for too long.
    func startWatching(_ house: Household) {
        rounds.open { [self] in
            for (id, file) in present.withLock({ $0 }) where file.sealIfForgotten() {
                // If the catalog cannot be asked now, at the next turn.
                do { try await WriteSnapshot(house: house).giveUpForgotten(id) } catch { file.unseal() }
            }
        }
    }

    /// Ends after the turn at hand.
    func stopWatching() async { await rounds.close() }

    /// After the last call. Blocks.
    func close() {
        pool.close()
        present.withLock { $0 = [:] }
    }
}
