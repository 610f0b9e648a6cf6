/// What a file holds in one aligned 4 KiB.
enum PageContent: Equatable, Sendable {
    /// No space taken; zeros.
    case hole
    /// Space taken but never written (an unwritten extent); zeros. SEEK_DATA calls it a hole, until somebody has read
    /// it into the page cache: from then on data.
    case reserved(isCached: Bool)
    /// 4096 bytes.
    case data([UInt8])

    static let size = 4096
    static let zeros = [UInt8](repeating: 0, count: size)

    var isHole: Bool { self == .hole }
    var isData: Bool { if case .data = self { true } else { false } }
    /// Does SEEK_DATA stop here?
    var showsAsData: Bool {
        switch self {
        case .hole, .reserved(isCached: false): false
        case .reserved(isCached: true), .data: true
        }
    }
    var bytes: [UInt8] { if case .data(let bytes) = self { bytes } else { Self.zeros } }
}

/// All that one page may hold after power loss: what is durable, and each content it had since.
struct PageHistory: Sendable {
    private struct Version {
        var content: PageContent
        /// Versions of one life share an extent on the disk; a punch, a reservation or a first write begins a new one.
        var life: Int
    }
    private static let sectors = 8, sector = 512, versionsMax = 12

    private var versions = [Version(content: .hole, life: 0)]
    /// For each sector, the oldest version it may still show.
    private var floors = [Int](repeating: 0, count: sectors)
    /// A failed sync dropped it: no later sync saves it, unless it is written again.
    var isLost = false

    var current: PageContent { versions[versions.count - 1].content }
    var isDurable: Bool { versions.count == 1 }

    mutating func append(_ content: PageContent) {
        let last = versions[versions.count - 1]
        let isOverwrite = last.content.isData && content.isData
        versions.append(Version(content: content, life: isOverwrite ? last.life : last.life + 1))
        isLost = false
        if versions.count > Self.versionsMax { forget(1) }
    }

    /// Reading put an unwritten page into the page cache.
    mutating func noteCached() {
        if case .reserved = current { versions[versions.count - 1].content = .reserved(isCached: true) }
    }

    /// Everything up to now is durable.
    mutating func settle() {
        versions = [Version(content: current, life: 0)]
        floors = [Int](repeating: 0, count: Self.sectors)
        isLost = false
    }

    /// The sectors that hold bytes of `range` (within the page) are durable as they are now; in a new extent all are.
    mutating func settle(_ range: Range<Int>) {
        let last = versions.count - 1
        guard versions[last].life == versions[0].life, versions[0].content.isData else { return settle() }
        for index in range.lowerBound / Self.sector...(range.upperBound - 1) / Self.sector { floors[index] = last }
        if floors.allSatisfy({ $0 == last }) { settle() }
    }

    /// One content the page may have after power loss.
    func survivor(_ random: inout SeededRandom) -> PageContent {
        let pick = random.below(versions.count)
        guard versions[pick].content.isData else {
            return versions[pick].content.isHole || random.oneIn(2) ? .hole : .reserved(isCached: false)
        }
        let life = versions[pick].life
        let isOld = life == versions[0].life
        let first = isOld ? 0 : pick  // a new extent appears only once all of it was written
        let past = (versions.lastIndex { $0.life == life } ?? pick) + 1
        var bytes = PageContent.zeros
        for index in 0..<Self.sectors {
            let low = isOld ? min(max(first, floors[index]), past - 1) : first
            let from = low + random.below(past - low)
            let part = index * Self.sector..<(index + 1) * Self.sector
            bytes.replaceSubrange(part, with: versions[from].content.bytes[part])
        }
        return .data(bytes)
    }

    private mutating func forget(_ index: Int) {
        versions.remove(at: index)
        for sector in floors.indices where floors[sector] > index { floors[sector] -= 1 }
    }
}
