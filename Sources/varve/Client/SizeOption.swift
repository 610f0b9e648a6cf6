internal import ArgumentParser
internal import Terminal

/// A size on the command line: 8GiB, 500M, 4096.
struct SizeOption: ExpressibleByArgument {
    let bytes: Int

    init?(argument: String) {
        guard let size = try? Size(argument) else { return nil }
        bytes = size.bytes
    }
}
