internal import Blocks
internal import FoundationEssentials

// The cold records as JSON: manifest, upload pin, repository.json, reclaim's candidates. Off every data path.
// Field names are those of docs/formats.md, "Records"; times are milliseconds since 1970.

enum RecordJSON {
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { preconditionFailure("records are always encodable") }
        return SealedText.sealed([UInt8](data))
    }

    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws(FormatFailure) -> T {
        let json = try SealedText.opened(bytes)
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
    /// "none"; what else it may say belongs to a later version.
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
    var sha256: String

    init(_ pointer: FramePointer) {
        snapshot = pointer.pack.snapshot.text
        pack = pointer.pack.number
        offset = pointer.offset
        stored = pointer.storedLength
        plain = pointer.plainLength
        codec = pointer.codec == .raw ? "raw" : "zstd"
        sha256 = pointer.digest.description
    }

    func pointer() throws(FormatFailure) -> FramePointer {
        guard let id = SnapshotID(snapshot), pack > 0,
            let digest = Hexadecimal.bytes(of: sha256).flatMap({ Digest($0) }),
            (0...Limits.packBytesMax).contains(offset), (1...Limits.packBytesMax).contains(stored),
            (1...Limits.nodeBytesMax).contains(plain), codec == "zstd" || (codec == "raw" && stored == plain)
        else { throw FormatFailure("has a pointer that makes no sense") }
        return FramePointer(
            pack: PackName(id, pack), offset: offset, storedLength: stored, plainLength: plain,
            codec: codec == "raw" ? .raw : .zstd, digest: digest)
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
}

extension Manifest {
    /// The bytes of the object `snapshots/<id>`.
    func encoded() -> [UInt8] {
        RecordJSON.encode(
            ManifestRecord(
                version: RepositoryRecord.version, snapshot: plan.id.text, volume: plan.volume,
                parent: plan.parent?.text, name: plan.name, description: plan.description, tags: plan.tags,
                created: plan.created.milliseconds, completed: completed.milliseconds, size: size.bytes,
                fullBytes: fullBytes.bytes, changedBytes: changedBytes.bytes, storedBytes: storedBytes.bytes,
                root: root.map(PointerRecord.init), packs: packs.map(PointerRecord.init), tool: tool))
    }

    init(decoding bytes: [UInt8]) throws(FormatFailure) {
        let record = try RecordJSON.decode(ManifestRecord.self, bytes)
        guard record.version == RepositoryRecord.version else {
            throw FormatFailure("has format version \(record.version)")
        }
        guard let id = SnapshotID(record.snapshot), record.parent.map({ SnapshotID($0) != nil }) ?? true,
            (0...Limits.volumeBytesMax).contains(record.size), record.size % Sector.size.bytes == 0,
            record.fullBytes >= 0, record.changedBytes >= 0, record.storedBytes >= 0
        else { throw FormatFailure("has values that make no sense") }
        plan = SnapshotPlan(
            id: id, volume: record.volume, parent: record.parent.flatMap { SnapshotID($0) },
            created: WallTime(milliseconds: record.created), name: record.name, description: record.description,
            tags: record.tags)
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
        guard let id = SnapshotID(record.snapshot), record.parent.map({ SnapshotID($0) != nil }) ?? true else {
            throw FormatFailure("has values that make no sense")
        }
        snapshot = id
        parent = record.parent.flatMap { SnapshotID($0) }
        volume = record.volume
        started = WallTime(milliseconds: record.started)
    }
}
