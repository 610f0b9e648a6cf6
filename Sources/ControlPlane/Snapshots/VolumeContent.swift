internal import Blocks
internal import Repository
internal import VolumeEngine

/// A volume as the repository compares it with a snapshot that it counts its changes from.
final class VolumeContent: LiveContent {
    private let id: String
    private let volume: Volume
    private let snapshot: String

    init(_ id: String, _ volume: Volume, since snapshot: String) {
        self.id = id
        self.volume = volume
        self.snapshot = snapshot
    }

    var name: String { "the volume \(id)" }
    var size: ByteCount { volume.size }

    func nextChange(in blocks: BlockRange) -> BlockRange? { volume.nextChange(since: snapshot, in: blocks) }
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { try volume.nextAllocated(from: block) }
    func readIfUnchanged(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        try volume.readIfUnchanged(since: snapshot, blocks, into: &target)
    }
}
