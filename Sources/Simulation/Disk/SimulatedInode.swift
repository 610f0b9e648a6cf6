internal import Blocks

/// The content of one simulated file: what it holds now, and what may be left of it after power loss.
///
/// Pages that were never touched take no memory. While the file is mapped, the mapping is its content: each look at
/// a mapped page fetches the page from there first, each change puts it back.
struct SimulatedInode: Sendable {
    private var pages: [Int: PageHistory] = [:]
    /// The pages that take space, ascending.
    private(set) var present: [Int] = []
    /// The lengths it may have after power loss; the last one is the current.
    private var sizes = [0]
    private var unsynced: Set<Int> = []
    private var mapping: MappedMemory?
    private var mappedPages = 0
    /// The handle that holds the exclusive lock.
    var lockHolder: Int?
    var openCount = 0

    var size: Int { sizes[sizes.count - 1] }

    private mutating func content(_ page: Int) -> PageContent {
        fetchMapped(page)
        return pages[page]?.current ?? .hole
    }

    private mutating func set(_ page: Int, _ content: PageContent, _ freePages: inout Int) throws(BlockFailure) {
        let old = pages[page]?.current ?? .hole
        if old.isHole && !content.isHole {
            guard freePages > 0 else { throw .noSpace }
            freePages -= 1
            present.insert(page, at: present.place(of: page))
        } else if !old.isHole && content.isHole {
            freePages += 1
            present.remove(at: present.place(of: page))
        }
        pages[page, default: PageHistory()].append(content)
        unsynced.insert(page)
        putMapped(page, content)
    }

    // MARK: Contents

    mutating func read(at offset: Int, into target: inout MutableRawSpan) {
        var done = 0
        while done < target.byteCount {
            let page = (offset + done) / PageContent.size, from = (offset + done) % PageContent.size
            let count = min(PageContent.size - from, target.byteCount - done)
            let bytes = content(page).bytes
            pages[page]?.noteCached()
            for index in 0..<count {
                target.storeBytes(of: bytes[from + index], toByteOffset: done + index, as: UInt8.self)
            }
            done += count
        }
    }

    /// Writes at most `pagesMax` pages of `source`.
    mutating func write(
        _ source: RawSpan, at offset: Int, durably: Bool, pagesMax: Int, _ freePages: inout Int
    ) throws(BlockFailure) {
        var done = 0, moved = 0
        while done < source.byteCount && moved < pagesMax {
            let page = (offset + done) / PageContent.size, from = (offset + done) % PageContent.size
            let count = min(PageContent.size - from, source.byteCount - done)
            var bytes = content(page).bytes
            for index in 0..<count { bytes[from + index] = source.unsafeLoadByte(done + index) }
            try set(page, .data(bytes), &freePages)
            if durably { pages[page]?.settle(from..<from + count) }
            done += count
            moved += 1
            if offset + done > size { sizes.append(offset + done) }
        }
        if durably { sizes = [size] }
        forgetDurable()
    }

    mutating func resize(to size: Int, _ freePages: inout Int) throws(BlockFailure) {
        precondition(size >= mappedPages * PageContent.size, "a mapped file must not be cut under its mapping")
        if size < self.size {
            try punch(size..<max(size, self.size.roundedUp), &freePages)
            while let last = present.last, last >= size.roundedUp / PageContent.size {
                try set(last, .hole, &freePages)
            }
        }
        sizes.append(size)
    }

    mutating func punch(_ range: Range<Int>, _ freePages: inout Int) throws(BlockFailure) {
        for (page, part) in range.pages(among: present) {
            let old = content(page)
            if part.count == PageContent.size {
                try set(page, .hole, &freePages)
            } else if old.isData {
                try set(page, .data(old.bytes.zeroed(part)), &freePages)
            }
        }
    }

    mutating func zero(_ range: Range<Int>, _ freePages: inout Int) throws(BlockFailure) {
        for (page, part) in range.pages {
            let isWhole = part.count == PageContent.size
            let new = isWhole ? PageContent.reserved(isCached: false) : .data(content(page).bytes.zeroed(part))
            try set(page, new, &freePages)
        }
    }

    mutating func allocate(_ range: Range<Int>, _ freePages: inout Int) throws(BlockFailure) {
        for (page, _) in range.pages where content(page).isHole {
            try set(page, .reserved(isCached: false), &freePages)
        }
    }

