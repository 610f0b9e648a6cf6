public import Blocks
internal import Repository

/// A snapshot that is to be written piece by piece, without a volume.
public struct BeginSnapshot: Sendable {
    /// The disk's size.
    public var size: ByteCount
    /// The account's completed snapshot that has what is not written; nil: zeros.
    public var parent: String?
    /// At most 1024 printable characters, or nil.
    public var description: String?
    /// Tags by key.
    public var tags: [String: String] = [:]
    /// Without a parent: what it is to be encrypted with, if not as the account settled. With one it is encrypted as that is.
    public var encryption: VolumeEncryption?
    /// So many minutes after the last piece it is given up, unless it was finished.
    public var timeoutMinutes = 60
    /// So that it is begun once, however often it is asked for; nil: each request begins one.
    public var token: RequestToken?

    /// Makes a request.
    public init(size: ByteCount) { self.size = size }
}

/// A piece to be written, and its hash.
public struct NewPiece: Sendable {
    let bytes: [UInt8]
    let digest: Digest

    /// Hashes it; nil unless it has the size of a piece.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == SnapshotPiece.size.bytes else { return nil }
        self.bytes = bytes
        digest = Digest(of: bytes)
    }

    /// Its SHA-256 in hexadecimal digits.
    public var hash: String { digest.description }
}

/// Why a snapshot that was written came to nothing, as its `reason` says.
public enum WritingFault: String, Sendable, CaseIterable {
    /// Its pieces' hashes are not those that its owner summed up.
    case checksum = "Checksum mismatch for snapshot"
    /// There are more or fewer pieces than its owner said.
    case count = "Changed blocks count mismatch for snapshot"
    /// What is on the disk is not what was written.
    case torn = "A block was not kept as it was written"
    /// Nobody wrote to it or finished it in time.
    case timeout = "Snapshot timed out before it was completed"
}
