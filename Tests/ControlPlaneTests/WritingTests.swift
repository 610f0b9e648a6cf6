import Blocks
import Catalog
import Repository
import Simulation
import TestSupport
import Testing

@testable import ControlPlane

/// Snapshots that are written piece by piece, without a volume.
@Suite struct WritingTests {
    /// A piece all of whose blocks are full of one byte.
    static func piece(_ byte: UInt8) throws -> NewPiece {
        try #require(NewPiece([UInt8](repeating: byte, count: SnapshotPiece.size.bytes)))
    }

    /// The checksum of pieces in their order, as an owner would say it.
    static func checksum(_ bytes: [UInt8]) throws -> String {
        Digest(of: try bytes.flatMap { try piece($0).digest.bytes }).description
    }

    static func begin(
        _ fixture: HouseFixture, on parent: String? = nil, size: ByteCount = .mebibytes(4), token: String? = nil
    ) async throws -> String {
        var request = BeginSnapshot(size: size)
        request.parent = parent
        request.token = token.map { RequestToken($0, fingerprint: "\(size.bytes) \(parent ?? "")") }
        return try await fixture.snapshots.begin(request).id
    }

    /// Writes pieces, finishes, and waits until it is stored.
    static func write(
        _ pieces: [Int: UInt8], to id: String, _ fixture: HouseFixture, withChecksum: Bool = true
    ) async throws -> SnapshotView {
        for (number, byte) in pieces { try await fixture.snapshots.put(piece(byte), at: number, of: id) }
        let sum = try checksum(pieces.keys.sorted().compactMap { pieces[$0] })
        _ = try await fixture.snapshots.finish(id, count: pieces.count, checksum: withChecksum ? sum : nil)
        return try await fixture.snapshots.wait(for: id)
    }

    /// The first byte of each piece, through a volume restored from it.
    static func content(_ id: String, _ fixture: HouseFixture) async throws -> [UInt8] {
        let blocks = try await fixture.restore(id)
        let perPiece = SnapshotPiece.blocks.count
        return stride(from: 0, to: blocks.count, by: perPiece).map { start in
            let piece = blocks[start..<min(start + perPiece, blocks.count)]
            #expect(Set(piece).count == 1)
            return piece.first ?? 0
        }
    }

    static func files(_ fixture: HouseFixture) throws -> [String] { try LocalDisk().list(fixture.data + "/pieces") }

