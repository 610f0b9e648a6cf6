/// The packs that a node points to, each named once: pointers then carry an index.
///
/// ```
/// names    = count { snapshot-id } , count { snapshot-index pack-number }
/// pointer  = pack-index offset stored-length plain-length codec digest
/// ```
/// Numbers are LEB128. See docs/formats.md, "Pack names and pointers".
struct PackNames {
    private(set) var packs: [PackName] = []
    private var indexes: [PackName: Int] = [:]

    init() {}

    /// The index of `pack`, which joins the list if it is not in it.
    mutating func index(of pack: PackName) -> Int {
        if let known = indexes[pack] { return known }
        packs.append(pack)
        indexes[pack] = packs.count - 1
        return packs.count - 1
    }

    func write(to writer: inout ByteWriter) {
        var snapshots: [SnapshotID] = []
        var known: [SnapshotID: Int] = [:]
        for pack in packs where known[pack.snapshot] == nil {
            known[pack.snapshot] = snapshots.count
            snapshots.append(pack.snapshot)
        }
        writer.number(snapshots.count)
        for snapshot in snapshots { writer.snapshotID(snapshot) }
        writer.number(packs.count)
        for pack in packs {
            writer.number(known[pack.snapshot] ?? 0)
            writer.number(pack.number)
        }
    }

    init(from reader: inout ByteReader) throws(FormatFailure) {
        var snapshots: [SnapshotID] = []
        for _ in 0..<(try reader.count(each: 2, limit: .max, "snapshots")) {
            snapshots.append(try reader.snapshotID())
        }
        for _ in 0..<(try reader.count(each: 2, limit: .max, "packs")) {
            let index = try reader.number()
            guard index < snapshots.count else { throw FormatFailure("a pack of no snapshot") }
            packs.append(PackName(snapshots[index], try reader.number(in: 1...Int.max, "a pack number")))
        }
    }

    /// Writes a pointer; its pack must have an index already or gets one (then the names must be written later).
    mutating func write(_ pointer: FramePointer, to writer: inout ByteWriter) {
        writer.number(index(of: pointer.pack))
        writer.number(pointer.offset)
        writer.number(pointer.storedLength)
        writer.number(pointer.plainLength)
        writer.byte(pointer.codec.rawValue)
        writer.digest(pointer.digest)
    }

    /// The fewest bytes that a pointer takes.
    static let pointerBytesMin = 5 + Digest.byteCount

    func pointer(from reader: inout ByteReader, plainMax: Int) throws(FormatFailure) -> FramePointer {
        let index = try reader.number()
        guard index < packs.count else { throw FormatFailure("a pointer to no pack") }
        let offset = try reader.number(in: 0...Limits.packBytesMax, "an offset")
        let stored = try reader.number(in: 1...Limits.packBytesMax, "a stored length")
        let plain = try reader.number(in: 1...plainMax, "a plain length")
        guard let codec = FrameCodec(rawValue: try reader.byte()) else { throw FormatFailure("an unknown codec") }
        guard codec.fits(stored: stored, plain: plain) else { throw FormatFailure("a frame of impossible lengths") }
        return FramePointer(
            pack: packs[index], offset: offset, storedLength: stored, plainLength: plain, codec: codec,
            digest: try reader.digest())
    }
}
