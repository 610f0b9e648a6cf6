import Blocks
import Repository

/// A disk's content as a model: blocks that are not zero.
struct TestImage: Equatable, Sendable {
    var size: ByteCount
    var blocks: [Int: [UInt8]] = [:]

    var blockCount: Int { BlockCount(covering: size).count }

    /// Bytes that compress (`isText`) or not, different for each seed.
    static func block(_ seed: UInt64, isText: Bool = false) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: seed) | 1, count: 4096)
        for index in 0..<(isText ? 40 : 4096) {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            bytes[index] = UInt8(truncatingIfNeeded: state >> 24)
        }
        return bytes
    }

    /// Puts a block, cut at the end of the image; zeros make it vanish.
    mutating func set(_ index: Int, _ bytes: [UInt8]?) {
        guard var bytes else {
            blocks[index] = nil
            return
        }
        let inside = min(4096, size.bytes - index * 4096)
        for past in inside..<4096 { bytes[past] = 0 }
        blocks[index] = bytes.allSatisfy { $0 == 0 } ? nil : bytes
    }

    func changed(from old: TestImage) -> Set<Int> {
        Set(Set(blocks.keys).union(old.blocks.keys).filter { blocks[$0] != old.blocks[$0] })
    }
}

/// Repeatable random numbers.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x2545_F491_4F6C_DD1D | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// A cut as the uploader sees it. Strict: what was captured may not be read again, nor what did not change.
final class TestContent: SnapshotContent {
    let image: TestImage
    private let changedRuns: [BlockRange]
    private let dataRuns: [BlockRange]

    struct State {
        var packs: [CapturedPack] = []
        var captured: Set<Int> = []
        var reads = 0
        var broken: String?
        var failCaptured: BlockFailure?
        /// What writers run into, to be told one by one; nil ends the answers to one question.
        var hot: [BlockIndex?] = []
        /// Called before each pack is recorded.
        var onCaptured: (@Sendable (Int) -> Void)?
    }
    let state = Guarded(State())

    init(_ image: TestImage, changed: Set<Int>?) {
        self.image = image
        if let changed {
            changedRuns = TestContent.runs(changed)
        } else {
            changedRuns = [BlockRange(at: 0, count: BlockCount(image.blockCount))]
        }
        dataRuns = TestContent.runs(Set(image.blocks.keys))
    }

    static func runs(_ blocks: Set<Int>) -> [BlockRange] {
        var runs: [BlockRange] = []
        for block in blocks.sorted() {
            if let last = runs.last, last.end.number == block {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(BlockRange(at: BlockIndex(block), count: 1))
            }
        }
        return runs
    }

    private func next(_ runs: [BlockRange], _ block: BlockIndex) -> BlockRange? {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].end <= block { low = middle + 1 } else { high = middle }
        }
        guard low < runs.count else { return nil }
        return BlockRange(from: max(runs[low].start, block), to: runs[low].end)
    }

    var size: ByteCount { image.size }
    func nextChange(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { next(changedRuns, block) }
    func nextData(from block: BlockIndex) throws(BlockFailure) -> BlockRange? { next(dataRuns, block) }

    func read(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) {
        precondition(target.byteCount == blocks.count.size.bytes)
        let isAllowed = state.withLock { state in
            state.reads += blocks.count.count
            return !(blocks.start.number..<blocks.end.number).contains { state.captured.contains($0) }
        }
        guard isAllowed else { throw .failed }
        guard let change = next(changedRuns, blocks.start), change.start == blocks.start, change.end >= blocks.end
        else {
            throw .outOfRange
        }
        for step in 0..<blocks.count.count {
            let bytes = image.blocks[blocks.start.number + step]
            unsafe target.withUnsafeMutableBytes { all in
                let place = unsafe UnsafeMutableRawBufferPointer(rebasing: all[step * 4096..<(step + 1) * 4096])
                if let bytes {
                    unsafe place.copyBytes(from: bytes)
                } else {
                    _ = unsafe place.initializeMemory(as: UInt8.self, repeating: 0)
                }
            }
        }
    }

    /// Unchanged blocks come from the image as well, so an image that differs elsewhere is one that lies.
    func readIfUnchanged(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        if let change = next(changedRuns, blocks.start), change.start < blocks.end { return false }
        for step in 0..<blocks.count.count {
            let bytes = image.blocks[blocks.start.number + step] ?? [UInt8](repeating: 0, count: 4096)
            bytes.readBytes { target.copy($0, at: step * 4096) }
        }
        return true
    }

    func captured(pack: Int, runs: [BlockRange]) throws(BlockFailure) {
        state.withLock({ $0.onCaptured })?(pack)
        if let failure = state.withLock({ $0.failCaptured }) { throw failure }
        state.withLock { state in
            precondition(!state.packs.contains { $0.number == pack }, "a pack number is used once")
            state.packs.append(CapturedPack(number: pack, runs: runs))
            for run in runs {
                for block in run.start.number..<run.end.number { state.captured.insert(block) }
            }
        }
    }

    func takeHotBlock() -> BlockIndex? {
        state.withLock { $0.hot.isEmpty ? nil : $0.hot.removeFirst() }
    }

    var capturedPacks: [CapturedPack] { state.withLock { $0.packs } }
    var brokenReason: String? { state.withLock { $0.broken } }
}