    @Test("pieces in any order, at the same time and again, with a parent and without; the parent's rest shows through")
    func lineage() async throws {
        let fixture = try await HouseFixture()
        let first = try await Self.begin(fixture)
        let pending = try await fixture.snapshots.show(first)
        #expect(pending.state == .pending && pending.volumeId == SnapshotView.noVolume && pending.progress == 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in [7, 3, 0, 5] {
                group.addTask {
                    try await fixture.snapshots.put(Self.piece(99), at: number, of: first)
                    try await fixture.snapshots.put(Self.piece(UInt8(number + 1)), at: number, of: first)
                }
            }
            try await group.waitForAll()
        }
        _ = try await fixture.snapshots.finish(first, count: 4, checksum: Self.checksum([1, 4, 6, 8]))
        let done = try await fixture.snapshots.wait(for: first)
        #expect(done.changedBytes == 4 * SnapshotPiece.size.bytes && done.parentId == nil)
        #expect(try await Self.content(first, fixture) == [1, 0, 0, 4, 0, 6, 0, 8])

        // A larger child: one piece over the parent's, one of zeros, one beyond the parent's end.
        let second = try await Self.begin(fixture, on: first, size: .mebibytes(8))
        let child = try await Self.write([3: 44, 5: 0, 15: 66], to: second, fixture)
        #expect(child.parentId == first && child.changedBytes == 3 * SnapshotPiece.size.bytes)
        #expect(try await Self.content(second, fixture) == [1, 0, 0, 44, 0, 0, 0, 8] + [0, 0, 0, 0, 0, 0, 0, 66])
        #expect(try await Self.content(first, fixture) == [1, 0, 0, 4, 0, 6, 0, 8])
        // Zeros that were written are listed, and what changed between the two.
        let listed = try await fixture.snapshots.pieces(of: second, from: 0, limit: 100)
        #expect(listed.numbers == [0, 3, 5, 7, 15] && listed.next == nil)
        let changed = try await fixture.snapshots.changedPieces(from: first, to: second, at: 0, limit: 100)
        #expect(changed.pieces.map(\.number) == [3, 5, 15] && changed.pieces.map(\.isInFirst) == [true, true, false])
        #expect(try await fixture.snapshots.piece(3, of: second) == Self.piece(44).bytes)
        #expect(try await fixture.snapshots.verify(second).isSound)

        // A snapshot of a volume made of it goes on from there; and the parent may go.
        let volume = try await fixture.volumes.create(CreateVolume(size: nil, origin: .snapshot(second))).id
        _ = try await fixture.volumes.attach(volume)
        try await fixture.write(volume, 0..<1, 9)
        let third = try await fixture.snapshot(volume)
        #expect(try await fixture.snapshots.show(third).changedBytes == 4096)
        try await fixture.snapshots.delete(first)
        #expect(try await Self.content(second, fixture)[0] == 1)
        #expect(try Self.files(fixture).isEmpty)
        #expect(
            try await fixture.house.tasks.list().filter { $0.kind == .writeSnapshot }.map(\.state) == [
                .succeeded, .succeeded,
            ])
        await fixture.house.close()
    }

    @Test("one of a volume can be written on, and what is written is encrypted as that, or as was asked for")
    func encryption() async throws {
        let scratch = try ScratchDirectory("varve-writing")
        let fixture = try await HouseFixture(holding: scratch, at: scratch.path + "/data")
        let volume = try await fixture.volume(.mebibytes(2), encryption: VolumeEncryption())
        try await fixture.write(volume, 0..<512, 5)
        let parent = try await fixture.snapshot(volume)
        let child = try await Self.write([2: 7], to: try await Self.begin(fixture, on: parent), fixture)
        #expect(child.encrypted && child.changedBytes == SnapshotPiece.size.bytes)
        #expect(try await Self.content(child.id, fixture) == [5, 5, 7, 5, 0, 0, 0, 0])
        #expect(try await fixture.snapshots.list(of: volume).map(\.id) == [parent])
        var request = BeginSnapshot(size: .mebibytes(1))
        request.encryption = VolumeEncryption()
        let own = try await Self.write([1: 3], to: try await fixture.snapshots.begin(request).id, fixture)
        #expect(own.encrypted && own.parentId == nil)
        #expect(try await Self.content(own.id, fixture) == [0, 3])
        request.parent = parent
        #expect(await refusal { try await fixture.snapshots.begin(request) } == .invalid)
        await fixture.house.close()
    }

    @Test("a wrong checksum or count is an error afterwards; finishing again changes nothing")
    func wrong() async throws {
        let fixture = try await HouseFixture()
        for (count, sum, fault) in [
            (1, try Self.checksum([1, 2]), WritingFault.count), (2, try Self.checksum([2, 1]), .checksum),
            (2, "none", .checksum),
        ] {
            let id = try await Self.begin(fixture)
            for number in [1, 2] { try await fixture.snapshots.put(Self.piece(UInt8(number)), at: number, of: id) }
            #expect(try await fixture.snapshots.finish(id, count: count, checksum: sum).id == id)
            #expect(await refusal { try await fixture.snapshots.wait(for: id) } == .wrongState)
            let failed = try await fixture.snapshots.finish(id, count: 2, checksum: nil)
            #expect(failed.state == .error && failed.reason == fault.rawValue)
            #expect(await refusal { try await fixture.snapshots.put(Self.piece(1), at: 0, of: id) } == .wrongState)
            try await fixture.eventually("its pieces are gone") { try Self.files(fixture).isEmpty }
            try await fixture.snapshots.delete(id)
        }
        // What the disk lost is not taken for what was written.
        let id = try await Self.begin(fixture)
        try await fixture.snapshots.put(Self.piece(1), at: 0, of: id)
        try await onThread { [data = fixture.data] in
            let file = try LocalDisk().open(data + "/pieces/" + id, .readWrite)
            try [UInt8](repeating: 7, count: 10).readBytes { (bytes) throws(BlockFailure) in
                try file.write(bytes, at: ByteOffset(4096 + 1000), durably: true)
            }
        }
        _ = try await fixture.snapshots.finish(id, count: 1, checksum: Self.checksum([1]))
        #expect(await refusal { try await fixture.snapshots.wait(for: id) } == .wrongState)
        #expect(try await fixture.snapshots.find(id).reason == WritingFault.torn.rawValue)
        await fixture.house.close()
    }

    @Test("what cannot be begun, written or finished is refused, and another account's is nobody's")
    func refused() async throws {
        let fixture = try await HouseFixture()
        let account = try await fixture.house.accounts.create(named: "others").id
        let stranger = try #require(
            fixture.house.verbs(for: Caller(account: account, principal: "eve", role: .administrator), in: nil))
        let reader = try #require(
            fixture.house.verbs(for: Caller(account: account, principal: "ann", role: .reader), in: nil))
        let open = try await Self.begin(fixture)
        let volume = try await fixture.volume(.mebibytes(1))
        let taken = try await fixture.snapshot(volume)
        var request = BeginSnapshot(size: .mebibytes(4))
        #expect(await refusal { try await reader.snapshots.begin(request) } == .forbidden)
        for parent in [taken, open, "snap-0123456789abcdef0"] {
            request.parent = parent
            #expect(await refusal { try await stranger.snapshots.begin(request) } == .missing)
        }
        request.parent = open
        #expect(await refusal { try await fixture.snapshots.begin(request) } == .wrongState)
        request.parent = taken
        request.size = ByteCount(512 << 10)
        #expect(await refusal { try await fixture.snapshots.begin(request) } == .invalid)
        for minutes in [9, 4321] {
            var late = BeginSnapshot(size: .mebibytes(4))
            late.timeoutMinutes = minutes
            #expect(await refusal { try await fixture.snapshots.begin(late) } == .invalid)
        }
        let one = try Self.piece(1)
        for id in [open, taken, "snap-0123456789abcdef0"] {
            #expect(await refusal { try await stranger.snapshots.put(one, at: 0, of: id) } == .missing)
            #expect(await refusal { try await stranger.snapshots.finish(id, count: 0, checksum: nil) } == .missing)
        }
        #expect(await refusal { try await fixture.snapshots.put(one, at: 0, of: taken) } == .missing)
        #expect(await refusal { try await fixture.snapshots.finish(taken, count: 0, checksum: nil) } == .missing)
        for number in [-1, 8, Int.max] {
            #expect(await refusal { try await fixture.snapshots.put(one, at: number, of: open) } == .invalid)
        }
        #expect(NewPiece([1, 2, 3]) == nil)
        // While it is written nothing can be made of it.
        for volumes in [fixture.volumes] {
            #expect(
                await refusal { try await volumes.create(CreateVolume(size: nil, origin: .snapshot(open))) }
                    == .wrongState)
        }
        #expect(await refusal { try await fixture.snapshots.attach(open) } == .wrongState)
        #expect(await refusal { try await fixture.snapshots.copy(CopySnapshot(open)) } == .wrongState)
        await fixture.house.close()
    }

    @Test(
        "with the same token it is begun once; at most 100 are being written; a deletion frees the place and the space")
    func limits() async throws {
        let fixture = try await HouseFixture()
        let one = try await Self.begin(fixture, token: "once")
        #expect(try await Self.begin(fixture, token: "once") == one)
        #expect(
            await refusal { try await Self.begin(fixture, size: .mebibytes(8), token: "once") } == .invalid)
        for _ in 1..<100 { _ = try await Self.begin(fixture) }
        #expect(await refusal { try await Self.begin(fixture) } == .limitExceeded)
        #expect(try await Self.begin(fixture, token: "once") == one)
        try await fixture.snapshots.put(Self.piece(1), at: 0, of: one)
        try await fixture.snapshots.delete(one)
        #expect(try !Self.files(fixture).contains(one))
        #expect(await refusal { try await fixture.snapshots.put(Self.piece(1), at: 0, of: one) } == .missing)
        #expect(await refusal { try await fixture.snapshots.finish(one, count: 1, checksum: nil) } == .missing)
        #expect(await refusal { try await Self.begin(fixture, token: "once") } == .missing)
        let other = try await Self.begin(fixture)
        #expect(try await Self.write([0: 1], to: other, fixture).state == .completed)
        await fixture.house.close()
    }

    @Test("nobody writes or finishes in time: an error; each piece begins the time anew")
    func timeout() async throws {
        let clock = ManualClock(passesSleeps: true)
        let fixture = try await HouseFixture { $0.clock = clock }
        let id = try await Self.begin(fixture), other = try await Self.begin(fixture)
        clock.advance(by: .seconds(59 * 60))
        try await fixture.snapshots.put(Self.piece(1), at: 0, of: id)
        clock.advance(by: .seconds(60))
        try await fixture.eventually("the other one is given up") {
            try await fixture.snapshots.find(other).state == .error
        }
        #expect(try await fixture.snapshots.find(other).reason == WritingFault.timeout.rawValue)
        #expect(try await fixture.snapshots.find(id).state == .pending)
        // A start begins it anew.
        try await fixture.reopen()
        clock.advance(by: .seconds(59 * 60 + 59))
        try await Task.sleep(for: .milliseconds(1200))
        #expect(try await fixture.snapshots.find(id).state == .pending)
        try await fixture.snapshots.put(Self.piece(2), at: 1, of: id)
        #expect(try await Self.write([2: 3], to: id, fixture, count: 3).state == .completed)
        #expect(try await Self.content(id, fixture) == [1, 2, 3, 0, 0, 0, 0, 0])
        #expect(try Self.files(fixture).isEmpty)
        await fixture.house.close()
    }

    @Test("while the store is away it waits, over a restart too; it can be deleted then, and its parent stays for it")
    func storeAway() async throws {
        let fixture = try await HouseFixture()
        let parent = try await Self.write([0: 1], to: try await Self.begin(fixture), fixture).id
        let one = try await Self.begin(fixture, on: parent), two = try await Self.begin(fixture, on: parent)
        try await fixture.snapshots.delete(parent)
        #expect(await refusal { try await fixture.snapshots.show(parent) } == .missing)
        for id in [one, two] { try await fixture.snapshots.put(Self.piece(5), at: 1, of: id) }
        try fixture.hideStore()
        for id in [one, two] { _ = try await fixture.snapshots.finish(id, count: 1, checksum: nil) }
        try await fixture.eventually("it says why it waits") {
            try await fixture.snapshots.find(one).reason?.contains("store") == true
        }
        #expect(await refusal { try await fixture.snapshots.put(Self.piece(6), at: 1, of: one) } == .wrongState)
        try await fixture.snapshots.delete(two)
        try await fixture.reopen()
        #expect(await refusal { try await fixture.snapshots.put(Self.piece(6), at: 1, of: one) } == .wrongState)
        try fixture.showStore()
        fixture.house.store.retryUploads()
        #expect(try await fixture.snapshots.wait(for: one).state == .completed)
        #expect(try await Self.content(one, fixture) == [1, 5, 0, 0, 0, 0, 0, 0])
        try await fixture.eventually("every task ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        #expect(try await fixture.snapshots.list().map(\.id) == [one])
        #expect(try await fixture.house.store.status().snapshotCount == 1)
        #expect(try Self.files(fixture).isEmpty)
        await fixture.house.close()
    }
}

