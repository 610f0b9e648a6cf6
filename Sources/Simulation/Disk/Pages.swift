internal import Blocks

extension Range<Int> {
    /// The 4 KiB pages it touches, each with the part of the page it covers.
    var pages: some Sequence<(page: Int, part: Range<Int>)> {
        let size = PageContent.size
        let first = lowerBound / size, past = isEmpty ? first : (upperBound + size - 1) / size
        return (first..<past).lazy.map { page in
            (page, Swift.max(0, lowerBound - page * size)..<Swift.min(size, upperBound - page * size))
        }
    }
    /// The same, of those pages that are in a sorted list.
    func pages(among present: [Int]) -> [(page: Int, part: Range<Int>)] {
        let size = PageContent.size
        let from = present.place(of: lowerBound / size), to = present.place(of: upperBound.roundedUp / size)
        return present[from..<Swift.max(from, to)].flatMap { page in
            let touched = Swift.max(lowerBound, page * size)..<Swift.min(upperBound, (page + 1) * size)
            return Array(touched.pages)
        }
    }
}

extension Int {
    /// The next multiple of the page size.
    var roundedUp: Int { (self + PageContent.size - 1) / PageContent.size * PageContent.size }
}

extension [Int] {
    /// Where `number` is, or would be inserted, in a sorted list.
    func place(of number: Int) -> Int {
        var low = 0, high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension [UInt8] {
    /// The same bytes with zeros at `range`.
    func zeroed(_ range: Range<Int>) -> [UInt8] {
        var bytes = self
        for index in range { bytes[index] = 0 }
        return bytes
    }
}

extension RawSpan {
    /// One byte, checked against the span's bounds.
    func unsafeLoadByte(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount)
        return unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }
}

extension MappedMemory {
    private static let words = PageContent.size / 8

    /// The bytes of one page, as a file has them on a little-endian machine.
    func bytes(ofPage page: Int) -> [UInt8] {
        var bytes = PageContent.zeros
        for index in 0..<Self.words {
            let word = load(page * Self.words + index)
            if word == 0 { continue }
            for part in 0..<8 { bytes[index * 8 + part] = UInt8(truncatingIfNeeded: word >> (part * 8)) }
        }
        return bytes
    }
    /// Was nothing stored to a page?
    func isZero(page: Int) -> Bool {
        for index in 0..<Self.words where load(page * Self.words + index) != 0 { return false }
        return true
    }
    /// Stores the bytes of one page where they differ.
    func set(_ bytes: [UInt8], page: Int) {
        for index in 0..<Self.words {
            var word: UInt64 = 0
            for part in (0..<8).reversed() { word = word << 8 | UInt64(bytes[index * 8 + part]) }
            let at = page * Self.words + index
            if load(at) == word { continue }
            fetchAnd(at, word)
            fetchOr(at, word)
        }
    }
}
