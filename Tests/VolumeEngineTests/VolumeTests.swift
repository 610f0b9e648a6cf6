import Blocks
import Testing
import VolumeEngine

@Suite struct VolumeTests {
    let scratch: Scratch
    let environment = VolumeEnvironment.local()
    init() throws { scratch = try Scratch() }

    func make(_ size: Int = 1 << 20, source: [UInt8]? = nil) throws -> Volume {
        let plan = NewVolume(
            size: ByteCount(size), source: source.map { _ in "snap-s" }, parent: source.map { _ in "snap-s" })
        try Volume.create(plan, at: scratch.path + "/v", in: environment)
        return try Volume.open(at: scratch.path + "/v", in: environment, source: source.map(ImageSource.init))
    }
    func reopen(boot: String = "boot-1", source: [UInt8]? = nil) throws -> Volume {
        try Volume.open(at: scratch.path + "/v", in: .local(boot: boot), source: source.map(ImageSource.init))
    }

    @Test("what is written is read back, at any alignment") func writeRead() throws {
        let volume = try make()
        var model = [UInt8](repeating: 0, count: 1 << 20)
        for (index, (offset, count)) in [(0, 4096), (100, 10), (4000, 9000), (70_000, 200_000), (1_048_000, 576)]
            .enumerated()
        {
            let bytes = pattern(count, UInt8(index))
            try volume.put(bytes, at: offset)
            model.replaceSubrange(offset..<offset + count, with: bytes)
        }
        #expect(try volume.all() == model)
        #expect(throws: BlockFailure.outOfRange) { try volume.put([1], at: 1 << 20) }
    }

    @Test("a cut holds its content while writers go on, in every mix of whole and partial blocks")
    func cutHolds() throws {
        let volume = try make()
        try volume.put(pattern(1 << 20, 1), at: 0)
        let before = try volume.all()
        let cut = try volume.cut(for: "snap-1")
        var model = before
        for (index, (offset, count)) in [(0, 4096), (5000, 100), (8192, 512), (12_288, 140_000), (300_001, 3)]
            .enumerated()
        {
            let bytes = pattern(count, UInt8(50 + index))
            try volume.put(bytes, at: offset)
            model.replaceSubrange(offset..<offset + count, with: bytes)
            #expect(try volume.all() == model)
        }
        #expect(try cut.image(over: []) == before)
        try cut.captured(pack: 0, runs: [BlockRange(at: 0, count: 256)])
        volume.finish("snap-1")
        try volume.settle()
        #expect(try volume.all() == model)
        #expect(volume.pendingCuts.isEmpty)
        #expect(volume.status.parent == "snap-1")
        try volume.put([9, 9, 9], at: 5)
        #expect(try volume.get(4, 5)[1...3] == [9, 9, 9])
    }

    @Test("five pending cuts each read as their own instant; giving up the third gives up the later ones")
    func fivePending() throws {
        let volume = try make(256 << 10)
        var images: [[UInt8]] = []
        var cuts: [CutView] = []
        for index in 0..<5 {
            try volume.put(pattern(9000, UInt8(index)), at: index * 7000)
            try volume.put([UInt8(index)], at: 40_000 + index)
            images.append(try volume.all())
            cuts.append(try volume.cut(for: "snap-\(index)"))
        }
        try volume.put(pattern(200_000, 99), at: 100)
        let now = try volume.all()
        var parent: [UInt8] = []
        for index in 0..<5 {
            parent = try cuts[index].image(over: parent)
            #expect(parent == images[index], "cut \(index)")
        }
        #expect(volume.cancel("snap-2", reason: "test") == ["snap-2", "snap-3", "snap-4"])
        #expect(throws: BlockFailure.unavailable) { try cuts[3].image(over: []) }
        #expect(try cuts[1].image(over: images[0]) == images[1])
        volume.finish("snap-0")
        volume.finish("snap-1")
        try volume.settle()
        #expect(try volume.all() == now)
        #expect(volume.status.parent == "snap-1")
        let next = try volume.cut(for: "snap-5")
        #expect(try next.image(over: images[1]) == now)
    }

