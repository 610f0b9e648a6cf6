import Blocks
import Synchronization
import Testing
import VolumeEngine

/// Reads that are sent from the memory of the home file.
@Suite struct CachedReadTests {
    private static let blocks = 64
    private static let span = ByteRange(at: 0, count: ByteCount(blocks * 4096))

    /// A volume on the local disk with `blocks` written blocks; nil where the system cannot tell what is cached.
    private func volume(_ scratch: Scratch) throws -> Volume? {
        let path = scratch.path + "/vol-1"
        try Volume.create(NewVolume(size: .mebibytes(1)), at: path, in: .local())
        let volume = try Volume.open(at: path, in: .local())
        try volume.put([UInt8](repeating: 1, count: Self.blocks * 4096), at: 0)
        if volume.cachedPart(Self.span) != nil { return volume }
        print("skipped: this system does not say what is cached")
        try volume.close()
        return nil
    }

    @Test("only what no pending snapshot and no overlay has to do with")
    func onlyHome() throws {
        let scratch = try Scratch()
        guard let volume = try volume(scratch) else { return }
        #expect(volume.cachedPart(ByteRange(at: 100, count: 5000))?.count == 5000)
        #expect(volume.cachedPart(ByteRange(at: ByteOffset(1 << 20), count: 4096)) == nil, "past the end")
        _ = try volume.cut(for: "snap-1")
        #expect(volume.cachedPart(Self.span) == nil, "frozen")
        try volume.put([UInt8](repeating: 2, count: 4096), at: 0)
        volume.finish("snap-1")
        try volume.settle()
        #expect(volume.cachedPart(Self.span) != nil)
        try volume.close()
    }

    @Test(
        "under a writer and cuts, what arrives is at least what was acknowledged before and at most what was issued after"
    )
    func overlapping() throws {
        let scratch = try Scratch()
        guard let volume = try volume(scratch) else { return }
        let listener = try Listener(unix: scratch.path + "/s")
        let near = try SocketStream(connectedTo: scratch.path + "/s")
        let far = try #require(listener.accept())
        let (issued, acknowledged) = (Counters(Self.blocks), Counters(Self.blocks))
        let mustStop = Guarded(false)
        // How many parts the reader was given. Each cut waits for one more: while a snapshot is pending there is
        // none, and a cutter that never paused could leave the reader nothing to send.
        let given = Guarded(0)
        let problems = Guarded<[String]>([])

        try volume.put(Self.stamped(1, Self.blocks), at: 0)
        let writer = OSThread(name: "writer") {
            var stamp = 1
            while !mustStop.withLock({ $0 }) {
                stamp += 1
                let first = Int.random(in: 0..<Self.blocks - 4), count = Int.random(in: 1...4)
                for block in first..<first + count { issued.set(block, stamp) }
                do { try volume.put(Self.stamped(stamp, count), at: first * 4096) } catch {
                    return problems.withLock { $0.append("\(error)") }
                }
                for block in first..<first + count { acknowledged.set(block, stamp) }
            }
        }
        let cutter = OSThread(name: "cutter") {
            var number = 0
            while !mustStop.withLock({ $0 }) {
                guard given.withLock({ $0 }) > number else {
                    OSThread.yield()
                    continue
                }
                number += 1
                do {
                    _ = try volume.cut(for: "snap-\(number)")
                    volume.finish("snap-\(number)")
                    try volume.settle()
                } catch { return problems.withLock { $0.append("\(error)") } }
            }
        }
        var sent = 0
        while sent < 1000, problems.withLock({ $0.isEmpty }) {
            let first = Int.random(in: 0..<Self.blocks - 16)
            let low = (first..<first + 16).map { acknowledged.get($0) }
            guard let part = volume.cachedPart(ByteRange(at: ByteOffset(first * 4096), count: 65_536)) else {
                OSThread.yield()
                continue
            }
            given.withLock { $0 += 1 }
            #expect(try near.send(part) == 65_536)
            sent += 1
            // The pages are in the socket now, and writers go on.
            for _ in 0..<sent % 8 { OSThread.yield() }
            let words = try Self.receive(65_536 / 8, from: far)
            let high = (first..<first + 16).map { issued.get($0) }
            for (index, word) in words.enumerated() where word < low[index / 512] || word > high[index / 512] {
                Issue.record(
                    "block \(first + index / 512) was \(low[index / 512]), became \(high[index / 512]), read \(word)")
                break
            }
        }
        mustStop.withLock { $0 = true }
        writer.join()
        cutter.join()
        #expect(problems.withLock { $0 } == [])
        #expect(sent == 1000)
        try volume.close()
    }

    private final class Counters: Sendable {
        private let cells: [Cell]
        private final class Cell: Sendable { let value = Atomic(1) }
        init(_ count: Int) { cells = (0..<count).map { _ in Cell() } }
        func set(_ index: Int, _ value: Int) { cells[index].value.store(value, ordering: .sequentiallyConsistent) }
        func get(_ index: Int) -> Int { cells[index].value.load(ordering: .sequentiallyConsistent) }
    }

    /// Whole blocks of one number.
    private static func stamped(_ stamp: Int, _ blocks: Int) -> [UInt8] {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: stamp >> ($0 * 8)) }
        return [[UInt8]](repeating: bytes, count: blocks * 512).flatMap { $0 }
    }
    private static func receive(_ count: Int, from stream: SocketStream) throws -> [Int] {
        var bytes = [UInt8](repeating: 0, count: count * 8)
        try bytes.writeBytes { (all) throws(StreamFailure) in
            var done = 0
            while done < all.byteCount {
                var none = MutableRawSpan()
                var rest = all._mutatingExtracting(droppingFirst: done)
                guard case .bytes(let more) = try stream.receive(into: &rest, then: &none, wait: true) else {
                    throw .closed
                }
                done += more
            }
        }
        return (0..<count).map { word in (0..<8).reduce(0) { $0 | Int(bytes[word * 8 + $1]) << ($1 * 8) } }
    }
}
