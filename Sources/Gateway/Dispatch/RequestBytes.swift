internal import Blocks
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Reads a request's whole body, with a limit on how much comes and on how slowly.
enum RequestBytes {
    struct TooLarge: Error {
        let limit: Int
    }
    struct TooSlow: Error {}

    /// Was the body left where it is? Then its connection is of no use any more.
    @TaskLocal static var isUnread: Guarded<Bool>?

    /// What a body may take besides what it takes at ``rateMin``. One that stops altogether ends with the connection
    /// (``Gateway``).
    private static let patience = Duration.seconds(30)
    /// Bytes per second that a body must bring on the whole.
    private static let rateMin = 8192

    /// - Throws: ``TooLarge`` before anything is read if the length is announced, else as soon as it is passed; ``TooSlow``.
    static func collect(_ request: Request, limit: Int) async throws -> [UInt8] {
        do { return try await read(request, limit: limit) } catch {
            isUnread?.withLock { $0 = true }
            throw error
        }
    }

    private static func read(_ request: Request, limit: Int) async throws -> [UInt8] {
        let begun = ContinuousClock.now
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= limit else { throw TooLarge(limit: limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(announced)
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= limit else { throw TooLarge(limit: limit) }
            bytes.append(contentsOf: part.readableBytesView)
            guard ContinuousClock.now - begun < patience + .seconds(bytes.count / rateMin) else { throw TooSlow() }
        }
        return bytes
    }
}
