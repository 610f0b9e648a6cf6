import Blocks

/// A folder that goes away with its owner.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        path = "/tmp/varve-objectstore-\(UInt64.random(in: .min ... .max))"
        try LocalDisk().makeDirectory(path)
    }
    deinit { try? LocalDisk().removeTree(path) }
}
