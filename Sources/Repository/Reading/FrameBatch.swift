internal import Blocks

/// Loads the frames of one leaf that a read needs: from the cache, or with few ranged requests.
struct FrameBatch {
    /// Neighbours this close in a pack come with one request.
    private static let gapMax = 32 << 10
    /// A request asks for no more than this.
    private static let requestMax = 4 << 20

    let access: PackAccess
    let leaf: Leaf

    /// The plain bytes of the frames of `pieces`, by index. When something must be fetched anyway, the frames of the
    /// `ahead` blocks after `end` are fetched along. `keeping`: do what was fetched stay in the cache?
    func load(
        _ pieces: LeafPieces, ahead: Int, after end: BlockIndex, keeping: Bool
    ) throws(RepositoryFailure) -> [Int: [UInt8]] {
        var loaded: [Int: [UInt8]] = [:]
        var missing: Set<Int> = []
        for piece in pieces.all where loaded[piece.frame] == nil && !missing.contains(piece.frame) {
            if let plain = access.cachedFrame(leaf.frames[piece.frame]) {
                loaded[piece.frame] = plain
            } else {
                missing.insert(piece.frame)
            }
        }
        guard !missing.isEmpty else { return loaded }
        let needed = missing
        if ahead > 0 {
            let next = LeafPieces(of: leaf, within: BlockRange(at: end, count: BlockCount(ahead)))
            for piece in next.all where loaded[piece.frame] == nil {
                if access.cachedFrame(leaf.frames[piece.frame]) == nil { missing.insert(piece.frame) }
            }
        }
        try each(missing) { (index, result) throws(RepositoryFailure) in
            switch result {
            case .success(let plain):
                if keeping { access.keep(plain, of: leaf.frames[index]) }
                loaded[index] = plain
            case .failure(let failure):
                // If only read-ahead wanted it: whoever needs it will see.
                if needed.contains(index) { throw failure }
            }
        }
        return loaded
    }

    /// Fetches and checks frames, neighbours together. A damaged one comes as its failure; one that the store cannot
    /// give now ends it.
    func each(
        _ frames: Set<Int>, _ body: (Int, Result<[UInt8], RepositoryFailure>) throws(RepositoryFailure) -> Void
    ) throws(RepositoryFailure) {
        for group in requests(frames) {
            do throws(RepositoryFailure) { try fetch(group, body) } catch {
                guard case .corrupt = error, group.count > 1 else { throw error }
                // A pack that ends too early still has its first frames.
                for index in group { try fetch([index], body) }
            }
        }
    }

    /// Reads frames only to learn which are damaged, and how.
    func failures(of frames: Set<Int>) throws(RepositoryFailure) -> [Int: RepositoryFailure] {
        var failures: [Int: RepositoryFailure] = [:]
        try each(frames) { index, result in
            if case .failure(let failure) = result { failures[index] = failure }
        }
        return failures
    }

    /// Groups frames into requests, by place.
    private func requests(_ frames: Set<Int>) -> [[Int]] {
        let sorted = frames.sorted {
            let (a, b) = (leaf.frames[$0], leaf.frames[$1])
            return a.pack == b.pack ? a.offset < b.offset : a.pack < b.pack
        }
        var groups: [[Int]] = []
        for index in sorted {
            let frame = leaf.frames[index]
            if let first = groups.last?.first, let last = groups.last?.last {
                let (start, before) = (leaf.frames[first], leaf.frames[last])
                let end = before.offset + before.storedLength
                if before.pack == frame.pack, frame.offset >= end, frame.offset - end <= FrameBatch.gapMax,
                    frame.offset + frame.storedLength - start.offset <= FrameBatch.requestMax
                {
                    groups[groups.count - 1].append(index)
                    continue
                }
            }
            groups.append([index])
        }
        return groups
    }

    private func fetch(
        _ group: [Int], _ body: (Int, Result<[UInt8], RepositoryFailure>) throws(RepositoryFailure) -> Void
    ) throws(RepositoryFailure) {
        guard let first = group.first, let last = group.last else { return }
        let start = leaf.frames[first].offset
        let end = leaf.frames[last].offset + leaf.frames[last].storedLength
        let range = ByteRange(from: ByteOffset(start), to: ByteOffset(end))
        let stored: [UInt8]
        do throws(RepositoryFailure) {
            stored = try access.bytes(of: leaf.frames[first].pack, range, blocks: leaf.blocks(of: first))
        } catch {
            guard case .corrupt = error, group.count == 1 else { throw error }
            return try body(first, .failure(error))
        }
        for index in group {
            let frame = leaf.frames[index]
            let place = frame.offset - start..<frame.offset - start + frame.storedLength
            let result: Result<[UInt8], RepositoryFailure>
            do throws(RepositoryFailure) {
                let plain = try stored.readBytes(place) { (span) throws(RepositoryFailure) in
                    try access.plain(of: frame, stored: span, blocks: leaf.blocks(of: index))
                }
                result = .success(plain)
            } catch { result = .failure(error) }
            try body(index, result)
        }
    }
}