extension WritingTests {
    /// Likewise, of one that has pieces already.
    @Test("a look at all that was written ends as soon as it is to, and a snapshot can be deleted in the middle of it")
    func stopped() async throws {
        let fixture = try await HouseFixture()
        let id = try await Self.begin(fixture)
        for number in 0..<4 { try await fixture.snapshots.put(Self.piece(UInt8(number + 1)), at: number, of: id) }
        let file = try #require(fixture.house.household.pieces[id])
        file.seal()
        var asked = 0
        #expect(throws: RepositoryFailure.cancelled) {
            _ = try file.survey {
                asked += 1
                return asked == 3
            }
        }
        let whole = try file.survey().count
        #expect(asked == 3 && whole == 4)
        try await fixture.snapshots.delete(id)
        #expect(try Self.files(fixture).isEmpty)
        await fixture.house.close()
    }

    fileprivate static func write(
        _ pieces: [Int: UInt8], to id: String, _ fixture: HouseFixture, count: Int
    ) async throws -> SnapshotView {
        for (number, byte) in pieces { try await fixture.snapshots.put(piece(byte), at: number, of: id) }
        _ = try await fixture.snapshots.finish(id, count: count, checksum: nil)
        return try await fixture.snapshots.wait(for: id)
    }
}

/// Ends the process at every step of writing.
@Suite(.serialized) struct WritingCrashSerialTests {
    @Test(
        "after a kill at any step, what was acknowledged is there, and it goes on or ends",
        arguments: [
            "write.recorded", "write.begun", "write.put", "write.finished", "upload.pack.put", "upload.pack.recorded",
            "upload.manifest.before", "upload.manifest.after", "write.uploaded", "write.completed",
            "delete-snapshot.write.cancelled",
        ])
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-writing-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await WritingCrashScript(path: path).run(dyingAt: point)
        }
        let fixture = try await HouseFixture(at: path + "/data")
        try await fixture.eventually("what was finished ends") {
            let views = try await fixture.snapshots.list()
            return views.allSatisfy { $0.state != .pending || !Self.isFinished(point) }
        }
        let written = try await fixture.snapshots.list().filter { $0.description == WritingCrashScript.mark }
        if point.hasPrefix("delete") {
            #expect(written.isEmpty)
        } else {
            let view = try #require(written.first)
            if !Self.isFinished(point) {
                #expect(view.state == .pending)
                // Its owner goes on: what was acknowledged need not come again, what was not comes again.
                let rest = point == "write.put" ? [5: UInt8(6)] : [1: 2, 5: 6]
                for (number, byte) in rest {
                    try await fixture.snapshots.put(WritingTests.piece(byte), at: number, of: view.id)
                }
                _ = try await fixture.snapshots.finish(
                    view.id, count: 2, checksum: try WritingTests.checksum([2, 6]))
                _ = try await fixture.snapshots.wait(for: view.id)
            } else {
                #expect(view.state == .completed, "\(view.reason ?? "")")
            }
            #expect(try await WritingTests.content(view.id, fixture) == [9, 2, 0, 0, 0, 6, 0, 0])
            #expect(try await fixture.snapshots.verify(view.id).isSound)
        }
        try await fixture.eventually("every task ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        #expect(try WritingTests.files(fixture).isEmpty)
        #expect(try await fixture.house.store.verify().problems == [])
        await fixture.house.close()
    }

    private static func isFinished(_ point: String) -> Bool {
        !["write.recorded", "write.begun", "write.put"].contains(point)
    }
}

