public import Blocks
internal import Glibc

/// A directory of the local disk that goes when its owner goes. `VARVE_KEEP_SCRATCH=1` keeps it.
public final class ScratchDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// Makes an empty directory under `$TMPDIR` or `/tmp`.
    public init(_ name: String = "varve") throws(DiskFailure) {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        path = "\(parent)/\(name)-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try LocalDisk().makeDirectory(path)
    }
    deinit {
        if unsafe getenv("VARVE_KEEP_SCRATCH") == nil { try? LocalDisk().removeTree(path) }
    }
}
