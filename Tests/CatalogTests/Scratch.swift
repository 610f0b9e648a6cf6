import Blocks

/// A folder of its own under the temporary directory, removed by its deinit.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/tmp/varve-catalog-\(UInt64.random(in: 0 ... .max))"
        try LocalDisk().makeDirectory(path)
    }
    deinit { try? LocalDisk().removeTree(path) }
}
