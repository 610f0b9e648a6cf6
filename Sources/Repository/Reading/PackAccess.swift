internal import Blocks
internal import ObjectStore

/// Reads frames, nodes and footers out of packs. Whatever it returns was checked against its digest.
final class PackAccess: Sendable {
    struct Address: Hashable, Sendable {
        var pack: PackName
        var offset: Int
        /// Part of the address, so that what was checked for one pointer is never served for another.
        var digest: Digest
    }
    enum Node: Sendable {
        case leaf(Leaf)
        case inner(InnerNode)
    }

    let store: any ObjectStore
    let keys: Keys
    let coders: CoderPool
    private let nodes: BoundedCache<Address, Node>
    private let frames: BoundedCache<Address, [UInt8]>
    /// What encrypts the frames and nodes that are reached this way; nil: they are in the clear.
    let cipher: SnapshotCipher?

    init(store: any ObjectStore, keys: Keys, frameCache: Int) {
        self.store = store
        self.keys = keys
        coders = CoderPool()
        frames = BoundedCache(cost: frameCache)
        nodes = BoundedCache(cost: 16 << 20)
        cipher = nil
    }

    private init(_ other: PackAccess, _ cipher: SnapshotCipher?) {
        store = other.store
        keys = other.keys
        coders = other.coders
        frames = other.frames
        nodes = other.nodes
        self.cipher = cipher
    }

    /// The way to what another key protects, or none, in the same store and with the same caches. Those may be shared:
    /// what they hold is asked for by a pointer, and only who has opened a lineage's nodes has its pointers.
    func opened(with cipher: SnapshotCipher?) -> PackAccess { PackAccess(self, cipher) }

    /// The digest of plain bytes as this way's pointers have it.
    func digest(of plain: RawSpan) -> Digest { cipher?.digest(of: plain) ?? Digest(of: plain) }

    /// The same.
    func digest(of plain: [UInt8]) -> Digest { plain.readBytes(0..<plain.count) { digest(of: $0) } }

    /// How a frame that was compressed so, or not, is stored this way.
    func codec(_ codec: FrameCodec) -> FrameCodec { cipher == nil ? codec : codec.sealed }

    // MARK: Frames

    func cachedFrame(_ pointer: FramePointer) -> [UInt8]? { frames.find(Address(pointer)) }

    func keep(_ plain: [UInt8], of pointer: FramePointer) {
        frames.insert(Address(pointer), plain, cost: plain.count + 128)
    }

    /// One frame's plain bytes. `blocks` says in a failure what part of the volume is concerned.
    func plain(of pointer: FramePointer, blocks: BlockRange?) throws(RepositoryFailure) -> [UInt8] {
        let range = ByteRange(at: ByteOffset(pointer.offset), count: ByteCount(pointer.storedLength))
        let stored = try bytes(of: pointer.pack, range, blocks: blocks)
        return try stored.readBytes { (span) throws(RepositoryFailure) in
            try plain(of: pointer, stored: span, blocks: blocks)
        }
    }

    /// The plain bytes of a frame whose stored bytes are at hand.
    func plain(
        of pointer: FramePointer, stored: RawSpan, blocks: BlockRange?
    ) throws(RepositoryFailure) -> [UInt8] {
        guard pointer.codec.isSealed == (cipher != nil) else {
            throw corrupt(pointer, blocks, cipher == nil ? "is encrypted without a key" : "is not encrypted")
        }
        let codec = pointer.codec.opened
        let plain: [UInt8]?
        if let cipher {
            guard let opened = cipher.openFrame(pointer, stored) else {
                throw corrupt(pointer, blocks, "does not match its seal")
            }
            plain = opened.readBytes(0..<opened.count) { content in
                coders.withCoder { $0.decode(content, codec, plainLength: pointer.plainLength) }
            }
        } else {
            plain = coders.withCoder { $0.decode(stored, codec, plainLength: pointer.plainLength) }
        }
        guard let plain else { throw corrupt(pointer, blocks, "does not decode") }
        guard plain.readBytes(0..<plain.count, { digest(of: $0) }) == pointer.digest else {
            throw corrupt(pointer, blocks, "does not match its hash")
        }
        return plain
    }

    /// Part of a pack, as it is.
    func bytes(
        of pack: PackName, _ range: ByteRange, blocks: BlockRange?
    ) throws(RepositoryFailure) -> [UInt8] {
        let key = keys.pack(pack)
        do {
            let bytes = try store.get(key, range: range)
            guard bytes.count == range.count.bytes else {
                throw RepositoryFailure.store(
                    .transient("\(bytes.count) of \(range.count.bytes) bytes came for \(key)"))
            }
            return bytes
        } catch let failure as StoreFailure {
            throw PackAccess.failure(failure, key: key, blocks: blocks)
        } catch let failure as RepositoryFailure {
            throw failure
        } catch {
            throw .invalid("\(error)")
        }
    }

    // MARK: Nodes

    /// The leaf at `pointer`, which must be number `number`.
    func leaf(_ pointer: FramePointer, number: Int) throws(RepositoryFailure) -> Leaf {
        if case .leaf(let leaf) = nodes.find(Address(pointer)), leaf.number == number { return leaf }
        let blocks = TreeShape.blocks(level: 0, number: number)
        let bytes = try plain(of: pointer, blocks: blocks)
        do throws(FormatFailure) {
            let leaf = try Leaf(decoding: bytes)
            guard leaf.number == number else { throw FormatFailure("is leaf \(leaf.number), not \(number)") }
            nodes.insert(Address(pointer), .leaf(leaf), cost: bytes.count * 3 + 256)
            return leaf
        } catch { throw corrupt(pointer, blocks, error.reason) }
    }