    @Test("a restart after kill -9 keeps everything: writes, pending cuts, what is dirty", arguments: [false, true])
    func restart(isOtherBoot: Bool) throws {
        var volume = try make(256 << 10)
        try volume.put(pattern(256 << 10, 1), at: 0)
        let atCut = try volume.all()
        _ = try volume.cut(for: "snap-1")
        try volume.put(pattern(50_000, 2), at: 1234)
        try volume.flush()
        let now = try volume.all()
        volume = try reopen(boot: isOtherBoot ? "boot-2" : "boot-1")
        #expect(try volume.all() == now)
        let cut = try #require(volume.pendingCuts.first)
        #expect(try cut.image(over: []) == atCut)
        #expect(volume.status.dirty == ByteCount(isOtherBoot ? 256 << 10 : 53_248))
        volume.finish("snap-1")
        try volume.settle()
        #expect(try volume.all() == now)
        let next = try volume.cut(for: "snap-2")
        #expect(try next.image(over: atCut) == now)
    }

    @Test("a restored volume reads as its source at once, takes writes, and fills up") func hydrates() throws {
        var source = pattern(300_000, 3)
        for index in 40_960..<81_920 { source[index] = 0 }
        var volume = try make(1 << 20, source: source)
        var model = source + [UInt8](repeating: 0, count: (1 << 20) - source.count)
        #expect(try volume.all() == model)
        for (offset, count) in [(10, 20), (4096, 4096), (50_000, 1000), (290_000, 20_000)] {
            try volume.put(pattern(count, 77), at: offset)
            model.replaceSubrange(offset..<offset + count, with: pattern(count, 77))
        }
        try volume.zero(ByteRange(at: 16_384, count: 8192), mayPunch: true, durably: false)
        model.replaceSubrange(16_384..<24_576, with: [UInt8](repeating: 0, count: 8192))
        try volume.trim(ByteRange(at: 32_768, count: 4096), durably: false)
        #expect(try volume.all() == model)
        let cut = try volume.cut(for: "snap-1")
        #expect(try Array(cut.image(over: source)) == model)
        volume = try reopen(source: source)
        #expect(try volume.all() == model)
        #expect(try volume.hydrate())
        #expect(volume.status.source == nil)
        #expect(try volume.all() == model)
        try volume.close()
        volume = try reopen()
        #expect(try volume.all() == model)
    }

    @Test("a rollback brings the snapshot's content back, in place or with a new home", arguments: [true, false])
    func rollback(inPlace: Bool) throws {
        var volume = try make(512 << 10)
        try volume.put(pattern(512 << 10, 1), at: 0)
        let image = try volume.all()
        _ = try volume.cut(for: "snap-1")
        volume.finish("snap-1")
        try volume.settle()
        try volume.put(pattern(30_000, 9), at: 100_000)
        let changed: [BlockRange] = []
        try volume.rollBack(to: "snap-1", source: ImageSource(image), changed: inPlace ? changed : nil)
        #expect(try volume.all() == image)
        #expect(volume.status.dirty == 0)
        try volume.put([1, 2, 3], at: 100_001)
        volume = try reopen(source: image)
        var model = image
        model.replaceSubrange(100_001..<100_004, with: [1, 2, 3])
        #expect(try volume.all() == model)
        #expect(try volume.hydrate())
        #expect(try volume.all() == model)
        let cut = try volume.cut(for: "snap-2")
        #expect(try cut.image(over: image) == model)
    }

    @Test("a volume of 64 TiB is made, cut, trimmed and removed without its size costing anything") func huge() throws {
        try Volume.create(NewVolume(size: .tebibytes(64)), at: scratch.path + "/h", in: environment)
        let volume = try Volume.open(at: scratch.path + "/h", in: environment)
        try volume.put([1, 2, 3], at: (60 << 40) + 12345)
        let cut = try volume.cut(for: "snap-1")
        #expect(try cut.nextChange(from: 0) == BlockRange(at: BlockIndex(((60 << 40) + 12345) / 4096), count: 1))
        volume.finish("snap-1")
        try volume.settle()
        try volume.trim(ByteRange(at: 0, count: .tebibytes(64)), durably: false)
        #expect(try volume.get((60 << 40) + 12345, 3) == [0, 0, 0])
        try volume.close()
        try Volume.destroy(at: scratch.path + "/h", in: environment)
    }

