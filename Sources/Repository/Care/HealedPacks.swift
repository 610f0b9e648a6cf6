internal import Blocks
internal import ObjectStore

/// The packs that healing a snapshot adds to it: frames in some, nodes in others, as an upload does; encrypted as its
/// others are.
struct HealedPacks {
    private let snapshot: SnapshotID
    private let access: PackAccess
    private let coder = FrameCoder()
    private var nextNumber: Int
    private var data: PackBuilder?
    private var nodes: PackBuilder?
    private var sealed: [SealedPack] = []
    /// The sizes of the packs that were put.
    private(set) var sizes: [PackName: Int] = [:]

    /// - Parameter access: the way to the snapshot, with its key if it is encrypted.
    init(_ snapshot: SnapshotID, after last: Int, _ access: PackAccess) {
        self.snapshot = snapshot
        self.access = access
        nextNumber = last + 1
    }

    /// Adds a frame or a node. The pointer is valid at once; the pack behind it once it was put.
    mutating func append(_ plain: [UInt8], _ what: PackFooter.What) throws(RepositoryFailure) -> FramePointer {
        var stored: [UInt8] = []
        let codec = plain.readBytes { coder.encode($0, onto: &stored) }
        // The table of packs is in the clear whatever the snapshot is.
        let way = if case .table = what { access.opened(with: nil) } else { access }
        let frame = EncodedFrame(
            place: 0..<stored.count, plainLength: plain.count, codec: way.codec(codec), digest: way.digest(of: plain),
            what: what)
        let isData = if case .data = what { true } else { false }
        let name = PackName(snapshot, nextNumber)
        let pointer = stored.readBytes { bytes in
            isData ? add(frame, bytes, to: &data, name) : add(frame, bytes, to: &nodes, name)
        }
        nextNumber = max(nextNumber, pointer.pack.number + 1)
        // Both kinds: what has grown past the longest pack that a reader believes in could never be read again.
        if data?.isFull == true { try putData() }
        if nodes?.isFull == true { try putNodes() }
        return pointer
    }

    private func add(
        _ frame: EncodedFrame, _ stored: RawSpan, to open: inout PackBuilder?, _ name: PackName
    ) -> FramePointer {
        var builder = open ?? PackBuilder(name: name, capacity: 0, isSealed: access.cipher != nil)
        defer { open = builder }
        return builder.append(frame, stored: stored)
    }

    private mutating func putData() throws(RepositoryFailure) {
        guard var full = data else { return }
        data = nil
        try put(full.sealed())
    }

    /// Seals what is open and puts it.
    mutating func put() throws(RepositoryFailure) {
        try putData()
        try putNodes()
    }

    private mutating func putNodes() throws(RepositoryFailure) {
        guard var full = nodes else { return }
        nodes = nil
        try put(full.sealed())
    }

    private mutating func put(_ sealed: SealedPack) throws(RepositoryFailure) {
        var pack = sealed
        access.cipher?.seal(&pack)
        let key = access.keys.pack(pack.footer.name)
        guard try access.putOnce(pack.bytes, at: key) else {
            throw .corrupt(object: key, blocks: nil, reason: "another upload put a pack of this number")
        }
        sizes[pack.footer.name] = pack.bytes.count
    }
}
