internal import Blocks
internal import Glibc

/// A directory that goes with its owner: in `$VARVE_FUZZ_SCRATCH`, which whoever sets it removes at the end (a fuzzer
/// does not live to clean up), or `/tmp`.
final class Scratch: Sendable {
    let path: String

    init() throws(DiskFailure) {
        let parent = unsafe getenv("VARVE_FUZZ_SCRATCH").map { unsafe String(cString: $0) } ?? "/tmp"
        path = "\(parent)/varve-fuzz-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try LocalDisk().makeDirectory(path)
    }
    deinit { try? LocalDisk().removeTree(path) }
}
