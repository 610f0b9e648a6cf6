import Blocks
import Simulation
import Testing

@testable import VolumeEngine

/// What a writer meets while a cut is being made durable: nothing that is written out for it.
@Suite struct SealingTests {
    /// A volume whose every block is in a settled snapshot but for block 0, which changed since.
    private struct Setting {
        let disk = SimulatedDisk()
        let volume: Volume
        let image: [UInt8]

        init(overlayMinimum: ByteCount = .mebibytes(16)) throws {
            var environment = VolumeEnvironment(
                disk: disk.mount(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
            environment.overlayShare = 0
            environment.overlayMinimum = overlayMinimum
            try disk.makeDirectory("/volumes")
            try Volume.create(NewVolume(size: BlockCount(64).size), at: "/volumes/vol-1", in: environment)
            volume = try Volume.open(at: "/volumes/vol-1", in: environment)
            var image = pattern(64 * 4096, 1)
            try volume.put(image, at: 0)
            _ = try volume.cut(for: "snap-1")
            volume.finish("snap-1")
            try volume.settle()
            try volume.put(pattern(4096, 2), at: 0)
            image.replaceSubrange(..<4096, with: pattern(4096, 2))
            self.image = image
        }

        /// Cuts, and runs `body` at the moment at which home is being synced for that.
        ///
        /// - Returns: the files that were written to meanwhile.
        func cut(during body: @escaping @Sendable (Volume) throws -> Void) throws -> (view: CutView?, written: [String])
        {
            let isArmed = Guarded(true), isInside = Guarded(false), written = Guarded<[String]>([])
            let problem = Guarded<(any Error)?>(nil)
            disk.onOperation { [volume] operation in
                if isInside.withLock({ $0 }), operation.kind == .write {
                    written.withLock { $0.append(operation.path) }
                }
                let isFirst = isArmed.withLock { armed in
                    defer { if operation.kind == .sync, operation.path.hasSuffix("home.img") { armed = false } }
                    return armed && operation.kind == .sync && operation.path.hasSuffix("home.img")
                }
                guard isFirst else { return .proceed }
                isInside.withLock { $0 = true }
                do { try body(volume) } catch { problem.withLock { $0 = error } }
                isInside.withLock { $0 = false }
                return .proceed
            }
            defer { disk.onOperation(nil) }
            let view = try? volume.cut(for: "snap-2")
            if let problem = problem.withLock({ $0 }) { throw problem }
            #expect(isArmed.withLock { !$0 })
            return (view, written.withLock { $0 })
        }
    }

    @Test("writes go around home while it is synced for a cut, whole blocks and parts, and only until it is sealed")
    func goesAround() throws {
        let setting = try Setting()
        let (view, written) = try setting.cut { volume in
            try volume.put(pattern(4096, 3), at: 9 * 4096)
            try volume.put(pattern(100, 4), at: 40 * 4096 + 50)
            try volume.put(pattern(4096, 5), at: 0)
        }
        #expect(!written.isEmpty)
        #expect(written.allSatisfy { $0.hasSuffix("overlay.img") }, "\(written)")
        let cut = try #require(view)
        #expect(try cut.get(BlockRange(at: 0, count: 64)) == setting.image)
        var live = setting.image
        live.replaceSubrange(9 * 4096..<10 * 4096, with: pattern(4096, 3))
        live.replaceSubrange(40 * 4096 + 50..<40 * 4096 + 150, with: pattern(100, 4))
        live.replaceSubrange(0..<4096, with: pattern(4096, 5))
        #expect(try setting.volume.all() == live)

        let after = Guarded<[String]>([])
        setting.disk.onOperation { operation in
            if operation.kind == .write { after.withLock { $0.append(operation.path) } }
            return .proceed
        }
        try setting.volume.put(pattern(4096, 6), at: 20 * 4096)
        setting.disk.onOperation(nil)
        #expect(after.withLock { $0 }.allSatisfy { $0.hasSuffix("home.img") })
        live.replaceSubrange(20 * 4096..<21 * 4096, with: pattern(4096, 6))
        setting.volume.finish("snap-2")
        try setting.volume.settle()
        #expect(try setting.volume.all() == live)
        // The next snapshot counts all of it.
        #expect(setting.volume.status.dirty == BlockCount(4).size)
    }

    @Test("a cut that is given up meanwhile, for want of space, sends nobody into its overlay any more")
    func givenUp() throws {
        let setting = try Setting(overlayMinimum: BlockCount(2).size)
        let (view, written) = try setting.cut { volume in
            for block in 10..<30 { try volume.put(pattern(4096, UInt8(block)), at: block * 4096) }
        }
        #expect(view == nil)
        #expect(written.filter { $0.hasSuffix("overlay.img") }.count == 2)
        #expect(written.filter { $0.hasSuffix("home.img") }.count == 18)
        var live = setting.image
        for block in 10..<30 {
            live.replaceSubrange(block * 4096..<(block + 1) * 4096, with: pattern(4096, UInt8(block)))
        }
        #expect(try setting.volume.all() == live)
        try setting.volume.settle()
        #expect(try setting.volume.all() == live)
    }

    @Test("a cut syncs what it holds and not what guests wrote since")
    func syncsNoMore() throws {
        let setting = try Setting()
        let synced = Guarded<[String]>([])
        setting.disk.onOperation { operation in
            if operation.kind == .sync { synced.withLock { $0.append(operation.path) } }
            return .proceed
        }
        _ = try setting.volume.cut(for: "snap-2")
        setting.disk.onOperation(nil)
        #expect(synced.withLock { $0 }.contains { $0.hasSuffix("home.img") })
        #expect(!synced.withLock { $0 }.contains { $0.hasSuffix("overlay.img") })
    }
}
