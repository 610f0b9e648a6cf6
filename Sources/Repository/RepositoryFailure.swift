public import Blocks
public import ObjectStore

/// Why the repository could not do what was asked. Sorted by what the caller can do about it.
public enum RepositoryFailure: Error, Equatable, Sendable {
    /// There is no such snapshot (never was, deleted, or not committed yet).
    case missing(SnapshotID)
    /// A snapshot of this name is already committed, with other content.
    case alreadyExists(SnapshotID)
    /// The store holds no repository, or something else; the text says what was found.
    case notARepository(String)
    /// The repository was written by a newer Varve.
    case newerFormat(found: Int, supported: Int)
    /// An object does not match its checksum or makes no sense. `blocks` is the part of the volume it holds, if known.
    case corrupt(object: String, blocks: BlockRange?, reason: String)
    /// The snapshot is encrypted, and none of the wrapping keys that open its data key is here.
    case keyMissing(DataKeyID, wrappedBy: [KeyID])
    /// The object store refused or did not answer.
    case store(StoreFailure)
    /// The volume's content could not be read or its capture not recorded; the snapshot was not committed.
    case content(BlockFailure)
    /// The volume gave the snapshot up; the text says why. It was not committed.
    case broken(String)
    /// The caller cancelled; the snapshot was not committed.
    case cancelled
    /// The parent was deleted and its data may be gone; upload again in full or with another parent.
    case parentGone(SnapshotID)
    /// A value of the caller's makes no sense; the text says which.
    case invalid(String)
}

extension RepositoryFailure: CustomStringConvertible {
    /// One plain sentence.
    public var description: String {
        switch self {
        case .missing(let id): "there is no snapshot \(id) in the repository"
        case .alreadyExists(let id): "the repository already has a snapshot \(id)"
        case .notARepository(let found): "this store holds no Varve repository: \(found)"
        case .newerFormat(let found, let supported):
            "the repository has format version \(found), this Varve reads up to \(supported); use a newer Varve"
        case .corrupt(let object, let blocks, let reason): Self.text(object, blocks, reason)
        case .keyMissing(let dataKey, let keys):
            "the data key \(dataKey) needs the key \(keys.map(\.description).joined(separator: " or ")), which is not "
                + "here: serve with its --key-file or --passphrase-file"
        case .store(let failure): "\(failure)"
        case .content(let failure): "the volume's content could not be read: \(failure)"
        case .broken(let reason): "the volume gave the snapshot up: \(reason)"
        case .cancelled: "the upload was cancelled"
        case .parentGone(let id): "the parent snapshot \(id) is no longer in the repository"
        case .invalid(let reason): reason
        }
    }

    private static func text(_ object: String, _ blocks: BlockRange?, _ reason: String) -> String {
        guard let blocks else { return "\(object) is damaged: \(reason)" }
        let bytes = blocks.bytes
        return "\(object) is damaged: \(reason) (bytes \(bytes.start.bytes) to \(bytes.end.bytes) of the volume)"
    }

    /// The same failure as a data path error, for blocks that start at `block`.
    func blockFailure(at block: BlockIndex) -> BlockFailure {
        switch self {
        case .corrupt(_, let blocks, _): .corrupt(at: max(blocks?.start ?? block, block).offset)
        case .store(.missing), .store(.truncated), .missing, .parentGone: .corrupt(at: block.offset)
        case .content(let failure): failure
        case .store, .broken, .cancelled, .keyMissing: .unavailable
        case .alreadyExists, .notARepository, .newerFormat, .invalid: .unsupported
        }
    }
}
