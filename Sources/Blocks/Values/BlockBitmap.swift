/// A set of blocks of one device, one bit each, in memory of its own or in a mapped file.
///
/// Any thread may insert and ask at any time; nothing is ever removed. Cost follows what is in the set, not the
/// device: the bits come in pages of 4 KiB (32,768 blocks, 128 MiB of device); a page without a block is never
/// touched, and a page of which all blocks are in may be marked so without touching it (``insertEverything(below:)``).
public final class BlockBitmap: Sendable {
    /// How many blocks one page of bits covers.
    public static let blocksPerPage = 32_768
    private static let wordsPerPage = 512
    /// The largest device, 64 TiB: 2^34 blocks, 2^19 pages.
    public static let maximumBlocks = BlockCount(1 << 34)
    private static let pageCount = maximumBlocks.count / blocksPerPage

    private let bits: MappedMemory
    private let firstWord: Int
    /// One bit per page: may hold a block (its memory is ready). One bit per page: holds every block.
    private let touched = MappedMemory(anonymous: ByteCount(pageCount / 8))
    private let full = MappedMemory(anonymous: ByteCount(pageCount / 8))
    private let file: (any DiskFile)?

    /// An empty set in memory.
    public init() {
        bits = MappedMemory(anonymous: Self.maximumBlocks.size(ofBits: 0))
        firstWord = 0
        file = nil
    }

    /// The set in the bits of `file` from `header` on (a multiple of 4096), mapped: it survives kill -9.
    ///
    /// The file's length must be at least `header` + 2 GiB (sparse). Space for a page is taken before its first bit
    /// is set, so that a full disk is an error and not a signal.
    public init(mapping file: any DiskFile, after header: ByteCount) throws(BlockFailure) {
        precondition(header.isMultiple(of: Block.size))
        let total = Self.maximumBlocks.size(ofBits: header.bytes)
        bits = try file.map(total)
        firstWord = header.bytes / 8
        self.file = file
        var position = ByteOffset(header.bytes)
        while position.bytes < total.bytes, let data = try file.nextData(from: position) {
            let hole = try file.nextHole(from: data)
            let last = (min(hole.bytes, total.bytes) - 1 - header.bytes) / 4096
            if data.bytes < total.bytes {
                for page in (max(data.bytes, header.bytes) - header.bytes) / 4096...max(0, last) { set(touched, page) }
            }
            position = hole
        }
    }

    /// Is `block` in the set?
    @inline(__always)
    public func contains(_ block: BlockIndex) -> Bool {
        let page = block.number / Self.blocksPerPage
        guard has(touched, page) else { return has(full, page) }
        return bits.load(firstWord + block.number / 64) & (1 << UInt64(block.number % 64)) != 0 || has(full, page)
    }

    /// Puts `blocks` in. Atomic per block; a block is in once the call returns.
    ///
    /// - Throws: ``BlockFailure/noSpace`` when a mapped file cannot grow; some blocks may be in then.
    public func insert(_ blocks: BlockRange) throws(BlockFailure) {
        guard !blocks.isEmpty else { return }
        precondition(blocks.start.number >= 0 && blocks.end.number <= Self.maximumBlocks.count)
        var number = blocks.start.number
        let end = blocks.end.number
        while number < end {
            let page = number / Self.blocksPerPage
            if !has(touched, page) { try prepare(page) }
            let word = number / 64
            let low = number % 64
            let high = min(64, low + end - number)
            let mask = (high == 64 ? ~0 : (1 << UInt64(high)) - 1) & ~((1 << UInt64(low)) - 1) as UInt64
            // Most writes hit blocks already in: a load costs less than a locked or.
            if bits.load(firstWord + word) & mask != mask { bits.fetchOr(firstWord + word, mask) }
            number += high - low
        }
    }

    /// Puts in every block below `end`, in memory only: a mapped file does not remember it.
    public func insertEverything(below end: BlockIndex) throws(BlockFailure) {
        let wholePages = end.number / Self.blocksPerPage
        for page in 0..<wholePages { set(full, page) }
        try insert(BlockRange(from: BlockIndex(wholePages * Self.blocksPerPage), to: end))
    }

    /// Puts in all that `other` holds.
    public func insert(all other: BlockBitmap, below end: BlockIndex) throws(BlockFailure) {
        var position: BlockIndex = 0
        while let run = other.nextRun(from: position, below: end) {
            try insert(run)
            position = run.end
        }
    }

