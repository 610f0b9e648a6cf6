internal import Blocks
internal import FoundationEssentials

// The cold records as JSON: manifest, upload pin, repository.json, reclaim's candidates. Off every data path.
// Field names are those of docs/formats.md, "Records"; times are milliseconds since 1970.

enum RecordJSON {
    static func encode(_ value: some Encodable) -> [UInt8] { SealedText.sealed(json(value)) }

    private static func json(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { preconditionFailure("records are always encodable") }
        return [UInt8](data)
    }

    static func encode(_ value: some Encodable, sealedBy cipher: SnapshotCipher) -> [UInt8] {
        SealedText.sealed(json(value), by: cipher)
    }

    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws(FormatFailure) -> T {
        try decode(type, json: try SealedText.opened(bytes))
    }

    static func decode<T: Decodable>(_ type: T.Type, json: [UInt8]) throws(FormatFailure) -> T {
        do { return try JSONDecoder().decode(type, from: Data(json)) } catch {
            throw FormatFailure("is not the JSON it should be")
        }
    }
}

/// `repository.json`.
struct RepositoryRecord: Codable, Equatable {
    static let format = "varve-repository"
    static let version = 1

    var format = RepositoryRecord.format
    var version = RepositoryRecord.version
    var id: String
    var created: Int64
    /// "none": a store is not encrypted as a whole, its snapshots may be, each lineage with a key of its own.
    var crypto = "none"
}

/// What can be read of any version's `repository.json`.
struct RepositoryVersion: Decodable {
    var format: String
    var version: Int
}

/// `reclaim/candidates`: the packs that a first pass found unneeded.
struct CandidatesRecord: Codable, Equatable {
    /// The store's time of the pass, milliseconds since 1970.
    var time: Int64
    /// Keys of packs, and since when each has been unneeded, by the store's clock.
    var packs: [String: Int64]
}

private struct PointerRecord: Codable {
    var snapshot: String
    var pack: Int
    var offset: Int
    var stored: Int
    var plain: Int
    var codec: String
    var sha256: String?
    var hmac: String?

    private static let words: [FrameCodec: String] = [
        .raw: "raw", .zstd: "zstd", .sealedRaw: "sealed-raw", .sealedZstd: "sealed-zstd",
    ]

    init(_ pointer: FramePointer) {
        snapshot = pointer.pack.snapshot.text
        pack = pointer.pack.number
        offset = pointer.offset
        stored = pointer.storedLength
        plain = pointer.plainLength
        codec = PointerRecord.words[pointer.codec] ?? ""
        sha256 = pointer.codec.isSealed ? nil : pointer.digest.description
        hmac = pointer.codec.isSealed ? pointer.digest.description : nil
    }

    func pointer() throws(FormatFailure) -> FramePointer {
        let found = PointerRecord.words.first { $0.value == codec }?.key
        guard let id = SnapshotID(snapshot), pack > 0, let found,
            let digest = (found.isSealed ? hmac : sha256).flatMap({ Hexadecimal.bytes(of: $0) }).flatMap({ Digest($0) }
            ),
            (0...Limits.packBytesMax).contains(offset), (1...Limits.packBytesMax).contains(stored),
            (1...Limits.nodeBytesMax).contains(plain), found.fits(stored: stored, plain: plain)
        else { throw FormatFailure("has a pointer that makes no sense") }
        return FramePointer(
            pack: PackName(id, pack), offset: offset, storedLength: stored, plainLength: plain,
            codec: found, digest: digest)
    }
}

private struct ManifestRecord: Codable {
    var version: Int
    var snapshot: String
    var volume: String
    var parent: String?
    var name: String
    var description: String
    var tags: [String: String]
    var created: Int64
    var completed: Int64
    var size: Int
    var fullBytes: Int
    var changedBytes: Int
    var storedBytes: Int
    var root: PointerRecord?
    var packs: PointerRecord?
    var tool: String
    var dataKey: String?
}

extension Manifest {
    /// The version of a manifest whose snapshot is encrypted: to be refused by those who know only of version 1.
    private static let sealedVersion = 2

