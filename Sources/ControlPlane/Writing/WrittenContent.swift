internal import Blocks
internal import Catalog
internal import Repository

/// A snapshot's pieces as its upload reads them: what was written differs from the parent, the rest is the parent's.
///
/// The file is sealed, so every try sees the same.
final class WrittenContent: SnapshotContent {
    private let file: PieceFile
    private let runs: [BlockRange]
    private let packs: RecordedPacks
    let size: ByteCount

    /// - Parameter runs: what was written, ascending.
    init(_ file: PieceFile, runs: [BlockRange], size: ByteCount, packs: RecordedPacks) {
        self.file = file
        self.runs = runs
        self.size = size
        self.packs = packs
    }

    var brokenReason: String? { nil }
    var capturedPacks: [CapturedPack] { packs.all }

    func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange? {
        guard let run = runs.first(after: block) else { return nil }
        return BlockRange(from: max(run.start, block), to: run.end)
    }

    /// Zeros that were written are data.
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try nextChange(from: block) }

    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        try file.read(blocks, into: &target)
    }

    func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure) { try packs.add(pack, runs) }
}

/// One snapshot that was written, on its way to the store.
final class WrittenUpload: Uploading {
    let snapshot: String
    /// A completed snapshot.
    let parent: String?
    let course = UploadCourse()
    /// Once it was looked at: the file does not change any more.
    let survey = Guarded<PieceFile.Survey?>(nil)

    init(_ record: SnapshotRecord) {
        snapshot = record.id
        parent = record.parentID
    }
}