    /// Takes the space that putting in all of `other` would need, so that doing it later cannot fail or wait.
    public func reserve(for other: BlockBitmap) throws(BlockFailure) {
        for word in 0..<touched.wordCount {
            var pages = other.touched.load(word) & ~touched.load(word)
            while pages != 0 {
                let page = word * 64 + pages.trailingZeroBitCount
                try prepare(page)
                // A store of nothing brings the page into memory, writable: the first mark in it must not wait for
                // the file system's journal.
                bits.fetchOr(firstWord + page * Self.wordsPerPage, 0)
                pages &= pages - 1
            }
        }
    }

    /// The next run of blocks in the set at or after `start`, up to, not including, `end`; nil if there is none.
    /// Runs are not cut short, except at `end`.
    public func nextRun(from start: BlockIndex, below end: BlockIndex) -> BlockRange? {
        guard let first = next(isSet: true, from: start.number, below: end.number) else { return nil }
        let past = next(isSet: false, from: first, below: end.number) ?? end.number
        return BlockRange(from: BlockIndex(first), to: BlockIndex(past))
    }

    /// The next run of blocks not in the set at or after `start`, up to `end`; nil if there is none.
    public func nextGap(from start: BlockIndex, below end: BlockIndex) -> BlockRange? {
        guard let first = next(isSet: false, from: start.number, below: end.number) else { return nil }
        let past = next(isSet: true, from: first, below: end.number) ?? end.number
        return BlockRange(from: BlockIndex(first), to: BlockIndex(past))
    }

    /// How many blocks below `end` are in.
    public func count(below end: BlockIndex) -> BlockCount {
        var total = 0
        var position: BlockIndex = 0
        while let run = nextRun(from: position, below: end) {
            total += run.count.count
            position = run.end
        }
        return BlockCount(total)
    }

    /// Makes a mapped file's bits survive power loss.
    public func sync() throws(BlockFailure) {
        guard let file else { return }
        try file.sync()
    }

    private func prepare(_ page: Int) throws(BlockFailure) {
        if let file {
            try file.allocate(ByteRange(at: ByteOffset(firstWord * 8 + page * 4096), count: Block.size))
        }
        set(touched, page)
    }

    private func next(isSet: Bool, from start: Int, below end: Int) -> Int? {
        var number = start
        while number < end {
            let page = number / Self.blocksPerPage
            let pageEnd = min(end, (page + 1) * Self.blocksPerPage)
            if has(full, page) {
                if isSet { return number }
                number = pageEnd
            } else if !has(touched, page) {
                if !isSet { return number }
                number = skipUntouched(from: page, below: end, pageEnd: pageEnd)
            } else if let found = nextInPage(isSet: isSet, from: number, below: pageEnd) {
                return found
            } else {
                number = pageEnd
            }
        }
        return nil
    }

    /// Passes whole words of untouched pages at once.
    private func skipUntouched(from page: Int, below end: Int, pageEnd: Int) -> Int {
        var word = page / 64 + 1
        guard touched.load(page / 64) == 0, full.load(page / 64) == 0 else { return pageEnd }
        while word < touched.wordCount, word * 64 * Self.blocksPerPage < end, touched.load(word) == 0,
            full.load(word) == 0
        { word += 1 }
        return min(end, word * 64 * Self.blocksPerPage)
    }

    private func nextInPage(isSet: Bool, from start: Int, below end: Int) -> Int? {
        var number = start
        while number < end {
            let word = bits.load(firstWord + number / 64)
            let wanted = (isSet ? word : ~word) >> UInt64(number % 64)
            if wanted != 0 {
                let found = number + wanted.trailingZeroBitCount
                return found < end ? found : nil
            }
            number = (number / 64 + 1) * 64
        }
        return nil
    }

    @inline(__always)
    private func has(_ summary: MappedMemory, _ page: Int) -> Bool {
        summary.load(page / 64) & (1 << UInt64(page % 64)) != 0
    }
    private func set(_ summary: MappedMemory, _ page: Int) { summary.fetchOr(page / 64, 1 << UInt64(page % 64)) }
}

extension BlockCount {
    /// The bytes of a bitmap with one bit for each block, after a header.
    fileprivate func size(ofBits header: Int) -> ByteCount { ByteCount(header + count / 8) }
}
