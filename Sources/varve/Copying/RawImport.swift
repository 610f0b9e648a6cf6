internal import Blocks
internal import Foundation

/// Sends a raw image's data to a volume that is being imported; holes and zeros are not sent.
struct RawImport: Sendable {
    let path: String
    let volume: String
    let client: NativeClient
    let painter: ProgressPainter

    /// Bytes of one request.
    private static let part = 4 << 20
    /// Requests under way at the same time; bounds memory to some 20 MiB.
    private static let partsAtOnce = 4

    /// Returns when every byte has been taken.
    func run(size: Int) async throws {
        let file = try LocalDisk().open(path, .readOnly)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            var position = 0
            while let (start, bytes) = try next(in: file, from: position, size: size) {
                position = start + bytes.count
                painter.note(share: Double(position) / Double(size))
                if bytes.allSatisfy({ $0 == 0 }) { continue }
                if running == Self.partsAtOnce {
                    try await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { try await send(bytes, at: start) }
            }
            try await group.waitForAll()
        }
        painter.note(share: 1)
    }

    /// The next part that is not a hole, or nil at the end.
    private func next(in file: any DiskFile, from position: Int, size: Int) throws -> (Int, [UInt8])? {
        guard position < size, let data = try file.nextData(from: ByteOffset(position)), data.bytes < size else {
            return nil
        }
        let start = data.bytes / Sector.size.bytes * Sector.size.bytes
        let end = try min(file.nextHole(from: data).bytes, start + Self.part, size)
        let rounded = min((end + Sector.size.bytes - 1) / Sector.size.bytes * Sector.size.bytes, size)
        var bytes = [UInt8](repeating: 0, count: rounded - start)
        try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: ByteOffset(start), into: &all) }
        return (start, bytes)
    }

    private func send(_ bytes: [UInt8], at offset: Int) async throws {
        _ = try await client.send(
            "PUT", "/imports/\(Segment.of(volume))/content?offset=\(offset)", body: bytes,
            type: "application/octet-stream")
    }
}
