internal import Blocks
internal import ObjectStore
@testable internal import Repository

extension FuzzTarget {
    static let packs = FuzzTarget("packs", bytesMax: 16_384, seeds: PacksTarget.seeds, PacksTarget.run)
}

/// A whole pack in a store: a footer as it is, whose trailer is made right, after frames of the length it wants; or,
/// for the first byte 0, every byte as it is. Read like a resuming upload and a verifier read it.
enum PacksTarget {
    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let isRaw = input.byte() == 0
        let pack: [UInt8]
        var name = RepositorySamples.pack(1)
        if isRaw {
            pack = input.rest()
        } else {
            let footer = input.piece()
            let frames = input.rest()
            let length = min(PackShape.framesLength(in: footer) ?? frames.count, 1 << 20)
            var made = PackFooter.header
            made += frames.prefix(length)
            made += [UInt8](repeating: 0, count: max(0, length - frames.count))
            made += sealed(footer)
            pack = made
            if let found = named(footer) { name = found }
        }
        try read(pack, name, mustBeWhole: false)
    }

    private static func named(_ footer: [UInt8]) -> PackName? {
        var reader = ByteReader(Array(footer.dropFirst(4)))
        do throws(FormatFailure) {
            let snapshot = try reader.snapshotID()
            return PackName(snapshot, try reader.number(in: 1...Int.max, "a pack number"))
        } catch { return nil }
    }

    /// A footer with its trailer.
    private static func sealed(_ footer: [UInt8]) -> [UInt8] {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: footer.count >> ($0 * 8)) }
        return footer + length + Digest(of: footer).bytes + Array("VARVEND1".utf8)
    }

    /// Reads every frame. Then gives each its right digest and expects all of them to be read.
    private static func read(_ pack: [UInt8], _ name: PackName, mustBeWhole: Bool) throws {
        let keys = Keys(prefix: "")
        let store = MemoryStore()
        try pack.readBytes { (bytes) throws(StoreFailure) in try store.put(bytes, at: keys.pack(name)) }
        let access = PackAccess(store: store, keys: keys, frameCache: 1 << 20)
        var footer: PackFooter
        do { footer = try access.footer(of: name) } catch {
            return try demand(!mustBeWhole, "a pack that was put right is read: \(error)")
        }
        try demand(footer.name == name, "a footer is that of its pack")
        var plainTotal = 0
        for index in footer.entries.indices {
            let entry = footer.entries[index]
            try demand(entry.offset + entry.storedLength <= pack.count, "a frame lies in its pack")
            plainTotal += entry.plainLength
            // A thousand frames of 64 MiB each from a few bytes: possible, slow, and nothing new.
            if plainTotal > 16 << 20 { return }
            do {
                let plain = try access.plain(of: footer.pointer(entry), blocks: nil)
                try demand(plain.count == entry.plainLength, "a frame is as long as it says")
            } catch let failure as RepositoryFailure {
                try demand(!mustBeWhole, "a frame that was put right is read: \(failure)")
            }
            let stored = Array(pack[entry.offset..<entry.offset + entry.storedLength])
            let plain = stored.readBytes(0..<stored.count) { span in
                access.coders.withCoder { $0.decode(span, entry.codec, plainLength: entry.plainLength) }
            }
            guard let plain else { return }
            footer.entries[index].digest = Digest(of: plain)
        }
        guard !mustBeWhole else { return }
        let frames = pack.prefix(footer.entries.last.map { $0.offset + $0.storedLength } ?? PackFooter.header.count)
        try read(Array(frames) + footer.encoded(), name, mustBeWhole: true)
    }

    static func seeds() -> [[UInt8]] {
        var raw = SeedBuilder(0)
        let block = [UInt8](repeating: 7, count: 4096)
        var small = PackFooter(name: RepositorySamples.pack(1))
        var stored: [UInt8] = []
        let codec = block.readBytes(0..<block.count) { FrameCoder().encode($0, onto: &stored) }
        small.entries = [
            .init(
                offset: 8, storedLength: stored.count, plainLength: 4096, codec: codec, digest: Digest(of: block),
                what: .data(leaf: 1, blocks: [BlockRange(at: 2050, count: 1)]))
        ]
        raw.add(rest: PackFooter.header + stored + small.encoded())
        var mended = SeedBuilder(1)
        mended.add(piece: Array(small.encoded().dropLast(PackFooter.trailerBytes)))
        mended.add(rest: stored)
        var several = SeedBuilder(1)
        several.add(piece: Array(RepositorySamples.footer.encoded().dropLast(PackFooter.trailerBytes)))
        return [raw.bytes, mended.bytes, several.bytes]
    }
}
