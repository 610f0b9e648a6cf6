import Blocks
import TestSupport
import Testing

@testable import Repository

/// Which leaf is visited when: wishes first, then by offset, and each exactly once whatever is wished for.
@Suite struct LeafQueueTests {
    /// A cut over a parent that may be larger, with leaves settled before a restart.
    private struct Case {
        static let leafBlocks = 2048
        let image: TestImage
        let old: TestImage
        let changed: Set<Int>
        let uploaded: [Int]
        let parent: Tree
        let hot: [BlockIndex?]

        init(_ random: inout SeededRandom) throws {
            var old = TestImage(size: .mebibytes(8 * (10 + Int(random.next() % 6))))
            for _ in 0..<8 { old.set(Int(random.next() % UInt64(old.blockCount)), TestImage.block(random.next())) }
            var image = TestImage(size: ByteCount((8 << 20) * (8 + Int(random.next() % 8)) + 512))
            for block in old.blocks.keys where block < image.blockCount { image.set(block, old.blocks[block]) }
            for _ in 0..<8 { image.set(Int(random.next() % UInt64(image.blockCount)), TestImage.block(random.next())) }
            for block in image.blocks.keys.sorted().prefix(2) { image.set(block, nil) }
            var changed = image.changed(from: old).filter { $0 < image.blockCount }
            for _ in 0..<4 { changed.insert(Int(random.next() % UInt64(image.blockCount))) }
            let leaves = UInt64((image.blockCount + Case.leafBlocks - 1) / Case.leafBlocks)
            uploaded = Set((0..<random.next() % 4).map { _ in Int(random.next() % leaves) }).sorted()
            // Also past the end, again and again, and of leaves where nothing changed.
            hot = (0..<Int(random.next() % 60)).map { _ in
                random.next() % 3 == 0 ? nil : BlockIndex(Int(random.next() % ((leaves + 3) * UInt64(Case.leafBlocks))))
            }
            let fixture = try Fixture()
            try fixture.take(1, old)
            parent = Tree(
                root: try fixture.repository.manifest(of: Fixture.id(1)).root, access: fixture.repository.access)
            (self.image, self.old, self.changed) = (image, old, changed)
        }

        func queue(hot: [BlockIndex?]) -> LeafQueue {
            let content = TestContent(image, changed: changed)
            content.state.withLock { $0.hot = hot }
            return LeafQueue(content: content, parent: parent, parentSize: old.size, uploaded: uploaded)
        }

        /// Leaves with a change where there is, or was, something.
        var marked: Set<Int> {
            let stored = Set(old.blocks.keys.map { $0 / Case.leafBlocks })
            return Set(
                changed.filter { image.blocks[$0] != nil || stored.contains($0 / Case.leafBlocks) }
                    .map { $0 / Case.leafBlocks })
        }

        /// What should come, in order: `all` by offset, but what is wished for before.
        func expected(_ all: [Int]) -> [Int] {
            var (rest, wishes, order) = (all, hot, [Int]())
            while !rest.isEmpty {
                var next: Int?
                while next == nil, !wishes.isEmpty, let wish = wishes.removeFirst() {
                    let leaf = wish.number / Case.leafBlocks
                    if marked.contains(leaf), rest.contains(leaf) { next = leaf }
                }
                let leaf = next ?? rest[0]
                rest.removeAll { $0 == leaf }
                order.append(leaf)
            }
            return order
        }
    }

    private func takeAll(_ queue: LeafQueue) throws -> [Int] {
        var all: [Int] = []
        while let leaf = try queue.take() { all.append(leaf) }
        return all
    }

    @Test("leaves come once each, those wished for first", arguments: Seed.some(fixed: 20, fresh: 20))
    func order(_ seed: Seed) throws {
        var random = SeededRandom(seed.number)
        let test = try Case(&random)
        let plain = try takeAll(test.queue(hot: []))
        #expect(plain == Set(plain).sorted())
        #expect(test.marked.union(test.uploaded).isSubset(of: plain))
        let queue = test.queue(hot: test.hot)
        #expect(try takeAll(queue) == test.expected(plain), "\(seed)")
        #expect(try queue.take() == nil)
    }

    @Test("threads that take at once get each leaf once", arguments: Seed.some(fixed: 5, fresh: 5))
    func threads(_ seed: Seed) throws {
        var random = SeededRandom(seed.number)
        let test = try Case(&random)
        let plain = try takeAll(test.queue(hot: []))
        let queue = test.queue(hot: test.hot)
        let taken = Guarded<[Int]>([])
        let threads = (0..<4).map { _ in
            OSThread(name: "taker") {
                while let leaf = (try? queue.take()) ?? nil { taken.withLock { $0.append(leaf) } }
            }
        }
        for thread in threads { thread.join() }
        #expect(taken.withLock { $0.sorted() } == plain, "\(seed)")
    }

    @Test("an upload with wishes stores what one without them does, also when it is resumed")
    func upload() throws {
        let fixture = try Fixture()
        var image = TestImage(size: .mebibytes(60))
        for block in 0..<image.blockCount { image.set(block, TestImage.block(UInt64(block + 1))) }
        let content = TestContent(image, changed: nil)
        content.state.withLock { state in
            state.hot = [7, 3, 7, nil, 5, 100].map { $0.map { BlockIndex($0 * 2048 + 9) } }
            state.onCaptured = { pack in
                if pack == 3 { content.state.withLock { $0.failCaptured = .io(errno: 5) } }
            }
        }
        let options = UploadOptions(memory: .mebibytes(64), workers: 1)
        #expect(throws: RepositoryFailure.self) {
            try fixture.repository.writer(fixture.plan(1, parent: nil), content: content, options: options).run()
        }
        let first = try #require(content.capturedPacks.first)
        #expect(Set(first.runs.map { $0.start.number / 2048 }).isSubset(of: [7, 3, 0]))
        content.state.withLock { state in
            state.failCaptured = nil
            state.onCaptured = nil
            state.hot = [6, 7, 3].map { BlockIndex($0 * 2048) }
        }
        _ = try fixture.repository.writer(fixture.plan(1, parent: nil), content: content, options: options).run()
        #expect(try fixture.restore(1) == image)
    }
}
