internal import Blocks
internal import Catalog

/// The names in a data directory, and the lock that lets only one process serve it.
///
/// ```
/// <data>/lock               locked while a process serves
/// <data>/catalog.sqlite     records
/// <data>/volumes/<files>/   one directory per volume, the engine's own; named after it, or otherwise after a roll back
/// <data>/store/             the object store, unless another one is given
/// <data>/pieces/<snapshot>  the pieces of a snapshot that is being written, until it is stored
/// <data>/fast/<snapshot>    the local copy of a snapshot that is restored fast
/// <data>/sockets/           NBD sockets
/// <data>/exports/<instance>/<device>.sock   one attached volume each
/// <data>/root-credentials   the administrator's key
/// <data>/sealing-key        what the secrets of other access keys are encrypted with
/// <data>/regions/<name>/    the same for each further region, but for the last two
/// ```
final class DataDirectory: Sendable {
    let path: String
    let disk: any Disk
    /// Locked as long as it is open.
    private let lock = Guarded<(any DiskFile)?>(nil)

    var catalog: String { path + "/catalog.sqlite" }
    var volumes: String { path + "/volumes" }
    var pieces: String { path + "/pieces" }
    var fast: String { path + "/fast" }
    var store: String { path + "/store" }
    var credentials: String { path + "/root-credentials" }
    var sealingKey: String { path + "/sealing-key" }
    func files(of volume: VolumeRecord) -> String { volumes + "/" + volume.files }

    /// Makes what is missing and takes the lock. Blocks.
    ///
    /// - Parameter mustBeNew: refuse a directory that has a catalog already.
    init(_ path: String, on disk: any Disk, mustBeNew: Bool = false) throws {
        guard !path.isEmpty else { throw ServiceError(.invalid, .house, "the data directory's path is empty") }
        self.path = path
        self.disk = disk
        do {
            try disk.makeDirectory(path)
            let file = try disk.open(path + "/lock", .create)
            guard try file.lockExclusively() else {
                throw ServiceError(
                    .inUse, .house, "another server uses the data directory \(path): stop it, or give another directory"
                )
            }
            lock.withLock { $0 = file }
            if mustBeNew, try disk.facts(path + "/catalog.sqlite") != nil {
                throw ServiceError(
                    .wrongState, .house, "the data directory \(path) has a catalog already: give a new directory")
            }
            for name in ["volumes", "sockets", "pieces", "fast"] { try disk.makeDirectory(path + "/" + name) }
            try disk.syncDirectory(path)
        } catch let error as ServiceError {
            throw error
        } catch let failure as DiskFailure {
            throw ServiceError(.unavailable, .house, "the data directory cannot be used: \(failure)", cause: failure)
        } catch {
            throw ServiceError(.unavailable, .house, "the data directory \(path) cannot be locked", cause: error)
        }
    }

    /// Gives the lock back.
    func unlock() {
        lock.withLock { file in
            file?.unlock()
            file = nil
        }
    }
}
