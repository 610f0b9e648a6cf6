internal import Blocks

/// Finds blocks that are marked as changed but are the same as in the parent.
///
/// First by hash: a frame of the parent all of whose blocks are at hand. Where the hash differs, or not all of the
/// frame is in use any more, the frame is read back and compared block by block; that pays only when the marks
/// overstate (after power loss everything is marked), so it goes on only while it finds something.
struct ParentComparison {
    let parent: Leaf
    let access: PackAccess
    /// Blocks of the volume whose frames are known to be damaged: nothing equals them.
    let distrusted: [BlockRange]

    /// One of the parent's frames: the blocks of the leaf that it holds, and their places in it.
    private struct Held {
        var blocks: [(index: Int, first: Int)] = []
    }

    /// Marks equal blocks as `same`. `buffer` holds the leaf's pending blocks, each in its place.
    func run(_ state: inout LeafState, _ buffer: borrowing AlignedBuffer) throws(RepositoryFailure) {
        var held = Array(repeating: Held(), count: parent.frames.count)
        for run in parent.runs {
            for step in 0..<run.count where run.start + step < state.count {
                held[run.frame].blocks.append((run.start + step, run.first + step))
            }
        }
        var doubtful: [Int] = []
        var (hits, misses) = (0, 0)
        for (frame, blocks) in held.enumerated() where isMarked(blocks, state) && isTrusted(blocks, state) {
            if isWhole(blocks, frame, state), digest(blocks, buffer) == parent.frames[frame].digest {
                for (index, _) in blocks.blocks { state.fates[index] = .same }
                hits += 1
            } else {
                doubtful.append(frame)
            }
        }
        while !doubtful.isEmpty, misses <= hits * ParentComparison.patience {
            // One to try, then many with few requests.
            let next = doubtful.prefix(hits == 0 ? 1 : ParentComparison.batch)
            doubtful.removeFirst(next.count)
            try FrameBatch(access: access, leaf: parent).each(Set(next)) { (frame, result) throws(RepositoryFailure) in
                // A damaged frame equals nothing: its blocks are stored anew, so that the damage is not inherited.
                guard case .success(let plain) = result, compare(held[frame], plain, &state, buffer) else {
                    misses += 1
                    return
                }
                hits += 1
            }
        }
    }

    /// Misses allowed for each hit.
    private static let patience = 4
    /// Frames read back at once: 4 MiB.
    private static let batch = 32

    /// All of the frame's blocks are marked as changed, and at least one must be compared.
    private func isMarked(_ held: Held, _ state: LeafState) -> Bool {
        var hasPending = false
        for (index, _) in held.blocks {
            switch state.fates[index] {
            case .kept, .rewritten: return false
            case .pending: hasPending = true
            case .zero, .same, .uploaded: break
            }
        }
        return hasPending
    }

    private func isTrusted(_ held: Held, _ state: LeafState) -> Bool {
        distrusted.isEmpty
            || !held.blocks.contains { held in
                distrusted.contains { $0.contains(state.origin + BlockCount(held.index)) }
            }
    }

    /// The frame's blocks are all at hand, in the frame's order.
    private func isWhole(_ held: Held, _ frame: Int, _ state: LeafState) -> Bool {
        held.blocks.count == parent.frames[frame].blocks
            && held.blocks.enumerated().allSatisfy { $0.element.first == $0.offset }
            && held.blocks.allSatisfy { state.fates[$0.index] == .pending }
    }

    private func digest(_ held: Held, _ buffer: borrowing AlignedBuffer) -> Digest {
        let size = Block.size.bytes
        guard let first = held.blocks.first?.index else { preconditionFailure("a frame holds blocks") }
        if held.blocks.enumerated().allSatisfy({ $0.element.index == first + $0.offset }) {
            return buffer.read(first * size..<(first + held.blocks.count) * size) { access.digest(of: $0) }
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(held.blocks.count * size)
        for (index, _) in held.blocks {
            buffer.read(index * size..<(index + 1) * size) { plain.append(copying: $0) }
        }
        return plain.readBytes(0..<plain.count) { access.digest(of: $0) }
    }

    /// Compares with the frame read back; says whether any block was the same.
    private func compare(
        _ held: Held, _ plain: [UInt8], _ state: inout LeafState, _ buffer: borrowing AlignedBuffer
    ) -> Bool {
        let size = Block.size.bytes
        var found = false
        for (index, first) in held.blocks where state.fates[index] == .pending {
            let isSame = buffer.read(index * size..<(index + 1) * size) { mine in
                plain.readBytes(first * size..<(first + 1) * size) { mine.equals($0) }
            }
            if isSame {
                state.fates[index] = .same
                found = true
            }
        }
        return found
    }
}
