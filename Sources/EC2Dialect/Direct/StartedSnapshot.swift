internal import Blocks
internal import ControlPlane
internal import FoundationEssentials

/// What StartSnapshot is asked. Names begin with a capital, which ``DirectRequest/document(_:)`` and the fingerprint see to.
struct StartedSnapshot: Codable {
    struct Tag: Codable {
        var key: String?
        var value: String?
    }

    var volumeSize: Int?
    var parentSnapshotId: String?
    var tags: [Tag]?
    var description: String?
    var clientToken: String?
    var encrypted: Bool?
    var kmsKeyArn: String?
    var timeout: Int?

    /// Equal for equal requests.
    func fingerprint() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// What it answers: every member, those that are absent as null. The same to a request that is repeated, whatever became of
/// the snapshot.
struct StartAnswer: Encodable {
    private let view: SnapshotView
    private let asked: StartedSnapshot

    init(_ view: SnapshotView, _ asked: StartedSnapshot) {
        self.view = view
        self.asked = asked
    }

    private enum Key: String, CodingKey {
        case description, snapshotId, ownerId, status, startTime, volumeSize, blockSize, tags, parentSnapshotId,
            kmsKeyArn
        case sseType
    }

    func encode(to encoder: any Encoder) throws {
        var answer = encoder.container(keyedBy: Key.self)
        try answer.encode(asked.description, forKey: .description)
        try answer.encode(view.id, forKey: .snapshotId)
        try answer.encode(view.ownerId, forKey: .ownerId)
        try answer.encode("pending", forKey: .status)
        try answer.encode(Double(view.createdAt.milliseconds) / 1000, forKey: .startTime)
        try answer.encode(VolumeWords.gibibytes(view.volumeSizeBytes), forKey: .volumeSize)
        try answer.encode(SnapshotPiece.size.bytes, forKey: .blockSize)
        try answer.encode(asked.tags, forKey: .tags)
        try answer.encode(asked.parentSnapshotId, forKey: .parentSnapshotId)
        try answer.encode(view.keyId, forKey: .kmsKeyArn)
        try answer.encode(view.encrypted ? "sse-kms" : "none", forKey: .sseType)
    }
}
