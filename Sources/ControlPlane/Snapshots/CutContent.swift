internal import Blocks
internal import Repository
internal import VolumeEngine

/// A pending cut as the repository's writer reads it.
final class CutContent: SnapshotContent {
    private let view: CutView
    init(_ view: CutView) { self.view = view }

    var size: ByteCount { view.size }
    var brokenReason: String? { view.givenUpReason }
    var capturedPacks: [StoredPack] { view.capturedPacks.map { StoredPack(number: $0.pack, runs: $0.runs) } }

    func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try view.nextChange(from: block) }
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try view.nextData(from: block) }
    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        try view.read(blocks, into: &target)
    }
    func readIfUnchanged(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        try view.readIfUnchanged(blocks, into: &target)
    }
    func takeHotBlock() -> BlockIndex? { view.takeHotBlock() }
    func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure) { try view.captured(pack: pack, runs: runs) }
}