    // MARK: Extents

    mutating func nextData(from offset: Int) -> Int? {
        var index = present.place(of: offset / PageContent.size)
        while index < present.count {
            let start = max(offset, present[index] * PageContent.size)
            if start >= size { return nil }
            if showsAsData(present[index]) { return start }
            index += 1
        }
        return nil
    }

    mutating func nextHole(from offset: Int) -> Int {
        if offset >= size { return offset }
        var page = offset / PageContent.size
        while showsAsData(page) { page += 1 }
        return min(max(offset, page * PageContent.size), size)
    }

    private mutating func showsAsData(_ page: Int) -> Bool {
        let content = content(page)
        return content.showsAsData || (!content.isHole && page < mappedPages)
    }

    // MARK: Durability

    mutating func sync() {
        fetchMapped()
        for page in unsynced where pages[page]?.isLost == false { pages[page]?.settle() }
        sizes = [size]
        forgetDurable()
    }

    /// The kernel could not write what was dirty, and forgot that it is.
    mutating func failSync() {
        fetchMapped()
        for page in unsynced { pages[page]?.isLost = true }
    }

    /// The process that had it open is gone.
    mutating func closeAll() {
        fetchMapped()
        mapping = nil
        mappedPages = 0
        lockHolder = nil
        openCount = 0
    }

    /// What is left after power loss.
    mutating func losePower(_ random: inout SeededRandom) {
        closeAll()
        let size = sizes[random.below(sizes.count)]
        for page in unsynced.sorted() {
            if let survivor = pages[page]?.survivor(&random) { keep(page, survivor) }
        }
        unsynced = []
        sizes = [size]
        for page in pages.keys {
            let left = size - page * PageContent.size
            guard let content = pages[page]?.current else { continue }
            if case .reserved = content { keep(page, left <= 0 ? .hole : .reserved(isCached: false)) }
            if case .data(let bytes) = content, left < PageContent.size {
                keep(page, left <= 0 ? .hole : .data(bytes.zeroed(left..<PageContent.size)))
            }
        }
        present = pages.filter { !$0.value.current.isHole }.keys.sorted()
    }

    private mutating func keep(_ page: Int, _ content: PageContent) {
        var history = PageHistory()
        history.append(content)
        history.settle()
        pages[page] = content.isHole ? nil : history
    }

    private mutating func forgetDurable() {
        for page in unsynced where pages[page]?.isDurable != false {
            unsynced.remove(page)
            if pages[page]?.current == .hole { pages[page] = nil }
        }
    }

    // MARK: Mapping

    mutating func map(_ pageCount: Int, reserve: Int) -> MappedMemory {
        let memory = mapping ?? MappedMemory(anonymous: ByteCount(reserve))
        precondition(
            pageCount * PageContent.size <= reserve, "the simulated disk maps at most \(reserve) bytes of a file")
        mapping = memory
        let isNew = max(0, pageCount - mappedPages)
        mappedPages = max(mappedPages, pageCount)
        for page in present where page >= mappedPages - isNew && page < mappedPages {
            if let content = pages[page]?.current { putMapped(page, content) }
        }
        return memory
    }

    private mutating func fetchMapped() {
        guard mapping != nil else { return }
        for page in present { fetchMapped(page) }
        checkUnallocated()
    }

    private mutating func fetchMapped(_ page: Int) {
        guard let mapping, page < mappedPages, let old = pages[page]?.current, !old.isHole else { return }
        let bytes = mapping.bytes(ofPage: page)
        if bytes == old.bytes { return }
        pages[page]?.append(.data(bytes))
        unsynced.insert(page)
    }

    private func putMapped(_ page: Int, _ content: PageContent) {
        guard let mapping, page < mappedPages else { return }
        mapping.set(content.bytes, page: page)
    }

    /// A store to a page without space is a SIGBUS on a full disk; the first MiB of a mapping is searched for it.
    private func checkUnallocated() {
        guard let mapping else { return }
        for page in 0..<min(mappedPages, 256) where pages[page]?.current.isHole != false {
            let isUntouched = mapping.isZero(page: page)
            precondition(isUntouched, "page \(page) of a mapped file was stored to before it was allocated")
        }
    }
}
