public import Blocks
public import Testing

/// What every writable ``BlockDevice`` must keep. One case, one sentence of the contract; each starts on a device of its
/// own that is at least 1 MiB long and reads as zeros.
public enum BlockDeviceLaw: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case startsAsZeros, readsBackWrites, keepsNeighbours, lastWriteWins, readWithoutWaitingAgrees
    case zeroedReadsZero, zeroKeepsNeighbours, trimmedReadsZeroOrAsBefore, trimKeepsNeighbours
    case emptyRangesDoNothing, refusesPastTheEnd, sizeIsWholeSectors
    case allocationCoversInOrder, writtenIsAllocated, zeroedIsNoSurprise, changesCoverInOrder, changesHoldWrites
    case durableWritesReadBack, flushSucceeds, threadsSeeTheirOwnWrites, agreesWithAModel

    /// The law's name.
    public var testDescription: String { rawValue }

    /// Fails the running test if `device` breaks the law. Random laws take `seed`.
    public func check(_ device: any BlockDevice, seed: Seed = Seed(1)) throws {
        let laws = BlockDeviceLaws(device: device, seed: seed)
        switch self {
        case .startsAsZeros: try laws.startsAsZeros()
        case .readsBackWrites: try laws.readsBackWrites()
        case .keepsNeighbours: try laws.keepsNeighbours()
        case .lastWriteWins: try laws.lastWriteWins()
        case .readWithoutWaitingAgrees: try laws.readWithoutWaitingAgrees()
        case .zeroedReadsZero: try laws.zeroedReadsZero()
        case .zeroKeepsNeighbours: try laws.zeroKeepsNeighbours()
        case .trimmedReadsZeroOrAsBefore: try laws.trimmedReadsZeroOrAsBefore()
        case .trimKeepsNeighbours: try laws.trimKeepsNeighbours()
        case .emptyRangesDoNothing: try laws.emptyRangesDoNothing()
        case .refusesPastTheEnd: try laws.refusesPastTheEnd()
        case .sizeIsWholeSectors: laws.sizeIsWholeSectors()
        case .allocationCoversInOrder: try laws.allocationCoversInOrder()
        case .writtenIsAllocated: try laws.writtenIsAllocated()
        case .zeroedIsNoSurprise: try laws.zeroedIsNoSurprise()
        case .changesCoverInOrder: try laws.changesCoverInOrder()
        case .changesHoldWrites: try laws.changesHoldWrites()
        case .durableWritesReadBack: try laws.durableWritesReadBack()
        case .flushSucceeds: try laws.flushSucceeds()
        case .threadsSeeTheirOwnWrites: try laws.threadsSeeTheirOwnWrites()
        case .agreesWithAModel: try laws.agreesWithAModel()
        }
    }
}

extension BlockDevice {
    /// `count` bytes from `offset`, as an array.
    public func bytes(at offset: Int, count: Int) throws(BlockFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: count)
        try bytes.writeBytes { (span) throws(BlockFailure) in
            try read(ByteRange(at: ByteOffset(offset), count: ByteCount(count)), into: &span)
        }
        return bytes
    }
    /// The same through ``readWithoutWaiting(_:into:)``; nil when that would wait.
    public func bytesWithoutWaiting(at offset: Int, count: Int) throws(BlockFailure) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0xee, count: count)
        let isDone = try bytes.writeBytes { (span) throws(BlockFailure) in
            try readWithoutWaiting(ByteRange(at: ByteOffset(offset), count: ByteCount(count)), into: &span)
        }
        return isDone ? bytes : nil
    }
    /// Writes an array at `offset`.
    public func put(_ bytes: [UInt8], at offset: Int, durably: Bool = false) throws(BlockFailure) {
        try bytes.readBytes { (span) throws(BlockFailure) in
            try write(
                ByteRange(at: ByteOffset(offset), count: ByteCount(bytes.count)), from: span, durably: durably)
        }
    }
}

private struct BlockDeviceLaws {
    let device: any BlockDevice
    let seed: Seed

    /// Starts and lengths around the edges of sectors and blocks.
    static let layouts: [(Int, Int)] = [0, 1, 511, 512, 4095, 4096, 5000].flatMap { start in
        [1, 511, 512, 4095, 4096, 4097, 8192, 12_345].map { (start, $0) }
    }