/// What the child does: a parent, and a snapshot of two pieces on it, or one that is deleted.
struct WritingCrashScript: Sendable {
    let path: String
    static let mark = "the one"

    func run(dyingAt point: String) async throws {
        let fixture = try await HouseFixture(at: path + "/data")
        let parent = try await WritingTests.write([0: 9], to: try await WritingTests.begin(fixture), fixture).id
        // The thread that stored it passes the same points.
        try await fixture.eventually("the parent's thread has ended") { try WritingTests.files(fixture).isEmpty }
        let pieces = Guarded(0)
        Failpoint.observe { name in
            guard name == point else { return }
            // The first piece is acknowledged before.
            if name == "write.put",
                pieces.withLock({
                    $0 += 1; return $0
                }) < 2
            {
                return
            }
            Machine.killSelf()
        }
        var request = BeginSnapshot(size: .mebibytes(4))
        request.parent = parent
        request.description = Self.mark
        let id = try await fixture.snapshots.begin(request).id
        try await fixture.snapshots.put(WritingTests.piece(2), at: 1, of: id)
        try await fixture.snapshots.put(WritingTests.piece(6), at: 5, of: id)
        if point.hasPrefix("delete") {
            try await fixture.snapshots.delete(id)
        } else {
            _ = try await fixture.snapshots.finish(id, count: 2, checksum: try WritingTests.checksum([2, 6]))
        }
        try await fixture.eventually("it is gone") { false }
    }
}
