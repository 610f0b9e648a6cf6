internal import Blocks

/// Is a directory still the one that was opened, and not what is left of it while its file system is not mounted?
///
/// It is as long as it has the same inode on the same device. A file system that was mounted again may be another device:
/// then it is the same if it has an object that was seen there before. Without this, objects put while it is away would go to
/// the disk below, and be called stored; and what it holds would be called missing.
final class StorePlace: Sendable {
    private struct Identity: Equatable {
        var device: UInt64
        var inode: UInt64
    }
    private struct State {
        var identity: Identity?
        /// An object at the top that was seen: a repository has one from the beginning.
        var anchor: String?
    }
    private let root: String
    private let disk: any Disk
    private let state = Guarded(State())

    init(_ root: String, on disk: any Disk) {
        self.root = root
        self.disk = disk
    }

    /// An object was found or put.
    func note(_ key: String) {
        guard !key.contains("/") else { return }
        state.withLock { state in if state.anchor == nil { state.anchor = key } }
    }

    /// - Returns: has the file system been mounted anew?
    /// - Throws: ``StoreFailure/permanent(_:)`` if the directory is another one, or gone: trying again at once is no use, and
    ///   who waits for a store comes back anyway.
    func check() throws(StoreFailure) -> Bool {
        let (known, anchor) = state.withLock { ($0.identity, $0.anchor) }
        guard let facts = try facts(root), facts.isDirectory else {
            throw .permanent("the store's directory \(root) is not there: is it mounted?")
        }
        let identity = Identity(device: facts.device, inode: facts.inode)
        if identity == known { return false }
        if known != nil, let anchor, try self.facts(root + "/" + anchor) == nil {
            throw .permanent("the store's directory \(root) does not hold \(anchor) any more: is it mounted?")
        }
        state.withLock { $0.identity = identity }
        return known != nil
    }

    private func facts(_ path: String) throws(StoreFailure) -> FileFacts? {
        do { return try disk.facts(path) } catch {
            throw .transient("\(error)")
        }
    }
}
