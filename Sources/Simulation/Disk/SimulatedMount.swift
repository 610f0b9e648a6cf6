public import Blocks

/// A ``SimulatedDisk`` as one process sees it. After the next outage every call fails with EIO.
public struct SimulatedMount: Disk {
    private static let missing: Int32 = 2, exists: Int32 = 17, notDirectory: Int32 = 20, isDirectory: Int32 = 21

    let disk: SimulatedDisk
    let life: Int

    private func perform<R: Sendable>(
        _ kind: DiskOperation.Kind, _ action: String, _ path: String,
        _ body: (inout Platter) throws(BlockFailure) -> R
    ) throws(DiskFailure) -> R {
        do {
            return try disk.perform(kind, path, life: life) { (platter, _) throws(BlockFailure) in try body(&platter) }
        } catch {
            throw DiskFailure(errno: error.number, action: action, path: path)
        }
    }

    /// Opens or makes a file; its directory must exist.
    public func open(_ path: String, _ mode: OpenMode) throws(DiskFailure) -> any DiskFile {
        let (file, handle) = try perform(.open, "open", path) { platter throws(BlockFailure) in
            let file = try find(path, mode, &platter)
            return (file, platter.opened(file))
        }
        return SimulatedFile(self, path: path, file: file, handle: handle, isReadOnly: mode == .readOnly)
    }

    private func find(_ path: String, _ mode: OpenMode, _ platter: inout Platter) throws(BlockFailure) -> Int {
        switch platter.names.node(at: path) {
        case .directory: throw .io(errno: Self.isDirectory)
        case .file where mode == .createNew: throw .io(errno: Self.exists)
        case .file(let number): return number
        case nil: break
        }
        guard mode == .create || mode == .createNew, let place = platter.names.place(of: path) else {
            throw .io(errno: Self.missing)
        }
        let number = try platter.makeFile()
        platter.names.change([.init(directory: place.directory, name: place.name, node: .file(number))])
        return number
    }

    /// Makes a directory and those above it.
    public func makeDirectory(_ path: String) throws(DiskFailure) {
        let parts = NameSpace.parts(of: path)
        for count in parts.indices.map({ $0 + 1 }) {
            let part = parts.prefix(count).joined(separator: "/")
            if try facts(part)?.isDirectory == true { continue }
            try perform(.makeDirectory, "make directory", part) { platter throws(BlockFailure) in
                guard let place = platter.names.place(of: part), platter.names.node(at: part) == nil else {
                    throw .io(errno: Self.notDirectory)
                }
                platter.names.makeDirectory(place.name, in: place.directory)
            }
        }
    }

    /// The names, sorted.
    public func list(_ path: String) throws(DiskFailure) -> [String] {
        try perform(.list, "list", path) { platter throws(BlockFailure) in
            platter.names.names(in: try directory(path, platter))
        }
    }

    /// Removes a file's name; open handles keep its content.
    public func remove(_ path: String) throws(DiskFailure) {
        try perform(.remove, "remove", path) { platter throws(BlockFailure) in
            switch platter.names.node(at: path) {
            case nil: return
            case .directory: throw .io(errno: Self.isDirectory)
            case .file: unlink(path, &platter)
            }
        }
    }

    /// Removes what is in a directory call by call, then the directory.
    public func removeTree(_ path: String) throws(DiskFailure) {
        guard let facts = try facts(path) else { return }
        guard facts.isDirectory else { return try remove(path) }
        for name in try list(path) { try removeTree(path + "/" + name) }
        try perform(.removeDirectory, "remove", path) { platter throws(BlockFailure) in unlink(path, &platter) }
    }

    private func unlink(_ path: String, needs: Int? = nil, _ platter: inout Platter) {
        guard let place = platter.names.place(of: path) else { return }
        platter.names.change([.init(directory: place.directory, name: place.name, node: nil)], needs: needs)
        platter.dropForgotten()
    }

    /// One atomic change of two names.
    public func rename(_ path: String, to target: String) throws(DiskFailure) {
        try perform(.rename, "rename to \(target)", path) { platter throws(BlockFailure) in
            let (node, from, to) = try ends(path, target, platter)
            if case .directory(let old) = platter.names.node(at: target), !platter.names.names(in: old).isEmpty {
                throw .io(errno: 39)  // ENOTEMPTY
            }
            platter.names.change([
                .init(directory: from.directory, name: from.name, node: nil),
                .init(directory: to.directory, name: to.name, node: node),
            ])
            platter.dropForgotten()
        }
    }

    /// A link and a removal, as on a real disk: power loss between them leaves both names.
    public func renameIfAbsent(_ path: String, to target: String) throws(DiskFailure) -> Bool {
        let link: Int? = try perform(.link, "link to \(target)", path) { platter throws(BlockFailure) in
            let (node, _, to) = try ends(path, target, platter)
            if platter.names.node(at: target) != nil { return nil }
            return platter.names.change([.init(directory: to.directory, name: to.name, node: node)])
        }
        guard let link else { return false }
        try perform(.remove, "remove", path) { platter throws(BlockFailure) in unlink(path, needs: link, &platter) }
        return true
    }

    private typealias Place = (directory: Int, name: String)
    private func ends(
        _ path: String, _ target: String, _ platter: Platter
    ) throws(BlockFailure) -> (NameSpace.Node, Place, Place) {
        guard let node = platter.names.node(at: path), let from = platter.names.place(of: path),
            let to = platter.names.place(of: target)
        else { throw .io(errno: Self.missing) }
        return (node, from, to)
    }

    /// Makes the names in a directory durable.
    public func syncDirectory(_ path: String) throws(DiskFailure) {
        try perform(.syncDirectory, "sync", path) { platter throws(BlockFailure) in
            platter.names.sync(try directory(path, platter))
            platter.dropForgotten()
        }
    }

    /// Facts; the time of change is always the same.
    public func facts(_ path: String) throws(DiskFailure) -> FileFacts? {
        try perform(.facts, "look at", path) { platter throws(BlockFailure) in
            guard let node = platter.names.node(at: path) else { return nil }
            var facts = FileFacts(
                size: 0, allocated: 0, isDirectory: true, device: platter.deviceNumber, inode: 0,
                modified: 1_800_000_000)
            switch node {
            case .directory(let number):
                facts.inode = UInt64(number) << 32 + 1
            case .file(let number):
                facts.isDirectory = false
                facts.inode = UInt64(number) + 1
                facts.size = ByteCount(platter.size(of: number))
                facts.allocated = ByteCount(platter.allocated(number))
            }
            return facts
        }
    }

    /// The capacity less what is used.
    public func freeSpace(_ path: String) throws(DiskFailure) -> ByteCount {
        try perform(.freeSpace, "measure", path) { platter throws(BlockFailure) in
            ByteCount(max(0, platter.freePages) * PageContent.size)
        }
    }

    private func directory(_ path: String, _ platter: Platter) throws(BlockFailure) -> Int {
        switch platter.names.node(at: path) {
        case .directory(let number): return number
        case .file: throw .io(errno: Self.notDirectory)
        case nil: throw .io(errno: Self.missing)
        }
    }
}

extension BlockFailure {
    /// The kernel's number for a failure of a simulated call.
    var number: Int32 {
        switch self {
        case .io(let errno): errno
        case .noSpace: 28
        case .readOnly: 30
        case .unsupported: 95
        case .outOfRange: 22
        case .corrupt, .unavailable, .failed: 5
        }
    }
}
