public import Blocks

/// The verbs on volumes. Every error is a ``ServiceError``.
///
/// Methods may be called from any task, at once for different volumes; requests for one volume are put in order.
public struct VolumeService: Sendable {
    let notYet = ServiceError(.unsupported, .volume, "volumes are not served yet")

    /// Makes a volume that is ready to use when the call returns (blocks of a snapshot arrive on demand and in the
    /// background).
    public func create(_ request: CreateVolume) async throws -> VolumeView { throw notYet }

    /// One volume.
    public func show(_ id: String) async throws -> VolumeView { throw notYet }

    /// Every volume, oldest first.
    public func list() async throws -> [VolumeView] { throw notYet }

    /// Gives another name; nil takes the name away.
    public func rename(_ id: String, to name: String?) async throws -> VolumeView { throw notYet }

    /// Grows the volume; shrinking is refused. Works while attached; clients see the new size when they reconnect.
    public func resize(_ id: String, to size: ByteCount) async throws -> VolumeView { throw notYet }

    /// Attaches to this host, if it is not: its NBD export is ready when the call returns.
    public func attach(_ id: String) async throws -> AttachmentView { throw notYet }

    /// Detaches: returns when in-flight I/O is finished and the export is gone. No error if it is not attached.
    public func detach(_ id: String) async throws -> VolumeView { throw notYet }

    /// Sets the content back to a completed snapshot of this volume's lineage. Refused while attached.
    public func rollBack(_ id: String, to snapshot: String) async throws -> VolumeView { throw notYet }

    /// Deletes the volume. Its snapshots stay: while some are pending it is in state `deleting`, and its local files go
    /// when the last of them is uploaded. Refused while attached.
    public func delete(_ id: String) async throws { throw notYet }

    /// Makes a volume in state `creating` that is to be filled, through ``fill(_:at:with:)`` or an attachment, and then
    /// finished. One that is never finished is deleted at the next start.
    public func beginImport(size: ByteCount, name: String?) async throws -> VolumeView { throw notYet }

    /// Writes part of an import. Parts may come in any order; what is never written reads as zeros.
    public func fill(_ id: String, at offset: ByteOffset, with bytes: [UInt8]) async throws { throw notYet }

    /// Makes an import durable and the volume `available`.
    public func finishImport(_ id: String) async throws -> VolumeView { throw notYet }

    /// Deletes an unfinished import.
    public func abandonImport(_ id: String) async throws { throw notYet }
}