    @Test("growing adds zeros, also while a cut is pending") func grows() throws {
        let volume = try make(100 * 512)
        try volume.put(pattern(100 * 512, 1), at: 0)
        let image = try volume.all()
        let cut = try volume.cut(for: "snap-1")
        try volume.grow(to: .mebibytes(1))
        #expect(try volume.all() == image + [UInt8](repeating: 0, count: (1 << 20) - 100 * 512))
        try volume.put(pattern(5000, 2), at: 50_000)
        #expect(Array(try cut.image(over: []).prefix(image.count)) == image)
    }

    @Test("a group cut lists each member and both read as one instant") func group() throws {
        let a = try make(64 << 10)
        try Volume.create(NewVolume(size: 65_536), at: scratch.path + "/w", in: environment)
        let b = try Volume.open(at: scratch.path + "/w", in: environment)
        try a.put([1], at: 0)
        try b.put([2], at: 4096)
        let views = try Volume.cut([(volume: a, snapshot: "snap-a"), (volume: b, snapshot: "snap-b")])
        #expect(views.map(\.snapshot) == ["snap-a", "snap-b"])
        try a.put([9], at: 0)
        #expect(try views[0].get(BlockRange(at: 0, count: 1))[0] == 1)
        #expect(try views[1].get(BlockRange(at: 1, count: 1))[0] == 2)
    }

    @Test("trim and zero give space back and read as zeros, around a pending cut") func trims() throws {
        let volume = try make(256 << 10)
        try volume.put(pattern(256 << 10, 1), at: 0)
        let image = try volume.all()
        let cut = try volume.cut(for: "snap-1")
        try volume.zero(ByteRange(at: 1000, count: 60_000), mayPunch: true, durably: true)
        var model = image
        model.replaceSubrange(1000..<61_000, with: [UInt8](repeating: 0, count: 60_000))
        #expect(try volume.all() == model)
        try volume.trim(ByteRange(at: 131_072, count: 65_536), durably: false)
        #expect(try cut.image(over: []) == image)
        volume.finish("snap-1")
        try volume.settle()
        try volume.zero(ByteRange(at: 0, count: 262_144), mayPunch: false, durably: false)
        #expect(try volume.all().allSatisfy { $0 == 0 })
        #expect(
            try volume.allocation(in: ByteRange(at: 0, count: 262_144)).reduce(0) { $0 + $1.range.count.bytes }
                == 262_144)
    }

    @Test("an audit reads unchanged blocks, and refuses those written since") func audit() throws {
        let volume = try make(256 << 10)
        try volume.put(pattern(256 << 10, 1), at: 0)
        let image = try volume.all()
        _ = try volume.cut(for: "snap-1")
        volume.finish("snap-1")
        try volume.settle()
        try volume.put([1], at: 8192)
        let cut = try volume.cut(for: "snap-2")
        try volume.put([1], at: 20_480)
        var bytes = [UInt8](repeating: 0, count: 8192)
        func isUnchanged(_ block: Int) throws -> Bool {
            try bytes.writeBytes { (all) throws(BlockFailure) in
                try cut.readIfUnchanged(BlockRange(at: BlockIndex(block), count: 2), into: &all)
            }
        }
        #expect(try isUnchanged(0) && bytes == Array(image[0..<8192]))
        #expect(try !isUnchanged(1))
        #expect(try !isUnchanged(4))
        #expect(try isUnchanged(6) && bytes == Array(image[24_576..<32_768]))
    }

    @Test("over the quota the snapshot is given up and the guest goes on") func quota() throws {
        var small = environment
        small.overlayMinimum = .mebibytes(16)
        try Volume.create(NewVolume(size: .mebibytes(20)), at: scratch.path + "/q", in: small)
        let volume = try Volume.open(at: scratch.path + "/q", in: small)
        try volume.put(pattern(20 << 20, 1), at: 0)
        let cut = try volume.cut(for: "snap-1")
        for chunk in 0..<20 { try volume.put(pattern(1 << 20, UInt8(chunk)), at: chunk << 20) }
        #expect(cut.givenUpReason?.contains("quota") == true)
        for chunk in 0..<20 { #expect(try volume.get(chunk << 20, 1 << 20) == pattern(1 << 20, UInt8(chunk))) }
        try volume.settle()
        #expect(volume.status.dirty == .mebibytes(20))
    }
}

@Suite struct DiskProbeTests {
    @Test("this machine's file system passes the probe") func passes() throws {
        let scratch = try Scratch()
        try DiskProbe.check(scratch.path, on: LocalDisk())
    }
}
