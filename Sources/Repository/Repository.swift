public import Blocks
internal import ObjectStore

/// The snapshots of a region, in an object store: packs, nodes, manifests. See docs/formats.md.
///
/// All calls block on the store: call from an ``OSThread``, never from a task. Thread-safe. Several processes may use
/// one store; the store's conditional put keeps commits apart.
public final class Repository: Sendable {
    /// What distinguishes this repository from any other.
    public let id: String
    let store: any ObjectStore
    let options: RepositoryOptions

    let keys: Keys
    /// The way to what is in the clear; see ``access(for:)``.
    let access: PackAccess
    let vault: KeyVault

    init(id: String, store: any ObjectStore, options: RepositoryOptions) {
        self.id = id
        self.store = store
        self.options = options
        keys = Keys(prefix: options.prefix)
        access = PackAccess(store: store, keys: keys, frameCache: options.frameCache.bytes)
        vault = KeyVault(access: access, keys: keys, keyring: options.keyring)
    }

    // MARK: Writing and reading

    /// A writer for a new snapshot, or for one whose upload was interrupted. Nothing happens until its `run()`.
    ///
    /// - Throws: ``RepositoryFailure/invalid(_:)`` for a size that no snapshot can have, or a plan that makes no sense;
    ///   ``RepositoryFailure/keyMissing(_:wrappedBy:)`` if it is to be encrypted and the key is not here.
    public func writer(
        _ plan: SnapshotPlan, content: any SnapshotContent, options: UploadOptions = UploadOptions()
    ) throws(RepositoryFailure) -> SnapshotWriter {
        guard content.size.bytes > 0, content.size.isMultiple(of: Sector.size),
            content.size.bytes <= Limits.sizeMax
        else { throw .invalid("a snapshot cannot have \(content.size.bytes) bytes") }
        guard plan.parent != plan.id else { throw .invalid("the snapshot \(plan.id) cannot be its own parent") }
        var access = access
        if let key = plan.dataKey { access = access.opened(with: try vault.cipher(key)) }
        return SnapshotWriter(self, plan, content, options, access)
    }

    /// Opens a committed snapshot for reading.
    public func reader(of snapshot: SnapshotID) throws(RepositoryFailure) -> SnapshotReader {
        let manifest = try manifest(of: snapshot)
        return SnapshotReader(manifest: manifest, access: try access(for: manifest))
    }

    /// What is stored about a committed snapshot.
    public func manifest(of snapshot: SnapshotID) throws(RepositoryFailure) -> Manifest {
        guard let manifest = try findManifest(snapshot, alsoTrashed: false) else { throw .missing(snapshot) }
        return manifest
    }

    /// What changed from `old` (nil: from nothing, so everything stored) to `new`.
    public func diff(
        from old: SnapshotID?, to new: SnapshotID
    ) throws(RepositoryFailure) -> SnapshotDiff {
        let after = try reader(of: new)
        return SnapshotDiff(from: try old.map { id throws(RepositoryFailure) in try reader(of: id) }, to: after)
    }

    // MARK: Records

    /// The manifest of a snapshot, nil if there is none. Among the trash it is looked for first where it goes last.
    func findManifest(_ id: SnapshotID, alsoTrashed: Bool) throws(RepositoryFailure) -> Manifest? {
        if let bytes = try access.object(keys.manifest(id)) { return try decodeManifest(bytes, id) }
        guard alsoTrashed, let bytes = try access.object(keys.trashed(id)) else { return nil }
        return try decodeManifest(bytes, id, key: keys.trashed(id))
    }

    func decodeManifest(
        _ bytes: [UInt8], _ id: SnapshotID, key: String? = nil
    ) throws(RepositoryFailure) -> Manifest {
        do throws(FormatFailure) {
            let manifest = try Manifest(decoding: bytes)
            guard manifest.plan.id == id else { throw FormatFailure("is that of \(manifest.plan.id)") }
            return manifest
        } catch {
            throw .corrupt(object: key ?? keys.manifest(id), blocks: nil, reason: "the manifest \(error.reason)")
        }
    }

    func decodePin(_ bytes: [UInt8], _ id: SnapshotID) throws(RepositoryFailure) -> UploadPin {
        do throws(FormatFailure) {
            let pin = try UploadPin(decoding: bytes)
            guard pin.snapshot == id else { throw FormatFailure("is that of \(pin.snapshot)") }
            return pin
        } catch { throw .corrupt(object: keys.upload(id), blocks: nil, reason: "the record \(error.reason)") }
    }
}

/// How a repository is used by this process.
public struct RepositoryOptions: Sendable {
    /// Put before every key; empty or ending in `/`.
    public var prefix: String
    /// Bytes of decoded frames kept in memory, shared by all readers.
    public var frameCache: ByteCount
    /// The clock.
    public var clock: any HouseClock
    /// Recorded in manifests.
    public var tool: String
    /// The wrapping keys at hand.
    public var keyring: Keyring

    /// The defaults: no prefix, 64 MiB of cache, the machine's clock.
    public init(
        prefix: String = "", frameCache: ByteCount = .mebibytes(64), clock: any HouseClock = SystemClock(),
        tool: String = "varve", keyring: Keyring = Keyring()
    ) {
        self.prefix = prefix
        self.frameCache = frameCache
        self.clock = clock
        self.tool = tool
        self.keyring = keyring
    }
}
