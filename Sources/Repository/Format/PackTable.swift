/// The packs that a snapshot needs: how many of each one's bytes are live, and how many it has.
///
/// ```
/// table = "VPT1" count { snapshot-id count { number-gap live size } }
/// ```
/// Sorted by name, then number. It leaves out its own frame: the manifest's pointer to it keeps that pack.
/// See docs/formats.md, "Pack table".
struct PackTable: Equatable {
    struct Entry: Equatable {
        /// Stored bytes of the frames and nodes that the snapshot's tree refers to.
        var live: Int
        /// The pack's length.
        var size: Int
    }
    var packs: [PackName: Entry] = [:]

    init() {}

    private static let magic = Array("VPT1".utf8)

    func encoded() -> [UInt8] {
        var writer = ByteWriter(PackTable.magic)
        let bySnapshot = Dictionary(grouping: packs.keys, by: \.snapshot)
        writer.number(bySnapshot.count)
        for (snapshot, names) in bySnapshot.sorted(by: { $0.key < $1.key }) {
            writer.snapshotID(snapshot)
            writer.number(names.count)
            var last = 0
            for name in names.sorted() {
                guard let entry = packs[name] else { continue }
                writer.number(name.number - last)
                writer.number(entry.live)
                writer.number(entry.size)
                last = name.number
            }
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(FormatFailure) {
        var reader = ByteReader(bytes)
        try reader.expect(PackTable.magic)
        for _ in 0..<(try reader.count(each: 3, limit: .max, "snapshots")) {
            let snapshot = try reader.snapshotID()
            var last = 0
            for _ in 0..<(try reader.count(each: 3, limit: .max, "packs")) {
                let (number, overflow) = last.addingReportingOverflow(
                    try reader.number(in: 1...Int.max, "a pack number"))
                if overflow { throw FormatFailure("a pack number is too large") }
                let live = try reader.number(in: 1...Limits.packBytesMax, "live bytes")
                packs[PackName(snapshot, number)] = Entry(
                    live: live, size: try reader.number(in: live...Limits.packBytesMax, "a pack's size"))
                last = number
            }
        }
        try reader.expectEnd()
    }
}