    /// The inner node at `pointer`, which must be number `number` of `level`.
    func inner(_ pointer: FramePointer, level: Int, number: Int) throws(RepositoryFailure) -> InnerNode {
        if case .inner(let node) = nodes.find(Address(pointer)), node.level == level, node.number == number {
            return node
        }
        let blocks = TreeShape.blocks(level: level, number: number)
        let bytes = try plain(of: pointer, blocks: blocks)
        do throws(FormatFailure) {
            let node = try InnerNode(decoding: bytes)
            guard node.level == level, node.number == number else {
                throw FormatFailure("is node \(node.number) of level \(node.level), not \(number) of \(level)")
            }
            nodes.insert(Address(pointer), .inner(node), cost: bytes.count * 3 + 256)
            return node
        } catch { throw corrupt(pointer, blocks, error.reason) }
    }

    /// The pack table at `pointer`, which is in the clear whatever the snapshot is.
    func table(_ pointer: FramePointer) throws(RepositoryFailure) -> PackTable {
        let bytes = try opened(with: nil).plain(of: pointer, blocks: nil)
        do { return try PackTable(decoding: bytes) } catch { throw corrupt(pointer, nil, error.reason) }
    }

    // MARK: Footers

    /// A pack's footer. `size` if known saves a request.
    func footer(of pack: PackName, size known: ByteCount? = nil) throws(RepositoryFailure) -> PackFooter {
        guard let footer = try checkedFooter(of: pack, size: known) else {
            throw .corrupt(object: keys.pack(pack), blocks: nil, reason: "its footer is encrypted without a key")
        }
        return footer
    }

    /// A pack's footer; nil if its checksum is right but it cannot be read, because it is sealed and there is no key.
    func checkedFooter(of pack: PackName, size known: ByteCount? = nil) throws(RepositoryFailure) -> PackFooter? {
        let key = keys.pack(pack)
        let size: ByteCount
        if let known { size = known } else { size = try self.size(of: pack) }
        guard size.bytes >= PackFooter.header.count + PackFooter.trailerBytes, size.bytes <= Limits.packBytesMax else {
            throw .corrupt(object: key, blocks: nil, reason: "a pack cannot have \(size.bytes) bytes")
        }
        let tailCount = min(size.bytes, 64 << 10)
        var tail = try bytes(of: pack, last: tailCount, of: size.bytes)
        do {
            let (length, digest, isSealed) = try PackFooter.trailer(Array(tail.suffix(PackFooter.trailerBytes)))
            guard length + PackFooter.trailerBytes <= size.bytes else { throw FormatFailure("its footer is too long") }
            if length + PackFooter.trailerBytes > tail.count {
                tail = try bytes(of: pack, last: length + PackFooter.trailerBytes, of: size.bytes)
            }
            var bytes = Array(tail.dropLast(PackFooter.trailerBytes).suffix(length))
            guard Digest(of: bytes) == digest else { throw FormatFailure("its footer does not match its checksum") }
            if isSealed {
                guard let cipher else { return nil }
                let offset = size.bytes - PackFooter.trailerBytes - length
                guard let opened = bytes.readBytes(0..<length, { cipher.openFooter(of: pack, at: offset, $0) }) else {
                    throw FormatFailure("its footer does not match its seal")
                }
                bytes = opened
            } else if cipher != nil {
                throw FormatFailure("its footer is not encrypted")
            }
            let footer = try PackFooter(decoding: bytes, storedBytes: length, packBytes: size.bytes)
            guard footer.name == pack else { throw FormatFailure("is pack \(footer.name)") }
            return footer
        } catch let failure as FormatFailure {
            throw .corrupt(object: key, blocks: nil, reason: failure.reason)
        } catch let failure as RepositoryFailure {
            throw failure
        } catch { throw .invalid("\(error)") }
    }

    private func size(of pack: PackName) throws(RepositoryFailure) -> ByteCount {
        let key = keys.pack(pack)
        do {
            if let size = try store.size(of: key) { return size }
        } catch { throw .store(error) }
        throw .corrupt(object: key, blocks: nil, reason: "it is missing from the store")
    }

    private func bytes(of pack: PackName, last count: Int, of size: Int) throws(RepositoryFailure) -> [UInt8] {
        try bytes(of: pack, ByteRange(at: ByteOffset(size - count), count: ByteCount(count)), blocks: nil)
    }

    // MARK: Failures

    func corrupt(_ pointer: FramePointer, _ blocks: BlockRange?, _ reason: String) -> RepositoryFailure {
        .corrupt(
            object: keys.pack(pointer.pack), blocks: blocks,
            reason: "the frame at byte \(pointer.offset) \(reason)")
    }

    /// What is missing or too short is damage; everything else is the store's trouble.
    static func failure(_ failure: StoreFailure, key: String, blocks: BlockRange?) -> RepositoryFailure {
        switch failure {
        case .missing: .corrupt(object: key, blocks: blocks, reason: "it is missing from the store")
        case .truncated: .corrupt(object: key, blocks: blocks, reason: "it is shorter than it should be")
        case .transient, .permanent: .store(failure)
        }
    }
}

extension PackAccess.Address {
    init(_ pointer: FramePointer) { self.init(pack: pointer.pack, offset: pointer.offset, digest: pointer.digest) }
}

/// Which blocks a node covers.
enum TreeShape {
    /// Leaves below one node of `level`.
    static func leaves(level: Int) -> Int { 1 << (8 * level) }

    static func blocks(level: Int, number: Int) -> BlockRange {
        let count = leaves(level: level) * Limits.leafBlocks
        return BlockRange(at: BlockIndex(number * count), count: BlockCount(count))
    }
}
