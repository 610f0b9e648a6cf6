internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Reads a request's whole body, with a limit.
enum RequestBytes {
    struct TooLarge: Error {
        let limit: Int
    }

    /// - Throws: ``TooLarge`` before anything is read if the length is announced, else as soon as it is passed.
    static func collect(_ request: Request, limit: Int) async throws -> [UInt8] {
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= limit else { throw TooLarge(limit: limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(announced)
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= limit else { throw TooLarge(limit: limit) }
            bytes.append(contentsOf: part.readableBytesView)
        }
        return bytes
    }
}
