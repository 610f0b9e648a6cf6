internal import CLinux
internal import Glibc

/// The machine's own file systems.
public struct LocalDisk: Disk {
    /// Makes the disk.
    public init() {}

    /// open(2).
    public func open(_ path: String, _ mode: OpenMode) throws(DiskFailure) -> any DiskFile {
        let flags =
            switch mode {
            case .readOnly: varve_o_rdonly
            case .readWrite: varve_o_rdwr
            case .create: varve_o_rdwr | varve_o_creat
            case .createNew: varve_o_rdwr | varve_o_creat | varve_o_excl
            }
        return RawFile(OwnedDescriptor(try openDescriptor(path, flags)))
    }

    /// mkdir -p.
    public func makeDirectory(_ path: String) throws(DiskFailure) {
        if unsafe mkdir(path, 0o700) == 0 { return }
        let reason = errno
        if reason == EEXIST, try facts(path)?.isDirectory == true { return }
        guard reason == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw DiskFailure(errno: reason, action: "make directory", path: path)
        }
        try makeDirectory(String(path[..<slash]))
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
            throw DiskFailure(errno: errno, action: "make directory", path: path)
        }
    }

    /// readdir, sorted.
    public func list(_ path: String) throws(DiskFailure) -> [String] {
        guard let directory = unsafe opendir(path) else {
            throw DiskFailure(errno: errno, action: "list", path: path)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// unlink.
    public func remove(_ path: String) throws(DiskFailure) {
        if unsafe unlink(path) != 0, errno != ENOENT {
            throw DiskFailure(errno: errno, action: "remove", path: path)
        }
    }

    /// rm -r.
    public func removeTree(_ path: String) throws(DiskFailure) {
        guard let facts = try facts(path) else { return }
        guard facts.isDirectory else { return try remove(path) }
        for name in try list(path) { try removeTree(path + "/" + name) }
        if unsafe rmdir(path) != 0, errno != ENOENT {
            throw DiskFailure(errno: errno, action: "remove", path: path)
        }
    }

    /// rename(2).
    public func rename(_ path: String, to target: String) throws(DiskFailure) {
        if unsafe Glibc.rename(path, target) != 0 {
            throw DiskFailure(errno: errno, action: "rename to \(target)", path: path)
        }
    }

    /// link + unlink: the link fails if `target` exists.
    public func renameIfAbsent(_ path: String, to target: String) throws(DiskFailure) -> Bool {
        if unsafe link(path, target) != 0 {
            if errno == EEXIST { return false }
            throw DiskFailure(errno: errno, action: "link to \(target)", path: path)
        }
        try remove(path)
        return true
    }

    /// fsync of the directory.
    public func syncDirectory(_ path: String) throws(DiskFailure) {
        let directory = OwnedDescriptor(try openDescriptor(path, varve_o_rdonly | varve_o_directory))
        let status = directory.call { varve_fsync($0) }
        if status < 0 { throw DiskFailure(errno: -status, action: "sync", path: path) }
    }

    /// stat(2).
    public func facts(_ path: String) throws(DiskFailure) -> FileFacts? {
        var found = varve_stat()
        let status = unsafe varve_stat_path(path, &found)
        if status == -ENOENT || status == -ENOTDIR { return nil }
        if status < 0 { throw DiskFailure(errno: -status, action: "look at", path: path) }
        return FileFacts(found)
    }

    /// statvfs(3), what an ordinary user may still write.
    public func freeSpace(_ path: String) throws(DiskFailure) -> ByteCount {
        let bytes = unsafe varve_free_bytes(path)
        if bytes < 0 { throw DiskFailure(errno: Int32(-bytes), action: "measure", path: path) }
        return ByteCount(Int(bytes))
    }

    private func openDescriptor(_ path: String, _ flags: Int32) throws(DiskFailure) -> Int32 {
        while true {
            let descriptor = unsafe varve_open(path, flags | varve_o_cloexec, 0o600)
            if descriptor >= 0 { return descriptor }
            if descriptor != -EINTR { throw DiskFailure(errno: -descriptor, action: "open", path: path) }
        }
    }
}

extension FileFacts {
    init(_ found: varve_stat) {
        self.init(
            size: ByteCount(Int(found.size)), allocated: ByteCount(Int(found.allocated)),
            isDirectory: found.is_directory != 0, device: found.device, inode: found.inode,
            modified: found.modified_seconds, permissions: found.permissions)
    }
}
