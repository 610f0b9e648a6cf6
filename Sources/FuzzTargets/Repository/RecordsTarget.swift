internal import Blocks
internal import ObjectStore
@testable internal import Repository

extension FuzzTarget {
    static let records = FuzzTarget("records", bytesMax: 4096, seeds: RecordsTarget.seeds, RecordsTarget.run)
}

/// The small JSON records in the store. The first byte says which, and whether the checksum is made right.
enum RecordsTarget {
    static func run(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { return }
        let text = Array(bytes.dropFirst())
        let object =
            first & 0x80 == 0 && !text.contains(UInt8(ascii: "\n")) ? SealedText.sealed(text) : text
        switch first & 7 {
        case 0: try manifest(object)
        case 1: try pin(object)
        case 2: try repository(object)
        case 3: try candidates(object)
        case 4: try same(object, { (b) throws(FormatFailure) in try DataKeyRecord(decoding: b) }) { $0.encoded() }
        case 5: try same(object, { (b) throws(FormatFailure) in try PassphraseRecord(decoding: b) }) { $0.encoded() }
        default: break
        }
    }

    private static func same<Record: Equatable>(
        _ bytes: [UInt8], _ decode: ([UInt8]) throws(FormatFailure) -> Record, _ encode: (Record) -> [UInt8]
    ) throws {
        let record: Record
        do { record = try decode(bytes) } catch { return }
        guard let again = try? decode(encode(record)) else { throw BrokenProperty(description: "\(record) decodes") }
        try demand(again == record, "\(record) decodes to what was encoded")
    }

    private static func manifest(_ bytes: [UInt8]) throws {
        let manifest: Manifest
        do { manifest = try Manifest(decoding: bytes) } catch { return }
        for time in [manifest.plan.created, manifest.completed] { try checkTime(time) }
        try demand(manifest.size.bytes <= 1 << 46, "a snapshot is no larger than a volume may be")

        // One of an encrypted snapshot is encoded by its key only, and believed with it only.
        guard manifest.plan.dataKey == nil else { return }
        do {
            let again = try Manifest(decoding: manifest.encoded())
            try demand(again == manifest, "a manifest decodes to what was encoded")
        } catch { throw BrokenProperty(description: "an encoded manifest decodes: \(error)") }

        // Two like it beside each other: whoever adds them up must not overflow.
        let repository = try made()
        let store = repository.store
        try put(bytes, repository.keys.manifest(manifest.plan.id), store)
        guard let other = SnapshotID("another-" + manifest.plan.id.text.prefix(40)) else { return }
        var twin = manifest
        twin.plan.id = other
        try put(twin.encoded(), repository.keys.manifest(other), store)
        let inventory = try repository.inventory()
        try demand(inventory.manifests.count == 2, "an inventory lists what can be read")
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.status() }
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.exclusiveBytes() }
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.verify(.listing) }
    }

    private static func pin(_ bytes: [UInt8]) throws {
        let pin: UploadPin
        do { pin = try UploadPin(decoding: bytes) } catch { return }
        do {
            let again = try UploadPin(decoding: pin.encoded())
            try demand(again == pin, "a pin decodes to what was encoded")
        } catch { throw BrokenProperty(description: "an encoded pin decodes: \(error)") }
        try checkTime(pin.started)
        let repository = try made()
        try put(bytes, repository.keys.upload(pin.snapshot), repository.store)
        _ = try repository.inventory()
        ignoringRefusal { () throws(RepositoryFailure) in _ = try repository.reclaim(ReclaimPlan(grace: .zero)) }
    }

    private static func repository(_ bytes: [UInt8]) throws {
        let store = MemoryStore()
        try put(bytes, Keys(prefix: "").repository, store)
        ignoringRefusal { () throws(RepositoryFailure) in _ = try Repository.open(store) }
    }

    private static func candidates(_ bytes: [UInt8]) throws {
        let repository = try made()
        let store = repository.store
        try put(Array("no pack".utf8), repository.keys.pack(RepositorySamples.pack(1)), store)
        try put(bytes, repository.keys.candidates, store)
        for _ in 0..<2 {
            ignoringRefusal { () throws(RepositoryFailure) in
                _ = try repository.reclaim(ReclaimPlan(grace: .seconds(1)))
            }
        }
    }

    /// A time that came from outside can be shown, read back, and subtracted from another.
    private static func checkTime(_ time: WallTime) throws {
        try demand(WallTime(time.description) == time, "the time \(time.milliseconds) is read back from its text")
    }

    private static func made() throws -> Repository { try Repository.openOrCreate(MemoryStore()) }

    private static func put(_ bytes: [UInt8], _ key: String, _ store: any ObjectStore) throws {
        try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
    }

    private static func ignoringRefusal(_ body: () throws(RepositoryFailure) -> Void) {
        do { try body() } catch {}
    }

    static func seeds() throws -> [[UInt8]] {
        func plain(_ sealed: [UInt8]) -> [UInt8] { Array(sealed.prefix { $0 != UInt8(ascii: "\n") }) }
        let time = WallTime(milliseconds: 1_764_000_000_000)
        let plan = SnapshotPlan(
            id: RepositorySamples.snapshot, volume: "vol-1", parent: SnapshotID("snap-0"), created: time, name: "n",
            description: "d", tags: ["group": "g"])
        var manifest = Manifest(
            plan: plan, size: 8192, completed: time, fullBytes: 4096, changedBytes: 4096, storedBytes: 149,
            root: RepositorySamples.pointer(1, blocks: 1), packs: RepositorySamples.pointer(2, blocks: 1), tool: "varve"
        )
        let full = manifest.encoded()
        manifest.root = nil
        manifest.packs = nil
        let pin = UploadPin(snapshot: plan.id, parent: plan.parent, volume: "vol-1", started: time)
        let repository = RecordJSON.encode(RepositoryRecord(id: "repo-1", created: time.milliseconds))
        let candidates = RecordJSON.encode(
            CandidatesRecord(time: time.milliseconds, packs: ["snap-1/00000001": time.milliseconds]))
        var all = [
            [0] + plain(full), [0] + plain(manifest.encoded()), [0x80] + full, [1] + plain(pin.encoded()),
            [2] + plain(repository), [3] + plain(candidates), [0x82] + repository,
        ]
        guard let key = KeyID("01234567-89ab-cdef-0123-456789abcdef"),
            let id = DataKeyID("dk-0123456789abcdef0123456789abcdef")
        else { return all }
        let wrap = DataKeyRecord.Wrap(
            key: key, nonce: [UInt8](repeating: 1, count: 12), wrapped: [UInt8](repeating: 2, count: 48))
        all.append([4] + plain(DataKeyRecord(id: id, created: time.milliseconds, wraps: [wrap]).encoded()))
        let scrypt = Scrypt(salt: [UInt8](repeating: 3, count: 16))
        all.append([5] + plain(PassphraseRecord(id: key, scrypt: scrypt).encoded()))
        // A manifest that is sealed: version 2, a data key, a third line.
        let text = String(decoding: plain(full), as: UTF8.self)
            .replacing("\"version\":1", with: "\"version\":2,\"dataKey\":\"\(id.text)\"")
            .replacing("\"raw\"", with: "\"sealed-raw\"").replacing("sha256", with: "hmac")
        all.append([0x80] + SealedText.sealed(Array(text.utf8)) + Array("hmac \(Digest(of: [1]))\n".utf8))
        return all
    }
}
