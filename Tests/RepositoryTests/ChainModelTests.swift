import Blocks
import ObjectStore
import Repository
import TestSupport
import Testing

/// Random images, random chains and branches of snapshots, deleted in random order with no grace: the survivors must
/// restore byte for byte, and diffs must tell the truth.
@Suite struct ChainModelTests {
    private struct Model {
        var images: [Int: TestImage] = [:]
        var next = 1
    }

    @Test("survivors of any deletions restore byte for byte", arguments: 0..<Seed.share(of: 12))
    func chains(_ round: Int) throws {
        let seed = UInt64.random(in: 1 ... .max / 2) / 2 * 2 + UInt64(round)
        var random = SeededRandom(seed)
        // Every other history is encrypted.
        let fixture = try Fixture(isEncrypted: round % 2 == 1)
        var model = Model()
        for _ in 0..<14 {
            if model.images.count > 1, random.next() % 3 == 0 {
                try delete(&model, fixture, &random, seed)
            } else {
                try snapshot(&model, fixture, &random, seed)
            }
        }
        let report = try fixture.repository.verify(.everything)
        #expect(report.findings == [], "seed \(seed)")
        for number in model.images.keys.shuffled(using: &random) {
            #expect(try fixture.restore(number) == model.images[number], "seed \(seed), snapshot \(number)")
            try delete(number, &model, fixture)
        }
        #expect(try fixture.keys(under: "packs/") == [], "seed \(seed): nothing is left of nothing")
        #expect(try fixture.keys(under: "trash/") == [])
    }

    private func snapshot(
        _ model: inout Model, _ fixture: Fixture, _ random: inout SeededRandom, _ seed: UInt64
    ) throws {
        let parent = random.next() % 6 == 0 ? nil : model.images.keys.sorted().randomElement(using: &random)
        let sizes = [3 << 20, (9 << 20) + 512, 17 << 20]
        let old = parent.flatMap { model.images[$0] } ?? TestImage(size: ByteCount(sizes[Int(random.next() % 3)]))
        var image = old
        if random.next() % 4 == 0 { image = grown(old) }
        mutate(&image, &random)
        var marked: Set<Int>? = image.changed(from: old)
        switch random.next() % 4 {
        case 0: marked = nil
        case 1: for _ in 0..<20 { marked?.insert(Int(random.next() % UInt64(image.blockCount))) }
        default: break
        }
        let number = model.next
        model.next += 1
        let options = UploadOptions(workers: 1 + Int(random.next() % 3))
        let manifest = try fixture.take(
            number, image, parent: parent, changed: parent == nil ? nil : marked, options: options)
        #expect(manifest.fullBytes.bytes == image.blocks.count * 4096, "seed \(seed)")
        #expect(try fixture.restore(number) == image, "seed \(seed), snapshot \(number)")
        try checkDiff(parent, number, old, image, fixture, seed)
        model.images[number] = image
    }

    private func grown(_ image: TestImage) -> TestImage {
        var image = image
        image.size = image.size + ByteCount(1 << 20)
        return image
    }

    private func mutate(_ image: inout TestImage, _ random: inout SeededRandom) {
        for _ in 0..<(1 + random.next() % 4) {
            let start = Int(random.next() % UInt64(image.blockCount))
            let count = random.next() % 3 == 0 ? Int(random.next() % 600) : Int(random.next() % 8) + 1
            let kind = random.next() % 5
            for block in start..<min(image.blockCount, start + count) {
                image.set(block, kind == 0 ? nil : TestImage.block(random.next(), isText: kind == 1))
            }
        }
    }

    private func delete(
        _ model: inout Model, _ fixture: Fixture, _ random: inout SeededRandom, _ seed: UInt64
    ) throws {
        guard let number = model.images.keys.sorted().randomElement(using: &random) else { return }
        try delete(number, &model, fixture)
        for (number, image) in model.images {
            #expect(try fixture.restore(number) == image, "seed \(seed), snapshot \(number)")
        }
    }

    private func delete(_ number: Int, _ model: inout Model, _ fixture: Fixture) throws {
        let exclusive = try fixture.repository.exclusiveBytes()[Fixture.id(number)] ?? .zero
        try fixture.repository.delete(Fixture.id(number))
        model.images[number] = nil
        let report = try fixture.repository.reclaim(ReclaimPlan(grace: .zero))
        #expect(report.packsWaiting == 0 && report.manifestsFreed == 1)
        #expect(report.bytesFreed >= exclusive, "what was promised is freed")
        #expect(throws: RepositoryFailure.missing(Fixture.id(number))) {
            try fixture.repository.manifest(of: Fixture.id(number))
        }
    }

    private func checkDiff(
        _ parent: Int?, _ number: Int, _ old: TestImage, _ image: TestImage, _ fixture: Fixture, _ seed: UInt64
    ) throws {
        let truth = image.changed(from: parent == nil ? TestImage(size: image.size) : old)
        for (from, to) in [(parent, number)] + (parent.map { [(Optional(number), $0)] } ?? []) {
            let diff = try fixture.repository.diff(from: from.map(Fixture.id), to: Fixture.id(to))
            let ranges = try diff.ranges()
            let found = Set(ranges.flatMap { $0.start.number..<$0.end.number })
            #expect(found.isSuperset(of: truth), "seed \(seed)")
            #expect(found.subtracting(truth).count <= 700, "seed \(seed): only what was written again")
            var stepped: Set<Int> = []
            var block = BlockIndex(0)
            while let run = try diff.nextChange(from: block) {
                stepped.formUnion(run.start.number..<run.end.number)
                block = run.end
            }
            #expect(stepped == found, "seed \(seed)")
            let confirmed = try ranges.flatMap { try diff.confirmed($0) }
            #expect(Set(confirmed.flatMap { $0.start.number..<$0.end.number }) == truth, "seed \(seed)")
        }
    }
}