    /// The bytes of the object `snapshots/<id>`. `cipher`: that of the plan's data key.
    func encoded(_ cipher: SnapshotCipher? = nil) -> [UInt8] {
        precondition(cipher?.id == plan.dataKey, "a manifest is authenticated by its own data key")
        guard let cipher else { return RecordJSON.encode(record(version: RepositoryRecord.version)) }
        return RecordJSON.encode(record(version: Manifest.sealedVersion), sealedBy: cipher)
    }

    private func record(version: Int) -> ManifestRecord {
        ManifestRecord(
            version: version, snapshot: plan.id.text, volume: plan.volume,
            parent: plan.parent?.text, name: plan.name, description: plan.description, tags: plan.tags,
            created: plan.created.milliseconds, completed: completed.milliseconds, size: size.bytes,
            fullBytes: fullBytes.bytes, changedBytes: changedBytes.bytes, storedBytes: storedBytes.bytes,
            root: root.map(PointerRecord.init), packs: packs.map(PointerRecord.init), tool: tool,
            dataKey: plan.dataKey?.text)
    }

    init(decoding bytes: [UInt8]) throws(FormatFailure) {
        let (json, seal) = try SealedText.openedWithSeal(bytes)
        let record = try RecordJSON.decode(ManifestRecord.self, json: json)
        guard record.version == RepositoryRecord.version || record.version == Manifest.sealedVersion else {
            throw FormatFailure("has format version \(record.version)")
        }
        let isSealed = record.version == Manifest.sealedVersion
        let dataKey = record.dataKey.flatMap { DataKeyID($0) }
        guard (seal != nil) == isSealed, (record.dataKey != nil) == isSealed, (dataKey != nil) == isSealed else {
            throw FormatFailure("is encrypted and is not")
        }
        guard let id = SnapshotID(record.snapshot), record.parent.map({ SnapshotID($0) != nil }) ?? true,
            (0...Limits.sizeMax).contains(record.size), record.size % Sector.size.bytes == 0,
            [record.fullBytes, record.changedBytes, record.storedBytes].allSatisfy({
                (0...Limits.countedMax).contains($0)
            }),
            [record.created, record.completed].allSatisfy({ WallTime(milliseconds: $0).isReadable })
        else { throw FormatFailure("has values that make no sense") }
        plan = SnapshotPlan(
            id: id, volume: record.volume, parent: record.parent.flatMap { SnapshotID($0) },
            created: WallTime(milliseconds: record.created), name: record.name, description: record.description,
            tags: record.tags, dataKey: dataKey)
        self.seal = seal
        size = ByteCount(record.size)
        completed = WallTime(milliseconds: record.completed)
        fullBytes = ByteCount(record.fullBytes)
        changedBytes = ByteCount(record.changedBytes)
        storedBytes = ByteCount(record.storedBytes)
        var root: FramePointer?
        if let pointer = record.root { root = try pointer.pointer() }
        var packs: FramePointer?
        if let pointer = record.packs { packs = try pointer.pointer() }
        guard (root == nil) == (packs == nil) else { throw FormatFailure("has a root without packs, or packs alone") }
        guard root?.codec.isSealed ?? isSealed == isSealed, packs?.codec.isSealed != true else {
            throw FormatFailure("has pointers to what its snapshot cannot hold")
        }
        self.root = root
        self.packs = packs
        tool = record.tool
    }
}

private struct PinRecord: Codable {
    var version: Int
    var snapshot: String
    var parent: String?
    var volume: String
    var started: Int64
}

extension UploadPin {
    /// The bytes of the object `uploads/<id>`.
    func encoded() -> [UInt8] {
        RecordJSON.encode(
            PinRecord(
                version: RepositoryRecord.version, snapshot: snapshot.text, parent: parent?.text, volume: volume,
                started: started.milliseconds))
    }

    init(decoding bytes: [UInt8]) throws(FormatFailure) {
        let record = try RecordJSON.decode(PinRecord.self, bytes)
        guard let id = SnapshotID(record.snapshot), record.parent.map({ SnapshotID($0) != nil }) ?? true,
            WallTime(milliseconds: record.started).isReadable
        else { throw FormatFailure("has values that make no sense") }
        snapshot = id
        parent = record.parent.flatMap { SnapshotID($0) }
        volume = record.volume
        started = WallTime(milliseconds: record.started)
    }
}