    func pattern(_ count: Int, _ salt: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 131) ^ ($0 >> 8) ^ (salt &* 29)) | 1 }
    }
    func range(_ start: Int, _ count: Int) -> ByteRange { ByteRange(at: ByteOffset(start), count: ByteCount(count)) }

    func startsAsZeros() throws {
        #expect(try device.bytes(at: 0, count: 1 << 20).allSatisfy { $0 == 0 })
    }

    func readsBackWrites() throws {
        for (index, (start, count)) in Self.layouts.enumerated() {
            let data = pattern(count, index), at = 65_536 + start
            try device.put(data, at: at)
            #expect(try device.bytes(at: at, count: count) == data, "\(count) at \(at)")
        }
        let size = device.size.bytes
        try device.put(pattern(700, 1), at: size - 700)
        #expect(try device.bytes(at: size - 700, count: 700) == pattern(700, 1))
    }

    func keepsNeighbours() throws {
        for (index, (start, count)) in Self.layouts.enumerated() {
            let before = pattern(32_768, index)
            try device.put(before, at: 0)
            try device.put(pattern(count, 99), at: start)
            let after = try device.bytes(at: 0, count: 32_768)
            #expect(after[..<start] == before[..<start] && after[(start + count)...] == before[(start + count)...])
        }
    }

    func lastWriteWins() throws {
        for round in 0..<20 { try device.put(pattern(10_000, round), at: 3000) }
        #expect(try device.bytes(at: 3000, count: 10_000) == pattern(10_000, 19))
    }

    func readWithoutWaitingAgrees() throws {
        try device.put(pattern(50_000, 5), at: 1000)
        for (start, count) in Self.layouts {
            if let bytes = try device.bytesWithoutWaiting(at: start, count: count) {
                #expect(try bytes == device.bytes(at: start, count: count))
            }
        }
    }

    func zeroedReadsZero() throws {
        for (start, count) in Self.layouts {
            for mayPunch in [true, false] {
                try device.put(pattern(32_768, 3), at: 0)
                try device.zero(range(start, count), mayPunch: mayPunch, durably: false)
                #expect(try device.bytes(at: start, count: count).allSatisfy { $0 == 0 }, "\(count) at \(start)")
            }
        }
    }

    func zeroKeepsNeighbours() throws {
        let before = pattern(32_768, 4)
        for (start, count) in Self.layouts {
            for mayPunch in [true, false] {
                try device.put(before, at: 0)
                try device.zero(range(start, count), mayPunch: mayPunch, durably: true)
                let after = try device.bytes(at: 0, count: 32_768)
                #expect(after[..<start] == before[..<start], "\(count) at \(start)")
                #expect(after[(start + count)...] == before[(start + count)...], "\(count) at \(start)")
            }
        }
    }

    func trimmedReadsZeroOrAsBefore() throws {
        let before = pattern(32_768, 5)
        for (start, count) in Self.layouts {
            try device.put(before, at: 0)
            try device.trim(range(start, count), durably: false)
            let after = try device.bytes(at: 0, count: 32_768)
            #expect(zip(before, after).allSatisfy { $1 == 0 || $1 == $0 })
            #expect(try device.bytes(at: 0, count: 32_768) == after, "what a trimmed range reads as must not move")
        }
    }

    func trimKeepsNeighbours() throws {
        let before = pattern(32_768, 6)
        for (start, count) in Self.layouts {
            try device.put(before, at: 0)
            try device.trim(range(start, count), durably: true)
            let after = try device.bytes(at: 0, count: 32_768)
            #expect(after[..<start] == before[..<start], "\(count) at \(start)")
            #expect(after[(start + count)...] == before[(start + count)...], "\(count) at \(start)")
        }
    }

    func emptyRangesDoNothing() throws {
        try device.put(pattern(8192, 7), at: 0)
        for at in [0, 1, 4096, device.size.bytes] {
            #expect(try device.bytes(at: at, count: 0).isEmpty)
            try device.put([], at: at)
            try device.put([], at: at, durably: true)
            try device.zero(range(at, 0), mayPunch: true, durably: true)
            try device.trim(range(at, 0), durably: false)
            #expect(try device.allocation(in: range(at, 0)).isEmpty)
        }
        #expect(try device.bytes(at: 0, count: 8192) == pattern(8192, 7))
    }

    func refusesPastTheEnd() throws {
        let size = device.size.bytes
        for (start, count) in [(size, 1), (size - 1, 2), (size - 4096, 4097), (size + 1, 512)] {
            #expect(throws: BlockFailure.outOfRange) { try device.bytes(at: start, count: count) }
            #expect(throws: BlockFailure.outOfRange) { try device.put(pattern(count, 1), at: start) }
            #expect(throws: BlockFailure.outOfRange) {
                try device.zero(range(start, count), mayPunch: true, durably: false)
            }
            #expect(throws: BlockFailure.outOfRange) { try device.trim(range(start, count), durably: false) }
            #expect(throws: BlockFailure.outOfRange) { try device.allocation(in: range(start, count)) }
        }
        #expect(try device.bytes(at: size - 4096, count: 4096).allSatisfy { $0 == 0 }, "a refused write left traces")
    }

    func sizeIsWholeSectors() {
        #expect(device.size >= .mebibytes(1) && device.size.isMultiple(of: Sector.size))
    }

    /// Checks that `extents` start `range` and go on without gap; returns where they end.
    func checkCover(_ extents: [Extent], _ range: ByteRange) -> ByteOffset {
        #expect(!extents.isEmpty)
        var position = range.start
        for (index, extent) in extents.enumerated() {
            #expect(extent.range.start == position && !extent.range.isEmpty)
            if index > 0 { #expect(extent.isSet != extents[index - 1].isSet, "neighbours alike") }
            position = extent.range.end
        }
        #expect(position <= range.end)
        return position
    }

    /// All extents of a range, asking again where an answer stopped early.
    func walk(_ whole: ByteRange, _ ask: (ByteRange) throws -> [Extent]) throws -> [Extent] {
        var all: [Extent] = [], rest = whole
        while !rest.isEmpty {
            let part = try ask(rest)
            let end = checkCover(part, rest)
            guard end > rest.start else { break }
            all += part
            rest = ByteRange(from: end, to: whole.end)
        }
        return all
    }

    func allocationCoversInOrder() throws {
        for block in stride(from: 0, to: 200, by: 3) { try device.put(pattern(4096, block), at: block * 4096) }
        for (start, count) in Self.layouts + [(0, 1 << 20), (4097, 900_000)] {
            _ = try walk(range(start, count), device.allocation(in:))
        }
    }

    func writtenIsAllocated() throws {
        try device.put(pattern(20_000, 8), at: 100_000)
        let extents = try walk(range(0, 1 << 20), device.allocation(in:))
        for extent in extents where !extent.isSet {
            #expect(extent.range.intersection(range(100_000, 20_000)) == nil, "data reported as a hole")
        }
    }

    func zeroedIsNoSurprise() throws {
        try device.put(pattern(40_960, 8), at: 0)
        try device.zero(range(5000, 20_000), mayPunch: true, durably: false)
        for extent in try walk(range(0, 40_960), device.allocation(in:)) where !extent.isSet {
            let bytes = try device.bytes(at: extent.range.start.bytes, count: extent.range.count.bytes)
            #expect(bytes.allSatisfy { $0 == 0 }, "a hole that does not read as zeros")
        }
    }

    func changesCoverInOrder() throws {
        for block in stride(from: 0, to: 200, by: 3) { try device.put(pattern(4096, block), at: block * 4096) }
        guard try device.changes(in: range(0, 4096)) != nil else { return }
        for (start, count) in Self.layouts + [(0, 1 << 20)] {
            _ = try walk(range(start, count)) { try device.changes(in: $0) ?? [] }
        }
    }

    func changesHoldWrites() throws {
        guard try device.changes(in: range(0, 4096)) != nil else { return }
        try device.put(pattern(10, 8), at: 50_000)
        // Zeros over a hole change nothing and need not be reported; these do.
        try device.put(pattern(10, 9), at: 200_000)
        try device.zero(range(200_000, 10), mayPunch: true, durably: false)
        for extent in try walk(range(0, 1 << 20), { try device.changes(in: $0) ?? [] }) where !extent.isSet {
            #expect(extent.range.intersection(range(50_000, 10)) == nil, "a write not reported")
            #expect(extent.range.intersection(range(200_000, 10)) == nil, "a zero not reported")
        }
    }

    func durableWritesReadBack() throws {
        for (index, (start, count)) in Self.layouts.enumerated() {
            try device.put(pattern(count, index), at: start, durably: true)
            #expect(try device.bytes(at: start, count: count) == pattern(count, index))
        }
    }

    func flushSucceeds() throws {
        try device.flush()
        try device.put(pattern(4096, 1), at: 0)
        try device.flush()
        #expect(try device.bytes(at: 0, count: 4096) == pattern(4096, 1))
    }

    func threadsSeeTheirOwnWrites() throws {
        let device = device, failures = Guarded(0)
        let threads = (0..<4).map { number in
            OSThread(name: "law") {
                do throws(BlockFailure) {
                    for round in 0..<100 {
                        // Neighbouring pieces of shared blocks, so that a lost update shows.
                        let at = (round % 16) * 4096 + number * 1000
                        let data = pattern(1000, number * 1000 + round)
                        try device.put(data, at: at)
                        if try device.bytes(at: at, count: 1000) != data { failures.withLock { $0 += 1 } }
                    }
                } catch { failures.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == 0)
    }

    func agreesWithAModel() throws {
        var random = Generator(state: seed.number), model = [UInt8](repeating: 0, count: 1 << 18)
        for step in 0..<400 {
            let start = Int.random(in: 0..<model.count, using: &random)
            let count = min(model.count - start, Int.random(in: 0...20_000, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1, 2:
                let data = pattern(count, step)
                try device.put(data, at: start, durably: step % 16 == 0)
                model.replaceSubrange(start..<start + count, with: data)
            case 3:
                try device.zero(range(start, count), mayPunch: step % 2 == 0, durably: false)
                model.replaceSubrange(start..<start + count, with: repeatElement(0, count: count))
            case 4:
                try device.trim(range(start, count), durably: false)
                let now = try device.bytes(at: start, count: count)
                #expect(zip(model[start...], now).allSatisfy { $1 == 0 || $1 == $0 })
                model.replaceSubrange(start..<start + count, with: now)
            default:
                #expect(try device.bytes(at: start, count: count) == Array(model[start..<start + count]))
            }
        }
        #expect(try device.bytes(at: 0, count: model.count) == model)
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var z = state ^ (state >> 33)
            z = z &* 0xff51_afd7_ed55_8ccd
            return z ^ (z >> 33)
        }
    }
}
