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
    /// `ahead` blocks after `end` are fetched along and kept in the cache.
    func load(_ pieces: LeafPieces, ahead: Int, after end: BlockIndex) throws(RepositoryFailure) -> [Int: [UInt8]] {
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
        for request in requests(missing) { try fetch(request, needed, &loaded) }
        return loaded
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

    private func fetch(_ group: [Int], _ needed: Set<Int>, _ loaded: inout [Int: [UInt8]]) throws(RepositoryFailure) {
        guard let first = group.first, let last = group.last else { return }
        let start = leaf.frames[first].offset
        let end = leaf.frames[last].offset + leaf.frames[last].storedLength
        let range = ByteRange(from: ByteOffset(start), to: ByteOffset(end))
        let mustWork = group.first { needed.contains($0) }
        let stored: [UInt8]
        do {
            stored = try access.bytes(of: leaf.frames[first].pack, range, blocks: mustWork.map { leaf.blocks(of: $0) })
        } catch {
            // Only read-ahead wanted it: whoever needs it will see.
            if mustWork == nil { return }
            throw error
        }
        for index in group {
            let frame = leaf.frames[index]
            let place = frame.offset - start..<frame.offset - start + frame.storedLength
            do throws(RepositoryFailure) {
                let plain = try stored.readBytes(place) { (span) throws(RepositoryFailure) in
                    try access.plain(of: frame, stored: span, blocks: leaf.blocks(of: index))
                }
                access.keep(plain, of: frame)
                loaded[index] = plain
            } catch { if needed.contains(index) { throw error } }
        }
    }
}
